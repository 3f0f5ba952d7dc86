package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Side is how one input of a table-table join treats the absence of the other.
type Side int8

// The sides.
const (
	InnerSide Side = iota // both must be there
	LeftSide              // this one must: the left input of a left join
	RightSide             // the other must: the right input of a left join
	OuterSide             // either
)

// Joiner makes the joined value. A missing side is the zero value, which its flag tells from a value.
type Joiner[K, V1, V2, R any] func(k K, v1 V1, has1 bool, v2 V2, has2 bool) (R, error)

// TableJoin is one input of a table-table join: KTableKTableInnerJoin, -LeftJoin, -RightJoin, -OuterJoin. V1 is this table, V2 the other.
type TableJoin[K, V1, V2, R any] struct {
	processor.Output[K, processor.Change[R]]
	Node    string
	Side    Side
	Other   Viewer[K, V2]
	Join    Joiner[K, V1, V2, R]
	SendOld bool
	// Versioned: this table is a versioned one, and changes that are not its latest are left out.
	Versioned bool

	other View[K, V2]
	null  func(*R) bool
	out   processor.Record[K, processor.Change[R]]
}

// Init implements processor.Instance.
func (n *TableJoin[K, V1, V2, R]) Init(t processor.Task) (err error) {
	n.null = processor.NullTest[R]()
	if n.other, err = n.Other.Open(t); err != nil {
		return err
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *TableJoin[K, V1, V2, R]) Process(r *processor.Record[K, processor.Change[V1]]) error {
	if r.NullKey {
		n.Task().Drop(n.Node, "null key")
		return nil
	}
	c := &r.Value
	if n.Versioned && c.Stale {
		n.Task().Drop(n.Node, "out-of-order update of a versioned table")
		return nil
	}
	o, err := n.other.Get(r.Key)
	if err != nil {
		return err
	}
	if !o.Has && (n.Side == InnerSide || n.Side == RightSide || c.NullNew && c.NullOld) {
		return nil
	}
	ts := r.Timestamp
	if o.Has {
		ts = max(ts, o.Time)
	}
	out := processor.Change[R]{NullNew: true, NullOld: true}
	if n.joins(!c.NullNew, o.Has) {
		if out.New, err = n.Join(r.Key, c.New, !c.NullNew, o.Value, o.Has); err != nil {
			return err
		}
		out.NullNew = n.null(&out.New)
	}
	if n.SendOld && n.joins(!c.NullOld, o.Has) {
		if out.Old, err = n.Join(r.Key, c.Old, !c.NullOld, o.Value, o.Has); err != nil {
			return err
		}
		out.NullOld = n.null(&out.Old)
	}
	n.out = processor.Record[K, processor.Change[R]]{Key: r.Key, Value: out, Timestamp: ts, Headers: r.Headers}
	return n.ForwardAt(&n.out)
}

// joins says whether there is a joined value, given which sides are there.
func (n *TableJoin[K, V1, V2, R]) joins(this, other bool) bool { return joined(n.Side, this, other) }

func joined(s Side, this, other bool) bool {
	switch s {
	case InnerSide:
		return this && other
	case LeftSide:
		return this
	case RightSide:
		return other
	}
	return this || other
}

// JoinViewer is the viewer of a join that has no store: it joins what both tables hold. side is that of the first table.
func JoinViewer[K, V1, V2, R any](side Side, a Viewer[K, V1], b Viewer[K, V2], join Joiner[K, V1, V2, R]) Viewer[K, R] {
	return Viewer[K, R]{Stores: append(append([]string(nil), a.Stores...), b.Stores...), Open: func(t processor.Task) (View[K, R], error) {
		va, err := a.Open(t)
		if err != nil {
			return nil, err
		}
		vb, err := b.Open(t)
		return joinView[K, V1, V2, R]{side, va, vb, join, processor.NullTest[R]()}, err
	}}
}

type joinView[K, V1, V2, R any] struct {
	side Side
	a    View[K, V1]
	b    View[K, V2]
	join Joiner[K, V1, V2, R]
	null func(*R) bool
}

func (v joinView[K, V1, V2, R]) Get(k K) (out Valued[R], err error) {
	a, err := v.a.Get(k)
	if err != nil || !a.Has && v.side != OuterSide {
		return out, err
	}
	b, err := v.b.Get(k)
	if err != nil || !joined(v.side, a.Has, b.Has) {
		return out, err
	}
	if out.Value, err = v.join(k, a.Value, a.Has, b.Value, b.Has); err != nil {
		return out, err
	}
	out.Has = !v.null(&out.Value)
	switch {
	case a.Has && b.Has:
		out.Time = max(a.Time, b.Time)
	case a.Has:
		out.Time = a.Time
	default:
		out.Time = b.Time
	}
	return out, nil
}

// TableMerge is the node in which both inputs of a table-table join end, with the join's store if it has one: KTableKTableJoinMerger.
type TableMerge[K, R any] struct {
	Stored[K, R]
}

// Process implements processor.Processor.
func (n *TableMerge[K, R]) Process(r *processor.Record[K, processor.Change[R]]) error {
	return n.put(r.Key, r.Value, r.Timestamp, r.Headers)
}
