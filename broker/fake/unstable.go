package fake

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// pendingOffsets are the partitions that open transactions have offsets for, by group: kfake knows only whether a group has any (K6). An
// entry may outlive its transaction, when that ends by its time-out; kfake's own look then says so.
type pendingOffsets struct {
	c *Cluster

	mu     sync.Mutex
	groups map[string]map[partition]map[string]producerEpoch // by transactional id
}

type partition struct {
	topic  string
	number int32
}

// note takes note of a TxnOffsetCommit.
func (p *pendingOffsets) note(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.TxnOffsetCommitRequest)
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.groups[req.Group]
	if g == nil {
		g = make(map[partition]map[string]producerEpoch)
		p.groups[req.Group] = g
	}
	for _, t := range req.Topics {
		for _, rp := range t.Partitions {
			at := partition{p.c.topicName(t.Topic, t.TopicID), rp.Partition}
			if g[at] == nil {
				g[at] = make(map[string]producerEpoch)
			}
			g[at][req.TransactionalID] = producerEpoch{req.ProducerID, req.ProducerEpoch}
		}
	}
	return nil, nil, false
}

// forget drops a transactional id's entries, if they are of this producer; of nil: of any.
func (p *pendingOffsets) forget(id string, of *producerEpoch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, g := range p.groups {
		for at, ids := range g {
			if is, ok := ids[id]; !ok || of != nil && is != *of {
				continue
			}
			if delete(ids, id); len(ids) == 0 {
				delete(g, at)
			}
		}
		if len(g) == 0 {
			delete(p.groups, name)
		}
	}
}

// ended takes note of an EndTxn. One of a fenced producer ends nothing.
func (p *pendingOffsets) ended(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.EndTxnRequest)
	p.forget(req.TransactionalID, &producerEpoch{req.ProducerID, req.ProducerEpoch})
	return nil, nil, false
}

// fenced takes note of an InitProducerID, which aborts what is open.
func (p *pendingOffsets) fenced(kreq kmsg.Request) (kmsg.Response, error, bool) {
	if req := kreq.(*kmsg.InitProducerIDRequest); req.TransactionalID != nil && req.ProducerID == -1 {
		p.forget(*req.TransactionalID, nil)
	}
	return nil, nil, false
}

// fetch lets an OffsetFetch for partitions that nothing is pending for pass kfake's look at the group.
func (p *pendingOffsets) fetch(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.OffsetFetchRequest)
	if !req.RequireStable {
		return nil, nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := p.groups[req.Group]
	of := func(group map[partition]map[string]producerEpoch, topic string, numbers []int32) bool {
		for _, n := range numbers {
			if len(group[partition{topic, n}]) > 0 {
				return true
			}
		}
		return false
	}
	blocked := req.Version < 8 && req.Topics == nil && len(pending) > 0
	for _, t := range req.Topics {
		blocked = blocked || of(pending, t.Topic, t.Partitions)
	}
	for _, g := range req.Groups {
		blocked = blocked || g.Topics == nil && len(p.groups[g.Group]) > 0
		for _, t := range g.Topics {
			blocked = blocked || of(p.groups[g.Group], p.c.topicName(t.Topic, t.TopicID), t.Partitions)
		}
	}
	req.RequireStable = blocked
	return nil, nil, false
}

// topicName is a topic's name in a request that gives that or, in newer versions, its id.
func (c *Cluster) topicName(name string, id [16]byte) string {
	if name != "" {
		return name
	}
	if info := c.fake.TopicIDInfo(id); info != nil {
		return info.Topic
	}
	return ""
}
