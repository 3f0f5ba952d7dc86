package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// Compare says how closely two logs of a topic must agree.
type Compare string

// The ways.
const (
	// LastByKey: the final tables are equal.
	LastByKey Compare = "last"
	// AsMultiset: each partition has the same records, in any order.
	AsMultiset Compare = "multiset"
	// Exactly: each partition has the same records, in order: keys, values, timestamps and headers.
	Exactly Compare = "exact"
)

// SameWithoutFaults expects of a topic what the same scenario leaves there when nothing goes wrong: it is run without faults first, in the
// simulator. What is compared is what a committed reader sees.
type SameWithoutFaults struct {
	Topic string
	// Compare is how closely; default LastByKey.
	Compare Compare
}

// Name implements Expectation.
func (e SameWithoutFaults) Name() string { return "same-without-faults " + e.Topic }

func (e SameWithoutFaults) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	if _, ok := r.Scenario.topic(e.Topic); !ok {
		return *f, &UsageError{fmt.Sprintf("no topic %q in this scenario", e.Topic)}
	}
	have, err := r.Log(ctx, e.Topic)
	if err != nil {
		return *f, err
	}
	want := r.undisturbed[e.Topic]
	switch e.Compare {
	case LastByKey, "":
		rows := e.compareTables(f, r, want, have)
		f.Figures = fmt.Sprintf("%d keys of %d records", rows, count(have))
	case AsMultiset:
		e.compareSets(f, r, want, have)
		f.Figures = fmt.Sprintf("%d records", count(have))
	case Exactly:
		e.compareLogs(f, r, want, have)
		f.Figures = fmt.Sprintf("%d records, in order", count(have))
	default:
		return *f, &UsageError{fmt.Sprintf("compare %q: it is one of %s, %s, %s", e.Compare, LastByKey, AsMultiset, Exactly)}
	}
	return *f, nil
}

func count(logs []partitionLog) (n int) {
	for _, l := range logs {
		n += len(l.records)
	}
	return n
}

func (e SameWithoutFaults) compareTables(f *Finding, r *Run, want, have []partitionLog) int {
	spec, _ := r.Scenario.topic(e.Topic)
	a, b := lastByKey(want), lastByKey(have)
	text := func(v []byte) string { return r.text(spec.Value, e.Topic, v) }
	for _, k := range slices.Sorted(maps.Keys(a)) {
		switch v, ok := b[k]; {
		case !ok:
			f.problem("key %s: expected %s, found nothing", r.keyText(spec, []byte(k)), text(a[k]))
		case !bytes.Equal(v, a[k]):
			f.problem("key %s: expected %s, found %s", r.keyText(spec, []byte(k)), text(a[k]), text(v))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[k]; !ok {
			f.problem("key %s: expected nothing, found %s", r.keyText(spec, []byte(k)), text(b[k]))
		}
	}
	return len(a)
}

// lastByKey is the final table of a topic.
func lastByKey(logs []partitionLog) map[string][]byte {
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
	return last
}

// compareSets counts each key and value of a partition on both sides.
func (e SameWithoutFaults) compareSets(f *Finding, r *Run, want, have []partitionLog) {
	spec, _ := r.Scenario.topic(e.Topic)
	for p := range max(len(want), len(have)) {
		more := map[string]int{}
		records := map[string]*broker.Record{}
		tally := func(logs []partitionLog, by int) {
			if p >= len(logs) {
				return
			}
			for i := range logs[p].records {
				rec := &logs[p].records[i]
				id := fmt.Sprintf("%x %x %t", rec.Key, rec.Value, rec.Value == nil)
				more[id] += by
				records[id] = rec
			}
		}
		tally(want, -1)
		tally(have, 1)
		for _, id := range slices.Sorted(maps.Keys(more)) {
			rec := records[id]
			switch n := more[id]; {
			case n > 0:
				f.problem("partition %d: %d more than expected of key %s, value %s", p, n, r.keyText(spec, rec.Key), r.text(spec.Value, e.Topic, rec.Value))
			case n < 0:
				f.problem("partition %d: %d fewer than expected of key %s, value %s", p, -n, r.keyText(spec, rec.Key), r.text(spec.Value, e.Topic, rec.Value))
			}
		}
	}
}

// compareLogs finds the first record of each partition that is another one.
func (e SameWithoutFaults) compareLogs(f *Finding, r *Run, want, have []partitionLog) {
	for p := range max(len(want), len(have)) {
		var a, b []broker.Record
		if p < len(want) {
			a = want[p].records
		}
		if p < len(have) {
			b = have[p].records
		}
		n := 0
		for n < min(len(a), len(b)) && sameRecord(&a[n], &b[n]) {
			n++
		}
		if n < len(a) || n < len(b) {
			f.problem("partition %d, record %d of %d (expected %d): expected %s, found %s", p, n+1, len(b), len(a), r.recordText(e.Topic, a, n), r.recordText(e.Topic, b, n))
		}
	}
}

func sameRecord(a, b *broker.Record) bool {
	return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value) && (a.Value == nil) == (b.Value == nil) && (a.Key == nil) == (b.Key == nil) &&
		a.Timestamp == b.Timestamp && slices.EqualFunc(a.Headers, b.Headers, func(x, y broker.Header) bool { return x.Key == y.Key && bytes.Equal(x.Value, y.Value) })
}

func (r *Run) recordText(topic string, list []broker.Record, n int) string {
	if n >= len(list) {
		return "the end"
	}
	spec, _ := r.Scenario.topic(topic)
	rec := &list[n]
	return fmt.Sprintf("key %s, value %s, time %d", r.keyText(spec, rec.Key), r.text(spec.Value, topic, rec.Value), rec.Timestamp)
}

// capture keeps the logs of topics as they are at the end of a run.
type capture struct {
	topics []string
	into   map[string][]partitionLog
}

func (capture) Name() string { return "capture" }

func (c capture) check(ctx context.Context, r *Run) (Finding, error) {
	for _, t := range c.topics {
		logs, err := r.Log(ctx, t)
		if err != nil {
			return Finding{}, err
		}
		c.into[t] = logs
	}
	return *finding(c), nil
}

// runUndisturbed runs a scenario without its faults where an expectation asks for that, and returns the logs of the topics that are compared.
func runUndisturbed(s *Scenario, o Options, seed uint64) (map[string][]partitionLog, error) {
	c := capture{into: map[string][]partitionLog{}}
	expect := []Expectation{}
	for _, e := range s.Expect {
		switch e := e.(type) {
		case SameWithoutFaults:
			c.topics = append(c.topics, e.Topic)
		case CaughtUp: // says how long that may take
			expect = append(expect, e)
		}
	}
	if len(c.topics) == 0 {
		return nil, nil
	}
	calm := *s
	calm.Faults = nil
	calm.Expect = append(expect, c)
	res, err := once(&calm, Options{On: Simulated, Log: o.Log, Progress: o.Progress}, seed, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("the run without faults: %w", err)
	}
	for _, f := range res.findings {
		if !f.Pass {
			return nil, fmt.Errorf("the run without faults does not hold: %s: %v", f.Name, f.Problems)
		}
	}
	return c.into, nil
}
