package scenarios

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// WindowedCounts expects a topic's final table to be the count of the workload's records per key and tumbling window, recomputed from
// the workload itself by the window rule: a record counts if the end of its window is later than the stream time of its partition, the
// record included, less the grace period.
type WindowedCounts struct {
	Topic, Input string
	Size, Grace  time.Duration
}

// Name implements Expectation.
func (e WindowedCounts) Name() string { return "windowed-counts " + e.Topic }

// window is a key's window.
type window struct {
	key   string
	start int64
}

// recount applies the window rule to a workload. It knows nothing of the engine.
func (r *Run) recount(topic string, size, grace int64) (counts map[window]int64, drops int64, err error) {
	t, ok := r.Scenario.topic(topic)
	if !ok || size <= 0 {
		return nil, 0, &UsageError{fmt.Sprintf("recount: topic %q with windows of %d ms: a topic of this scenario and a size are needed", topic, size)}
	}
	counts = map[window]int64{}
	streamTime := map[int32]int64{}
	for _, w := range r.Scenario.Workload {
		if w.Topic != topic {
			continue
		}
		for i := range w.Records {
			e := &w.Records[i]
			p := t.partition(e, i)
			now, seen := streamTime[p]
			if !seen || e.Record.Timestamp > now {
				now = e.Record.Timestamp
				streamTime[p] = now
			}
			start := e.Record.Timestamp - e.Record.Timestamp%size
			if start+size > now-grace {
				counts[window{string(e.Record.Key), start}]++
			} else {
				drops++
			}
		}
	}
	return counts, drops, nil
}

func (e WindowedCounts) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	want, _, err := r.recount(e.Input, e.Size.Milliseconds(), e.Grace.Milliseconds())
	if err != nil {
		return *f, err
	}
	t, err := r.Table(ctx, e.Topic)
	if err != nil {
		return *f, err
	}
	spec, _ := r.Scenario.topic(e.Topic)
	have := map[window]int64{}
	var sum int64
	for _, row := range t.Rows {
		inner, start, ok := windowStart(row.key)
		n, err := number(spec, row.value)
		if !ok || err != nil {
			return *f, fmt.Errorf("topic %s, key %s: %w", e.Topic, row.Key, err)
		}
		have[window{string(inner), start}] = n
		sum += n
	}
	for _, w := range sortedWindows(want) {
		switch n, ok := have[w]; {
		case !ok:
			f.problem("%s: expected %d, found nothing", e.text(w), want[w])
		case n != want[w]:
			f.problem("%s: expected %d, found %d", e.text(w), want[w], n)
		}
	}
	for _, w := range sortedWindows(have) {
		if _, ok := want[w]; !ok {
			f.problem("%s: expected nothing, found %d", e.text(w), have[w])
		}
	}
	f.Figures = fmt.Sprintf("%d keys and windows, %d records counted, of %d written", len(have), sum, r.sent)
	return *f, nil
}

func (e WindowedCounts) text(w window) string {
	return fmt.Sprintf("key %q window [%s, %s)", w.key, utc(w.start), utc(w.start+e.Size.Milliseconds()))
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }

func sortedWindows(m map[window]int64) []window {
	return slices.SortedFunc(maps.Keys(m), func(a, b window) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.start, b.start)) })
}

// LateDrops expects the number of records that an application's windows have dropped as too late, over its whole life and through all
// crashes, to be what the window rule gives.
type LateDrops struct {
	App, Input  string
	Size, Grace time.Duration
}

// Name implements Expectation.
func (e LateDrops) Name() string { return "late-drops " + e.App }

func (e LateDrops) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	app, ok := r.Scenario.app(e.App)
	if !ok {
		return *f, &UsageError{fmt.Sprintf("no application %q in this scenario", e.App)}
	}
	_, want, err := r.recount(e.Input, e.Size.Milliseconds(), e.Grace.Milliseconds())
	if err != nil {
		return *f, err
	}
	offsets, err := r.admin.CommittedOffsets(ctx, app.ID())
	if err != nil {
		return *f, err
	}
	drops, err := app.Topology.CommittedDrops(app.ID(), offsets)
	if err != nil {
		return *f, err
	}
	var have int64
	for _, n := range drops {
		have += n
	}
	if have != want {
		f.problem("expected %d records dropped as late, found %d", want, have)
	}
	f.Figures = fmt.Sprintf("%d of %d records dropped as late", have, r.sent)
	return *f, nil
}

// Rows expects single rows of a topic's final table.
type Rows struct {
	Topic string
	Rows  []WantRow
}

// WantRow is one row: the key and value as JSON, as an export shows them.
type WantRow struct{ Key, Value any }

// Name implements Expectation.
func (e Rows) Name() string { return "rows " + e.Topic }

func (e Rows) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	t, err := r.Table(ctx, e.Topic)
	if err != nil {
		return *f, err
	}
	for _, w := range e.Rows {
		key, err := json.Marshal(w.Key)
		if err != nil {
			return *f, err
		}
		want, err := json.Marshal(w.Value)
		if err != nil {
			return *f, err
		}
		i := slices.IndexFunc(t.Rows, func(row Row) bool { return sameJSON(row.Key, key) })
		switch {
		case i < 0:
			f.problem("%s: expected %s, found nothing", describeKey(key), want)
		case !sameJSON(t.Rows[i].Value, want):
			f.problem("%s: expected %s, found %s", describeKey(key), want, t.Rows[i].Value)
		}
	}
	f.Figures = fmt.Sprintf("%d of %d rows looked at", len(e.Rows), len(t.Rows))
	return *f, nil
}

// describeKey shows a key as a person reads it: that of a window with its window.
func describeKey(key []byte) string {
	var w struct {
		Key        any
		Start, End *int64
	}
	if json.Unmarshal(key, &w) == nil && w.Start != nil && w.End != nil {
		return fmt.Sprintf("key %q window [%s, %s)", fmt.Sprint(w.Key), utc(*w.Start), utc(*w.End))
	}
	return "key " + string(key)
}

func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return bytes.Equal(a, b)
	}
	xb, _ := json.Marshal(x) // what was read can be written
	yb, _ := json.Marshal(y)
	return bytes.Equal(xb, yb)
}

// number reads a whole number out of a value, by the topic's serde or as a long.
func number(t Topic, b []byte) (int64, error) {
	if t.Value == nil {
		return serde.Long().Decode(t.Name, b)
	}
	v, err := t.Value.Decode(t.Name, b)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("a whole number is expected, not %v", v)
	}
	return n, nil
}

func (r *Run) keyText(t Topic, key []byte) string {
	b, err := show(t.Key, t.Name, key)
	if err != nil {
		return fmt.Sprintf("0x%x", key)
	}
	return describeKey(b)
}

// text shows a value, or its bytes where it cannot be read.
func (r *Run) text(s serde.Serde[any], topic string, value []byte) string {
	b, err := show(s, topic, value)
	if err != nil {
		return fmt.Sprintf("0x%x", value)
	}
	return string(b)
}

func rowMap(rows [][2][]byte) map[string]string {
	m := map[string]string{}
	for _, r := range rows {
		m[string(r[0])] = string(r[1])
	}
	return m
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
