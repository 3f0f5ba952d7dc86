package simulated

import (
	"maps"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// metadataRequest asks for topics; nil: all.
type metadataRequest struct {
	topics []string
	create bool // allow.auto.create.topics
}

type metadataResponse struct {
	topics []broker.TopicDescription // those that exist, sorted by name
}

func (b *node) metadata(r *metadataRequest, out reply) {
	if r.create && b.m.cfg.AutoCreateTopics && slices.ContainsFunc(r.topics, func(t string) bool { return b.m.topics[t] == nil }) {
		b.m.controlled(func() {
			for _, name := range r.topics {
				b.m.createTopic(broker.NewTopic{Name: name}) // one that is there, or may not be, stays as it is
			}
			b.metadata(&metadataRequest{topics: r.topics}, out)
		})
		return
	}
	names := r.topics
	if names == nil {
		names = slices.Sorted(maps.Keys(b.m.topics))
	}
	resp := &metadataResponse{}
	for _, name := range names {
		if t := b.m.topics[name]; t != nil {
			resp.topics = append(resp.topics, t.describe())
		}
	}
	out(resp, smallResponse+64*len(resp.topics))
}

func (t *topic) describe() broker.TopicDescription {
	d := broker.TopicDescription{Name: t.name, Partitions: make([]broker.PartitionDescription, len(t.partitions))}
	for i, p := range t.partitions {
		d.Partitions[i] = broker.PartitionDescription{
			Leader: p.set.leader, LeaderEpoch: p.set.epoch,
			Replicas: slices.Clone(p.set.replicas), ISR: slices.Clone(p.set.isr),
		}
	}
	return d
}

// watchRequest is parked until one of the topics has another number of partitions than the client knows (0: does not exist), or other
// topics match than those that it knows. It takes the place of a client's metadata refresh by time.
type watchRequest struct {
	watcher int64 // a newer watch of the same watcher replaces it
	topics  []string
	counts  []int32
	matches func(topic string) bool // nil: none do
	matched []string                // sorted
}

type watchResponse struct{}

// topicWatch is a parked watchRequest.
type topicWatch struct {
	req   *watchRequest
	node  *node
	owner string
	out   reply
}

func (b *node) watchTopics(from string, r *watchRequest, out reply) {
	b.m.watches = slices.DeleteFunc(b.m.watches, func(w *topicWatch) bool { return w.req.watcher == r.watcher })
	w := &topicWatch{r, b, from, out}
	if w.changed() {
		out(&watchResponse{}, smallResponse)
		return
	}
	b.m.watches = append(b.m.watches, w)
}

func (w *topicWatch) changed() bool {
	for i, name := range w.req.topics {
		n := int32(0)
		if t := w.node.m.topics[name]; t != nil {
			n = int32(len(t.partitions))
		}
		if n != w.req.counts[i] {
			return true
		}
	}
	return w.req.matches != nil && !slices.Equal(w.req.matched, w.node.m.matching(w.req.matches))
}

// matching are the topics that match, sorted.
func (m *Model) matching(matches func(topic string) bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.topics)), func(t string) bool { return !matches(t) })
}

// metadataChanged answers the watches that see a change.
func (m *Model) metadataChanged() {
	ws := m.watches
	m.watches = nil
	for _, w := range ws {
		switch {
		case !w.node.up:
		case w.changed():
			w.out(&watchResponse{}, smallResponse)
		default:
			m.watches = append(m.watches, w)
		}
	}
}

func (m *Model) dropWatches(process string) {
	m.watches = slices.DeleteFunc(m.watches, func(w *topicWatch) bool { return w.owner == process })
}

// coordinatorRequest is FindCoordinator.
type coordinatorRequest struct {
	kind coordinatorKind
	key  string
}

type coordinatorKind int8

const (
	groupKind coordinatorKind = iota
	txnKind
)

type coordinatorResponse struct {
	code code
	id   int32
}

func (b *node) findCoordinator(r *coordinatorRequest, out reply) {
	l := b.m.groupLog(r.key)
	if r.kind == txnKind {
		l = b.m.txnLog(r.key)
	}
	resp := &coordinatorResponse{id: l.set.leader}
	if l.set.leader < 0 {
		resp.code = codeCoordinatorUnavailable
	}
	out(resp, smallResponse)
}
