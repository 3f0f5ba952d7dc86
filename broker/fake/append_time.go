package fake

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Places in a record batch.
const (
	batchLength     = 8
	batchCRC        = 17
	batchAttributes = 21
	batchRecords    = 61
	codecBits       = 0x07
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendTimes knows the topics whose records get the broker's time (message.timestamp.type=LogAppendTime, K7). It is used by control
// functions only, which kfake runs one at a time.
type appendTimes struct {
	all bool // log.message.timestamp.type=LogAppendTime

	mu     sync.Mutex
	byName map[string]bool
	byID   map[[16]byte]bool
}

// forget makes the next produce look at the topics' settings again.
func (a *appendTimes) forget(kmsg.Request) (kmsg.Response, error, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.byName, a.byID = make(map[string]bool), make(map[[16]byte]bool)
	return nil, nil, false
}

// of says whether a topic of a produce request is one of them.
func (a *appendTimes) of(c *Cluster, t *kmsg.ProduceRequestTopic) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.byName[t.Topic]
	if t.Topic == "" {
		known, ok = a.byID[t.TopicID]
	}
	if ok {
		return known
	}
	info := c.fake.TopicInfo(t.Topic)
	if t.Topic == "" {
		info = c.fake.TopicIDInfo(t.TopicID)
	}
	if info == nil {
		return false // kfake refuses it
	}
	is := a.all
	if v := info.Configs["message.timestamp.type"]; v != nil {
		is = *v == "LogAppendTime"
	}
	if t.Topic == "" {
		a.byID[t.TopicID] = is
	} else {
		a.byName[t.Topic] = is
	}
	return is
}

// stampAppendTime gives the records for such topics the time of now. kfake does not look at the topic's setting; nor may the batch be
// marked as one with the broker's time: kfake would write the time into it under the checksum that it came with.
func (c *Cluster) stampAppendTime(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.ProduceRequest)
	now := time.Now().UnixMilli()
	for i := range req.Topics {
		t := &req.Topics[i]
		if !c.stamps.of(c, t) {
			continue
		}
		for j := range t.Partitions {
			if b, ok := stamped(t.Partitions[j].Records, now); ok {
				t.Partitions[j].Records = b
			}
		}
	}
	return nil, nil, false
}

// stamped is a batch whose records all have one time; ok is false for bytes that are not a sound batch, which kfake refuses.
func stamped(raw []byte, now int64) (out []byte, ok bool) {
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil || len(raw) < batchRecords || uint32(b.CRC) != crc32.Checksum(raw[batchAttributes:], castagnoli) {
		return nil, false
	}
	records, err := kfake.BatchRecords(b)
	if err != nil {
		return nil, false
	}
	b.Records = nil
	for _, r := range records {
		r.Length += int32(1 - len(binary.AppendVarint(nil, r.TimestampDelta64)))
		r.TimestampDelta64, r.TimestampDelta = 0, 0 // the second is an older name of the first, and counts where that is 0
		b.Records = r.AppendTo(b.Records)
	}
	b.Attributes &^= codecBits
	b.FirstTimestamp, b.MaxTimestamp = now, now
	out = b.AppendTo(nil)
	binary.BigEndian.PutUint32(out[batchLength:], uint32(len(out)-batchLength-4))
	binary.BigEndian.PutUint32(out[batchCRC:], crc32.Checksum(out[batchAttributes:], castagnoli))
	return out, true
}
