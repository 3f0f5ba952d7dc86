package simulated

import (
	"fmt"
	"maps"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// createPartitionsRequest is CreatePartitions of one topic: total is the new number.
type createPartitionsRequest struct {
	topic string
	total int32
}

func (b *node) createPartitions(r *createPartitionsRequest, out reply) {
	b.m.controlled(func() {
		c, text := b.m.addPartitions(r.topic, r.total)
		out(&topicsResponse{[]code{c}, []string{text}}, smallResponse)
	})
}

// addPartitions gives a topic more partitions, placed on from the last one.
func (m *Model) addPartitions(name string, total int32) (code, string) {
	t := m.topics[name]
	switch {
	case t == nil:
		return codeUnknownTopic, name
	case int(total) <= len(t.partitions):
		return codeInvalidPartitions, fmt.Sprintf("%s has %d partitions, which would not be increased by %d", name, len(t.partitions), total)
	}
	last := t.partitions[len(t.partitions)-1].set.replicas
	for i := int32(len(t.partitions)); i < total; i++ {
		p := newPartition(m, t, i, m.spread(int(last[0])+int(i)-len(t.partitions), len(last)))
		p.elect(p.set.candidate())
		t.partitions = append(t.partitions, p)
		last = p.set.replicas
	}
	m.metadataChanged()
	if m.k.Tracing() {
		m.emit(m.brokers[0].addr, "topic.partitions", trace.F("topic", name), trace.I("partitions", int64(total)))
	}
	return codeNone, ""
}

// alterConfigsRequest is IncrementalAlterConfigs of one topic; nil goes back to the default.
type alterConfigsRequest struct {
	topic   string
	configs map[string]*string
}

func (b *node) alterConfigs(r *alterConfigsRequest, out reply) {
	b.m.controlled(func() {
		c, text := b.m.alterConfigs(r.topic, r.configs)
		out(&topicsResponse{[]code{c}, []string{text}}, smallResponse)
	})
}

// alterConfigs changes all the settings or none.
func (m *Model) alterConfigs(name string, changes map[string]*string) (code, string) {
	t := m.topics[name]
	if t == nil {
		return codeUnknownTopic, name
	}
	given := maps.Clone(t.configs)
	if given == nil {
		given = map[string]string{}
	}
	for k, v := range changes { // into a map again
		if delete(given, k); v != nil {
			given[k] = *v
		}
	}
	next := *t
	next.configs = given
	if err := next.configure(m.effective(given)); err != nil {
		return codeInvalidConfig, err.Error()
	}
	*t = next
	for _, p := range t.partitions {
		p.set.minISR, p.set.unclean = t.minISR, t.unclean
		if p.set.leader < 0 && t.unclean {
			if c := p.set.candidate(); c >= 0 {
				p.elect(c)
			}
		}
		p.set.update()
		p.scheduleCleaning()
	}
	if m.k.Tracing() {
		m.emit(m.brokers[0].addr, "topic.configs", trace.F("topic", name))
	}
	return codeNone, ""
}

// electLeadersRequest is ElectLeaders.
type electLeadersRequest struct {
	unclean bool
	tps     []broker.TopicPartition
}

func (b *node) electLeaders(r *electLeadersRequest, out reply) {
	b.m.controlled(func() {
		resp := &topicsResponse{}
		for _, tp := range r.tps {
			c := codeNone
			if r.unclean {
				c = b.m.electAny(tp)
			} else {
				c = b.m.electPreferred(tp)
			}
			resp.codes, resp.texts = append(resp.codes, c), append(resp.texts, tp.String())
		}
		out(resp, smallResponse)
	})
}

// electAny gives a partition without a leader any live replica.
func (m *Model) electAny(tp broker.TopicPartition) code {
	p := m.partition(tp)
	switch {
	case p == nil:
		return codeUnknownTopic
	case p.set.leader >= 0:
		return codeElectionNotNeeded
	}
	was := p.set.unclean
	p.set.unclean = true
	c := p.set.candidate()
	p.set.unclean = was
	if c < 0 {
		return codeEligibleNotAvailable
	}
	p.elect(c)
	m.emitLeader(tp, p.set)
	return codeNone
}
