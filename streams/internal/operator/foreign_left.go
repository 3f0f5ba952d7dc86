package operator

import (
	"bytes"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// SubscriptionSend turns the changes of the left table into subscriptions by foreign key: SubscriptionSendProcessorSupplier.
type SubscriptionSend[K, V, KF any] struct {
	processor.Output[KF, Subscription[K]]
	Node string
	Keys ForeignKeys[K, KF]
	// ForeignKey names the right row of a left one; a null names none.
	ForeignKey func(k K, v V) (KF, error)
	Value      serde.Serde[V]
	Left       bool // a left join
	// Versioned: the left table is a versioned one, and changes that are not its latest are left out.
	Versioned bool

	null     func(*KF) bool
	hash     hasher[V]
	topic    string // the pseudo topic of foreign keys
	from, to []byte // foreign keys to be compared
	out      processor.Record[KF, Subscription[K]]
}

// Init implements processor.Instance.
func (n *SubscriptionSend[K, V, KF]) Init(t processor.Task) error {
	n.null = processor.NullTest[KF]()
	n.hash = newHasher(t, n.Keys.Registration, n.Value)
	n.topic = t.TopicName(n.Keys.Registration) + foreignSuffix
	return n.Output.Init(t)
}

// foreign is a foreign key, or none.
type foreign[KF any] struct {
	key KF
	has bool
}

func (n *SubscriptionSend[K, V, KF]) foreignKey(k K, v V, null bool) (f foreign[KF], err error) {
	if null {
		return f, nil
	}
	f.key, err = n.ForeignKey(k, v)
	f.has = err == nil && !n.null(&f.key)
	return f, err
}

// moved says whether a row that has an old foreign key has another one now.
func (n *SubscriptionSend[K, V, KF]) moved(from, to foreign[KF]) (_ bool, err error) {
	if !to.has {
		return true, nil
	}
	if n.from, err = n.Keys.Foreign.Append(n.from[:0], n.topic, from.key); err != nil {
		return false, err
	}
	n.to, err = n.Keys.Foreign.Append(n.to[:0], n.topic, to.key)
	return !bytes.Equal(n.from, n.to), err
}

// Process implements processor.Processor.
func (n *SubscriptionSend[K, V, KF]) Process(r *processor.Record[K, processor.Change[V]]) (err error) {
	c := &r.Value
	if n.Versioned && c.Stale {
		n.Task().Drop(n.Node, "out-of-order update of a versioned table")
		return nil
	}
	if c.NullOld && c.NullNew {
		return nil
	}
	from, err := n.foreignKey(r.Key, c.Old, c.NullOld)
	if err != nil {
		return err
	}
	to, err := n.foreignKey(r.Key, c.New, c.NullNew)
	if err != nil {
		return err
	}
	n.out = processor.Record[KF, Subscription[K]]{Timestamp: r.Timestamp, Headers: r.Headers}
	n.out.Value = Subscription[K]{Version: 1, Key: r.Key, Partition: n.Task().Context().Partition}
	if !c.NullNew && (n.Left || from.has || to.has) {
		if n.out.Value.Of, err = n.hash.of(c.New); err != nil {
			return err
		}
	}
	if n.Left {
		return n.left(from, to)
	}
	return n.inner(from, to, !c.NullNew)
}

// left subscribes to the new foreign key in any case, so that there is always an answer: also to none, as which a deletion counts.
func (n *SubscriptionSend[K, V, KF]) left(from, to foreign[KF]) error {
	if from.has {
		moved, err := n.moved(from, to)
		if err != nil {
			return err
		}
		if moved {
			if err := n.send(from, DeleteNoAnswer); err != nil {
				return err
			}
		}
	}
	return n.send(to, AnswerAlways)
}

// inner subscribes to the new foreign key, and asks for a null only where there may be a result to be taken back.
func (n *SubscriptionSend[K, V, KF]) inner(from, to foreign[KF], there bool) error {
	if there && !to.has {
		n.Task().Drop(n.Node, "null foreign key")
	}
	switch {
	case !to.has && from.has:
		return n.send(from, DeleteAnswer)
	case !to.has:
		return nil
	case !from.has:
		return n.send(to, AnswerIfThere)
	}
	moved, err := n.moved(from, to)
	if err != nil {
		return err
	}
	if !moved {
		return n.send(to, AnswerIfThere)
	}
	if err := n.send(from, DeleteNoAnswer); err != nil {
		return err
	}
	return n.send(to, AnswerAlways)
}

func (n *SubscriptionSend[K, V, KF]) send(to foreign[KF], i Instruction) error {
	n.out.Key, n.out.NullKey, n.out.Value.Instruction = to.key, !to.has, i
	return n.Forward(&n.out)
}

// ResponseJoin joins an answer with the left row that asked for it, if it is still the same: ResponseJoinProcessorSupplier.
type ResponseJoin[K, V, VF, R any] struct {
	processor.Output[K, R]
	Node         string
	Registration string // the registration topic, without the application's prefix
	Table        Viewer[K, V]
	Value        serde.Serde[V]
	Join         Joiner[K, V, VF, R]
	Left         bool // a left join

	table View[K, V]
	hash  hasher[V]
	null  func(*R) bool
	out   processor.Record[K, R]
}

// Init implements processor.Instance.
func (n *ResponseJoin[K, V, VF, R]) Init(t processor.Task) (err error) {
	n.null = processor.NullTest[R]()
	n.hash = newHasher(t, n.Registration, n.Value)
	if n.table, err = n.Table.Open(t); err != nil {
		return err
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *ResponseJoin[K, V, VF, R]) Process(r *processor.Record[K, Response[VF]]) error {
	row, err := n.table.Get(r.Key)
	if err != nil {
		return err
	}
	var now Fingerprint
	if row.Has {
		if now, err = n.hash.of(row.Value); err != nil {
			return err
		}
	}
	if now != r.Value.To {
		n.Task().Drop(n.Node, "answer to an older value")
		return nil
	}
	n.out = processor.Record[K, R]{Key: r.Key, NullKey: r.NullKey, NullValue: true, Timestamp: r.Timestamp, Headers: r.Headers}
	if !r.Value.NullValue || n.Left && row.Has {
		if n.out.Value, err = n.Join(r.Key, row.Value, row.Has, r.Value.Value, !r.Value.NullValue); err != nil {
			return err
		}
		n.out.NullValue = n.null(&n.out.Value)
	}
	return n.Forward(&n.out)
}
