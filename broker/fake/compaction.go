package fake

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// compactions are the log starts as they would be if compaction had not moved them, which it does in kfake and not in Kafka (K3): a reader
// that stands between them and kfake's start is not out of range, it reads on at the first record that is left.
type compactions struct {
	mu     sync.Mutex
	starts map[partition]int64
	on     bool // the control functions are there
}

// Compact compacts all topics whose policy says so; a topic's name in topics says where a transaction must not be open, for kfake's
// compaction does not heed open transactions (K2). It happens only here.
func (c *Cluster) Compact(topics ...string) error {
	for _, t := range topics {
		for _, p := range c.fake.PartitionInfos(t) {
			if p.LastStableOffset != p.HighWatermark {
				return fmt.Errorf("fake: a transaction is open in %s-%d: it is stable up to %d of %d", t, p.Partition, p.LastStableOffset, p.HighWatermark)
			}
		}
	}
	before := make(map[partition]int64)
	for _, t := range topics {
		info := c.fake.TopicInfo(t)
		if info == nil || info.Configs["cleanup.policy"] == nil || strings.Contains(*info.Configs["cleanup.policy"], "delete") {
			continue // what retention removes is out of range in Kafka too
		}
		for _, p := range c.fake.PartitionInfos(t) {
			before[partition{t, p.Partition}] = p.LogStartOffset
		}
	}
	c.fake.Compact()
	c.compacted.keep(c, before)
	return nil
}

// keep notes where the logs of compacted topics began before.
func (k *compactions) keep(c *Cluster, before map[partition]int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for at, start := range before {
		if _, ok := k.starts[at]; !ok {
			k.starts[at] = start
		}
	}
	if !k.on && !c.exact {
		k.on = true
		c.fake.ControlKey(int16(kmsg.Fetch), c.fetchOverCompacted)
		c.fake.ControlKey(int16(kmsg.DeleteRecords), k.deleted)
		c.fake.ControlKey(int16(kmsg.DeleteTopics), c.dropCompacted)
	}
}

// deleted takes note of a DeleteRecords: what is before it is out of range for good.
func (k *compactions) deleted(kreq kmsg.Request) (kmsg.Response, error, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range kreq.(*kmsg.DeleteRecordsRequest).Topics {
		for _, p := range t.Partitions {
			at := partition{t.Topic, p.Partition}
			if start, ok := k.starts[at]; ok && (p.Offset == -1 || p.Offset > start) {
				delete(k.starts, at)
			}
		}
	}
	return nil, nil, false
}

// dropCompacted takes note of a DeleteTopics.
func (c *Cluster) dropCompacted(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.DeleteTopicsRequest)
	names := map[string]bool{}
	for _, name := range req.TopicNames {
		names[name] = true
	}
	for _, t := range req.Topics {
		if t.Topic != nil {
			names[*t.Topic] = true
		} else if info := c.fake.TopicIDInfo(t.TopicID); info != nil {
			names[info.Topic] = true
		}
	}
	c.compacted.mu.Lock()
	defer c.compacted.mu.Unlock()
	maps.DeleteFunc(c.compacted.starts, func(at partition, _ int64) bool { return names[at.topic] })
	return nil, nil, false
}

// fetchOverCompacted moves fetches from before kfake's start up to it, down to where the log would begin in Kafka.
func (c *Cluster) fetchOverCompacted(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.FetchRequest)
	c.compacted.mu.Lock()
	defer c.compacted.mu.Unlock()
	for i := range req.Topics {
		t := &req.Topics[i]
		name := c.topicName(t.Topic, t.TopicID)
		for j := range t.Partitions {
			p := &t.Partitions[j]
			start, ok := c.compacted.starts[partition{name, p.Partition}]
			if !ok || p.FetchOffset < start {
				continue
			}
			if info := c.fake.PartitionInfo(name, p.Partition); info != nil && p.FetchOffset < info.LogStartOffset {
				p.FetchOffset = info.LogStartOffset
			}
		}
	}
	return nil, nil, false
}
