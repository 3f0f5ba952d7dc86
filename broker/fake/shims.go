package fake

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// shim installs what makes kfake answer as Kafka does.
func (c *Cluster) shim() {
	c.seen = &epochs{addrs: c.Bootstrap(), current: make(map[string]producerEpoch)}
	c.fake.ControlKey(int16(kmsg.OffsetForLeaderEpoch), c.leaderEpochEnd)
	c.fake.ControlKey(int16(kmsg.InitProducerID), c.forgetEpoch)
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs} {
		c.fake.ControlKey(int16(key), c.stamps.forget)
	}
	c.fake.ControlKey(int16(kmsg.Produce), c.stampAppendTime)
	c.fake.ControlKey(int16(kmsg.Produce), c.refuseZombie)
	c.fake.ControlKey(int16(kmsg.TxnOffsetCommit), c.pending.note)
	c.fake.ControlKey(int16(kmsg.EndTxn), c.pending.ended)
	c.fake.ControlKey(int16(kmsg.InitProducerID), c.pending.fenced)
	c.fake.ControlKey(int16(kmsg.OffsetFetch), c.pending.fetch)
	c.waiting = newWaiting(c.Bootstrap())
	c.fake.ControlKey(int16(kmsg.SyncGroup), c.waiting.synced)
	c.fake.ControlKey(int16(kmsg.Heartbeat), c.waiting.beat)
	c.fake.ControlKey(int16(kmsg.JoinGroup), c.waiting.joins)
}

// leaderEpochEnd answers OffsetForLeaderEpoch for an epoch before the current one (K1). kfake answers "unknown" when nothing was
// written since, and a client takes that for truncation. A log that is never truncated diverges nowhere: the epoch reaches to the
// high watermark. What it cannot answer it leaves to kfake.
func (c *Cluster) leaderEpochEnd(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.OffsetForLeaderEpochRequest)
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	node := c.fake.CurrentNode()
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			info := c.fake.PartitionInfo(t.Topic, p.Partition)
			if req.ReplicaID >= 0 || info == nil || info.Leader != node || p.LeaderEpoch >= info.Epoch ||
				p.CurrentLeaderEpoch != -1 && p.CurrentLeaderEpoch != info.Epoch {
				return nil, nil, false
			}
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch, rp.EndOffset = p.Partition, p.LeaderEpoch, info.HighWatermark
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	c.fake.KeepControl()
	return resp, nil, true
}

// epochs are the transactional producers' epochs, as kfake's coordinator last told them.
type epochs struct {
	addrs []string

	mu      sync.Mutex
	current map[string]producerEpoch // by transactional id
	client  *kgo.Client
}

type producerEpoch struct {
	id    int64
	epoch int16
}

// forgetEpoch makes the next produce of a transactional id ask for its epoch again. It only looks on.
func (c *Cluster) forgetEpoch(kreq kmsg.Request) (kmsg.Response, error, bool) {
	if id := kreq.(*kmsg.InitProducerIDRequest).TransactionalID; id != nil {
		c.seen.mu.Lock()
		delete(c.seen.current, *id)
		c.seen.mu.Unlock()
	}
	return nil, nil, false
}

// refuseZombie refuses a fenced producer's records before kfake sees them (K4): it would add their partition to the live
// producer's transaction before it looks at the epoch, and fence that one when the transaction's time is over.
func (c *Cluster) refuseZombie(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.ProduceRequest)
	if req.TransactionID == nil {
		return nil, nil, false
	}
	from, ok := producerOf(req)
	if !ok || c.seen.is(*req.TransactionID, from) {
		return nil, nil, false
	}
	var now producerEpoch
	var err error
	c.fake.SleepControl(func() { now, err = c.seen.ask(*req.TransactionID) })
	if err != nil || now.id != from.id || now.epoch <= from.epoch {
		return nil, nil, false // kfake's own answer is right
	}
	c.fake.KeepControl()
	return refusal(req), nil, true
}

// producerOf reads who sent a request from its first record batch.
func producerOf(req *kmsg.ProduceRequest) (producerEpoch, bool) {
	const producerID, epoch, end = 43, 51, 53
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			if len(p.Records) >= end {
				return producerEpoch{int64(binary.BigEndian.Uint64(p.Records[producerID:])), int16(binary.BigEndian.Uint16(p.Records[epoch:]))}, true
			}
		}
	}
	return producerEpoch{}, false
}

func refusal(req *kmsg.ProduceRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.BaseOffset, rp.ErrorCode = p.Partition, -1, kerr.InvalidProducerEpoch.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func (e *epochs) is(id string, p producerEpoch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current[id] == p
}

// ask asks the coordinator, and remembers the answer.
func (e *epochs) ask(id string) (producerEpoch, error) {
	e.mu.Lock()
	if e.client == nil {
		cl, err := kgo.NewClient(kgo.SeedBrokers(e.addrs...), kgo.ClientID("kstreamlab-fake"))
		if err != nil {
			e.mu.Unlock()
			return producerEpoch{}, err
		}
		e.client = cl
	}
	cl := e.client
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{id}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return producerEpoch{}, err
	}
	if len(resp.TransactionStates) != 1 {
		return producerEpoch{}, errors.New("no answer for " + id)
	}
	st := resp.TransactionStates[0]
	if err := kerr.ErrorForCode(st.ErrorCode); err != nil {
		return producerEpoch{}, err
	}
	now := producerEpoch{st.ProducerID, st.ProducerEpoch}
	e.mu.Lock()
	e.current[id] = now
	e.mu.Unlock()
	return now, nil
}

func (e *epochs) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		e.client.Close()
	}
}
