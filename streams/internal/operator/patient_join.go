package operator

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// PatientJoin is a stream-table join that holds records back for a grace period, so that they find the table as it was at their time:
// KStreamKTableJoin over Kafka's RocksDBTimeOrderedKeyValueBuffer, with its format: a zero byte, 8 of time, the key, 4 of number to the
// value with its record context. The node's own time is committed with its task.
type PatientJoin[K, V, KT, VT, R any] struct {
	StreamTableJoin[K, V, KT, VT, R]
	Store string
	Key   serde.Serde[K]
	Value serde.Serde[V]
	Grace int64 // ms

	held  *state.Handle
	topic string
	time  *int64
	seq   *int64
	ctx   *processor.RecordContext
}

// Init implements processor.Instance.
func (n *PatientJoin[K, V, KT, VT, R]) Init(t processor.Task) error {
	n.held, n.topic, n.ctx = t.Store(n.Store), t.Changelog(n.Store), t.Context()
	n.time, n.seq = t.Metadata(TimeKey+n.Node, -1), t.Metadata(sequenceKey+n.Store, 0)
	return n.StreamTableJoin.Init(t)
}

// NullKeyError is a null key where a store needs one.
type NullKeyError struct{}

func (e *NullKeyError) Error() string { return "key cannot be null" }

// Class is Kafka's name of the error kind.
func (e *NullKeyError) Class() string { return "java.lang.NullPointerException" }

// Process implements processor.Processor. A record that is later than the grace period is joined at once; one without a key, which a left join
// takes otherwise, cannot be held.
func (n *PatientJoin[K, V, KT, VT, R]) Process(r *processor.Record[K, V]) error {
	k, null, err := n.LookUp(r)
	if err != nil {
		return err
	}
	if n.drops(r, null) {
		return nil
	}
	if null {
		return &NullKeyError{}
	}
	if r.Timestamp < *n.time-n.Grace {
		return n.join(r, k, null)
	}
	*n.time = max(*n.time, r.Timestamp)
	if err := n.hold(r); err != nil {
		return err
	}
	return n.letGo()
}

func (n *PatientJoin[K, V, KT, VT, R]) hold(r *processor.Record[K, V]) error {
	*n.seq = (*n.seq + 1) & 0x7fffffff
	key, err := n.Key.Append(binary.BigEndian.AppendUint64([]byte{0}, uint64(r.Timestamp)), n.topic, r.Key)
	if err != nil {
		return err
	}
	value, err := n.Value.Append([]byte{}, n.topic, r.Value)
	if err != nil {
		return err
	}
	ctx := *n.ctx
	ctx.Timestamp, ctx.Headers = r.Timestamp, r.Headers
	return n.held.Top.Put(binary.BigEndian.AppendUint32(key, uint32(*n.seq)), state.EncodeHeld(value, ctx))
}

// letGo joins what has waited long enough, in order of time, each in its own record context.
func (n *PatientJoin[K, V, KT, VT, R]) letGo() error {
	until := *n.time - n.Grace
	if until < 0 {
		return nil
	}
	it := n.held.Top.Scan(state.Span{To: binary.BigEndian.AppendUint64([]byte{0}, uint64(until)+1)})
	defer it.Close()
	for it.Next() {
		key := slices.Clone(it.Key())
		if err := n.joinHeld(key, it.Value()); err != nil {
			return err
		}
		if err := n.held.Top.Put(key, nil); err != nil {
			return err
		}
	}
	return it.Err()
}

func (n *PatientJoin[K, V, KT, VT, R]) joinHeld(key, value []byte) error {
	if len(key) < 13 {
		return fmt.Errorf("streams: a key of store %s has %d bytes, 13 or more are expected", n.Store, len(key))
	}
	raw, ctx, err := state.DecodeHeld(value)
	if err != nil {
		return err
	}
	r := processor.Record[K, V]{Timestamp: ctx.Timestamp, Headers: ctx.Headers}
	if r.Key, err = n.Key.Decode(n.topic, key[9:len(key)-4]); err != nil {
		return err
	}
	if r.Value, err = n.Value.Decode(n.topic, raw); err != nil {
		return err
	}
	saved := *n.ctx
	*n.ctx = ctx
	defer func() { *n.ctx = saved }()
	k, null, err := n.LookUp(&r)
	if err != nil {
		return err
	}
	return n.join(&r, k, null)
}
