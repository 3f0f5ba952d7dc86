package task

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// AddInputs gives the task more partitions, of topics that a pattern has come to match. Those that it has already are passed over. In a task
// that runs each is to be started with StartInput; others start with Activate.
func (t *Task) AddInputs(tps ...broker.TopicPartition) {
	for _, tp := range tps {
		if t.byTP[tp] != nil {
			continue
		}
		q := &queue{tp: tp, time: -1, position: broker.NoOffset, end: -1}
		i, _ := slices.BinarySearchFunc(t.queues, tp, func(q *queue, tp broker.TopicPartition) int { return q.tp.Compare(tp) })
		t.queues = slices.Insert(t.queues, i, q)
		t.byTP[tp] = q
		for _, n := range t.nodes {
			t.connect(n, q)
		}
	}
}

// StartInput starts a partition at what the group has committed of it; where there is nothing, the position is the consumer's.
func (t *Task) StartInput(tp broker.TopicPartition, committed broker.OffsetAndMetadata) {
	q := t.byTP[tp]
	q.position = committed.Offset
	time, _, err := DecodeMetadata(committed.Metadata)
	if err != nil {
		t.log.Warn("streams: ignoring the metadata of a committed offset", "partition", tp.String(), "error", err)
	}
	q.time = time
	t.time = max(t.time, time)
}

// Moved tells that the consumer's position in an input was set anew, since the offset was out of range. What was polled before stays.
func (t *Task) Moved(tp broker.TopicPartition, position int64) {
	if q := t.byTP[tp]; q != nil {
		q.position, q.end, q.dirty = position, -1, true
	}
}

// connect gives a queue to the node if that is its source.
func (t *Task) connect(n instance, q *queue) {
	if in, ok := n.inst.(processor.Input); ok && q.slot == nil && t.reads(n.node, q.tp.Topic) {
		q.slot, q.spare, q.source = in.NewSlot(q.tp), in.NewSlot(q.tp), n.node.Name
	}
}

// reads says whether a source reads a topic of the cluster.
func (t *Task) reads(n *topology.Node, topic string) bool {
	if n.Pattern != nil {
		return n.Pattern.Matches(topic) && !t.cfg.Topology.IsInternal(topic, t.cfg.ApplicationID)
	}
	return slices.ContainsFunc(n.Topics, func(name string) bool { return t.TopicName(name) == topic })
}
