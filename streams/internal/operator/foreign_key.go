package operator

import (
	"encoding/binary"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Serdes are given pseudo topics for what a foreign-key join writes elsewhere than in a topic's key or value: the name of the
// registration topic with one of these behind it.
const (
	primarySuffix = "-pk"
	foreignSuffix = "-fk"
	hashSuffix    = "-vh"
)

// ForeignKeys are the keys of both sides of a foreign-key join.
type ForeignKeys[K, KF any] struct {
	Registration string // the registration topic, without the application's prefix
	Store        string // of the subscriptions
	Primary      serde.Serde[K]
	Foreign      serde.Serde[KF]
}

// combinedKeys is the subscription store of one node: CombinedKeySchema over it. A key is 4 bytes of the foreign key's length, the foreign
// key, the primary key; a value 8 bytes of timestamp and a subscription.
type combinedKeys[K, KF any] struct {
	ForeignKeys[K, KF]
	topic                string // the registration topic on the cluster
	primaryOf, foreignOf string // pseudo topics
	subscriptions        serde.Serde[Subscription[K]]
	store                *state.Handle
	buf                  []byte
}

func openCombined[K, KF any](t processor.Task, keys ForeignKeys[K, KF]) combinedKeys[K, KF] {
	topic := t.TopicName(keys.Registration)
	return combinedKeys[K, KF]{ForeignKeys: keys, topic: topic, primaryOf: topic + primarySuffix, foreignOf: topic + foreignSuffix,
		subscriptions: SubscriptionSerde(keys.Primary), store: t.Store(keys.Store)}
}

// prefix is what the keys of all subscriptions to a foreign key begin with. It is good until the next call.
func (c *combinedKeys[K, KF]) prefix(k KF) (err error) {
	c.buf = append(c.buf[:0], 0, 0, 0, 0)
	c.buf, err = c.Foreign.Append(c.buf, c.foreignOf, k)
	binary.BigEndian.PutUint32(c.buf, uint32(len(c.buf)-4))
	return err
}

// put keeps a subscription, or forgets it.
func (c *combinedKeys[K, KF]) put(k KF, s *Subscription[K], ts int64) (err error) {
	if err = c.prefix(k); err != nil {
		return err
	}
	if c.buf, err = c.Primary.Append(c.buf, c.primaryOf, s.Key); err != nil {
		return err
	}
	var value []byte
	if s.Instruction == AnswerAlways || s.Instruction == AnswerIfThere {
		value = binary.BigEndian.AppendUint64(make([]byte, 0, 64), uint64(ts))
		if value, err = c.subscriptions.Append(value, c.topic, *s); err != nil {
			return err
		}
	}
	return c.store.Top.Put(c.buf, value)
}

// each calls f for all subscriptions to a foreign key, in order of their primary keys' bytes.
func (c *combinedKeys[K, KF]) each(k KF, f func(s *Subscription[K]) error) error {
	if err := c.prefix(k); err != nil {
		return err
	}
	from := slices.Clone(c.buf)
	it := c.store.Top.Scan(state.AllTime(state.Span{From: from, To: state.PrefixEnd(from)}))
	for it.Next() {
		s, err := c.subscriptions.Decode(c.topic, it.Value()[8:])
		if err == nil {
			err = f(&s)
		}
		if err != nil {
			it.Close()
			return err
		}
	}
	if err := it.Err(); err != nil {
		it.Close()
		return err
	}
	return it.Close()
}

// hasher hashes the values of left rows.
type hasher[V any] struct {
	value serde.Serde[V]
	topic string
	buf   []byte
}

func newHasher[V any](t processor.Task, registration string, value serde.Serde[V]) hasher[V] {
	return hasher[V]{value: value, topic: t.TopicName(registration) + hashSuffix}
}

func (h *hasher[V]) of(v V) (f Fingerprint, err error) {
	if h.buf, err = h.value.Append(h.buf[:0], h.topic, v); err != nil {
		return f, err
	}
	f.Has = true
	f.H1, f.H2 = murmur128(h.buf)
	return f, nil
}
