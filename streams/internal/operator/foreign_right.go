package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// SubscriptionReceive keeps the subscriptions to right rows, and passes them on: SubscriptionReceiveProcessorSupplier.
type SubscriptionReceive[K, KF any] struct {
	processor.Output[KF, Subscription[K]]
	Node string
	Keys ForeignKeys[K, KF]

	keys combinedKeys[K, KF]
}

// Init implements processor.Instance.
func (n *SubscriptionReceive[K, KF]) Init(t processor.Task) error {
	n.keys = openCombined(t, n.Keys)
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *SubscriptionReceive[K, KF]) Process(r *processor.Record[KF, Subscription[K]]) error {
	switch {
	case r.NullKey && r.Value.Instruction != AnswerAlways:
		n.Task().Drop(n.Node, "null foreign key")
		return nil
	case !r.NullKey:
		if err := n.keys.put(r.Key, &r.Value, r.Timestamp); err != nil {
			return err
		}
	}
	return n.Forward(r)
}

// SubscriptionJoin answers a subscription with the right row: SubscriptionJoinProcessorSupplier.
type SubscriptionJoin[K, KF, VF any] struct {
	processor.Output[K, Response[VF]]
	Table Viewer[KF, VF]

	table View[KF, VF]
	out   processor.Record[K, Response[VF]]
}

// Init implements processor.Instance.
func (n *SubscriptionJoin[K, KF, VF]) Init(t processor.Task) (err error) {
	if n.table, err = n.Table.Open(t); err != nil {
		return err
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *SubscriptionJoin[K, KF, VF]) Process(r *processor.Record[KF, Subscription[K]]) (err error) {
	var row Valued[VF]
	if !r.NullKey {
		if row, err = n.table.Get(r.Key); err != nil {
			return err
		}
	}
	s := &r.Value
	n.out = processor.Record[K, Response[VF]]{Key: s.Key, Timestamp: r.Timestamp, Headers: r.Headers}
	if row.Has {
		n.out.Timestamp = max(r.Timestamp, row.Time)
	}
	n.out.Value = Response[VF]{To: s.Of, NullValue: true, Partition: s.Partition}
	switch {
	case s.Instruction == DeleteNoAnswer, s.Instruction == AnswerIfThere && !row.Has:
		return nil
	case s.Instruction != DeleteAnswer:
		n.out.Value.Value, n.out.Value.NullValue = row.Value, !row.Has
	}
	return n.ForwardAt(&n.out)
}

// ForeignTableJoin tells all who have subscribed to a right row that it has changed: ForeignTableJoinProcessorSupplier.
type ForeignTableJoin[K, KF, VF any] struct {
	processor.Output[K, Response[VF]]
	Node string
	Keys ForeignKeys[K, KF]
	// Versioned: the right table is a versioned one, and changes that are not its latest are left out.
	Versioned bool

	keys combinedKeys[K, KF]
	out  processor.Record[K, Response[VF]]
}

// Init implements processor.Instance.
func (n *ForeignTableJoin[K, KF, VF]) Init(t processor.Task) error {
	n.keys = openCombined(t, n.Keys)
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *ForeignTableJoin[K, KF, VF]) Process(r *processor.Record[KF, processor.Change[VF]]) error {
	switch {
	case r.NullKey:
		n.Task().Drop(n.Node, "null key")
		return nil
	case n.Versioned && r.Value.Stale:
		n.Task().Drop(n.Node, "out-of-order update of a versioned table")
		return nil
	}
	n.out = processor.Record[K, Response[VF]]{Timestamp: r.Timestamp, Headers: r.Headers}
	return n.keys.each(r.Key, func(s *Subscription[K]) error {
		n.out.Key = s.Key
		n.out.Value = Response[VF]{To: s.Of, Value: r.Value.New, NullValue: r.Value.NullNew, Partition: s.Partition}
		return n.Forward(&n.out)
	})
}
