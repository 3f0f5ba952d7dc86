package scenarios

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// partitionLog is what a committed reader sees of one partition.
type partitionLog struct {
	tp      broker.TopicPartition
	records []broker.Record
}

// Log reads a topic from the beginning to its end as a committed reader, partition by partition.
func (r *Run) Log(ctx context.Context, topic string) ([]partitionLog, error) {
	if l, ok := r.logs[topic]; ok {
		return l, nil
	}
	tps, err := r.partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends, err := r.admin.EndOffsets(ctx, broker.ReadCommitted, tps...)
	if err != nil {
		return nil, err
	}
	c, err := r.place.cluster().NewConsumer(ctx, broker.ConsumerConfig{ClientID: "lab-reader", Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	logs := make([]partitionLog, len(tps))
	want, left := map[broker.TopicPartition]int64{}, 0
	for i, tp := range tps {
		logs[i].tp = tp
		if ends[tp] > 0 {
			want[tp] = 0
			left++
		}
	}
	starts, err := r.admin.EarliestOffsets(ctx, tps...)
	if err != nil {
		return nil, err
	}
	for tp := range want {
		want[tp] = starts[tp]
		if starts[tp] >= ends[tp] {
			left--
			delete(want, tp)
		}
	}
	if err := c.Assign(ctx, want); err != nil {
		return nil, err
	}
	for left > 0 {
		batches, err := c.Poll(ctx, 10_000, 30*time.Second)
		if err != nil {
			return nil, err
		}
		if len(batches) == 0 {
			return nil, fmt.Errorf("topic %s: nothing came for 30 s, and its end was not reached", topic)
		}
		for _, b := range batches {
			l := &logs[b.Partition]
			before := want[b.TopicPartition]
			l.records = append(l.records, b.Records...)
			want[b.TopicPartition] = b.Next
			if before < ends[b.TopicPartition] && b.Next >= ends[b.TopicPartition] {
				left--
			}
		}
	}
	r.logs[topic] = logs
	return logs, nil
}

// Table is the last value of each key of a topic.
type Table struct {
	Topic string
	Rows  []Row // sorted by key
}

// Row is one row of a table, as bytes and as it is shown.
type Row struct {
	key, value []byte
	Key        json.RawMessage
	Value      json.RawMessage
}

// Table reads a topic's final table.
func (r *Run) Table(ctx context.Context, topic string) (*Table, error) {
	if t, ok := r.tables[topic]; ok {
		return t, nil
	}
	logs, err := r.Log(ctx, topic)
	if err != nil {
		return nil, err
	}
	last := map[string][]byte{}
	for _, l := range logs {
		for _, rec := range l.records {
			if rec.Value == nil {
				delete(last, string(rec.Key))
			} else {
				last[string(rec.Key)] = rec.Value
			}
		}
	}
	spec, _ := r.Scenario.topic(topic)
	t := &Table{Topic: topic}
	for _, k := range slices.Sorted(maps.Keys(last)) {
		row := Row{key: []byte(k), value: last[k]}
		if row.Key, err = show(spec.Key, topic, row.key); err != nil {
			return nil, fmt.Errorf("topic %s: key %x: %w", topic, k, err)
		}
		if row.Value, err = show(spec.Value, topic, row.value); err != nil {
			return nil, fmt.Errorf("topic %s: value of key %s: %w", topic, row.Key, err)
		}
		t.Rows = append(t.Rows, row)
	}
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		if _, ok := spec.Key.(windowedKey); ok && len(a.key) >= 8 && len(b.key) >= 8 {
			n, m := len(a.key)-8, len(b.key)-8
			return cmp.Or(bytes.Compare(a.key[:n], b.key[:m]), bytes.Compare(a.key[n:], b.key[m:]))
		}
		return bytes.Compare(a.key, b.key)
	})
	r.tables[topic] = t
	return t, nil
}

// windowedKey is a serde whose keys carry a window.
type windowedKey interface {
	serde.InnerAppender[any]
}

// show decodes bytes for people and machines.
func show(s serde.Serde[any], topic string, b []byte) (json.RawMessage, error) {
	if b == nil {
		return json.RawMessage("null"), nil
	}
	if s == nil {
		if utf8.Valid(b) {
			return json.Marshal(string(b))
		}
		return json.Marshal(fmt.Sprintf("0x%x", b))
	}
	v, err := s.Decode(topic, b)
	if err != nil {
		return nil, err
	}
	if w, ok := v.(serde.Windowed[any]); ok {
		v = struct {
			Key   any   `json:"key"`
			Start int64 `json:"start"`
			End   int64 `json:"end"`
		}{w.Key, w.Window.Start, w.Window.End}
	}
	return json.Marshal(v)
}

// WriteJSON writes the table, one object a line.
func (t *Table) WriteJSON(w io.Writer) error {
	for _, row := range t.Rows {
		if _, err := fmt.Fprintf(w, "{\"key\": %s, \"value\": %s}\n", spaced(row.Key), spaced(row.Value)); err != nil {
			return err
		}
	}
	return nil
}

// spaced puts a space behind the colons and commas of compact JSON, outside of text.
func spaced(b []byte) []byte {
	var out []byte
	quoted, escaped := false, false
	for _, c := range b {
		if c == '"' && !escaped {
			quoted = !quoted
		}
		escaped = c == '\\' && !escaped
		out = append(out, c)
		if !quoted && (c == ':' || c == ',') {
			out = append(out, ' ')
		}
	}
	return out
}

// windowStart splits a time-windowed key's bytes.
func windowStart(key []byte) (inner []byte, start int64, ok bool) {
	if len(key) < 8 {
		return nil, 0, false
	}
	n := len(key) - 8
	return key[:n], int64(binary.BigEndian.Uint64(key[n:])), true
}
