package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// bench is the topology with its topics.
type bench struct {
	*streamstest.Driver
	t   *testing.T
	in  *streamstest.InputTopic[string, Transaction]
	out *streamstest.OutputTopic[string, Alert]
}

func newBench(t *testing.T) bench {
	t.Helper()
	topology, err := fraudDetection()
	if err != nil {
		t.Fatal(err)
	}
	d, err := streamstest.Open(topology, streamstest.Options{Start: start})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return bench{d, t, streamstest.Input(d, "transactions", serde.String(), serde.JSON[Transaction]()),
		streamstest.Output(d, "alerts", serde.String(), serde.JSON[Alert]())}
}

// pay makes a transaction of ada's, and returns the rules that it breaks.
func (b bench) pay(after time.Duration, amount float64, place string) (rules []string) {
	b.t.Helper()
	at := start.Add(after).UnixMilli()
	b.in.Pipe(b.t, "ada", Transaction{"ada", amount, place, at}, at)
	for _, e := range b.out.ReadAll(b.t) {
		rules = append(rules, e.Value.Rule)
	}
	return rules
}

func TestRules(t *testing.T) {
	b := newBench(t)
	want := func(got []string, rules ...string) {
		t.Helper()
		if diff := cmp.Diff(rules, got); diff != "" {
			t.Error(diff)
		}
	}
	want(b.pay(0, 10, "Berlin"))
	want(b.pay(10*time.Minute, 20, "Berlin"))
	want(b.pay(20*time.Minute, 46, "Berlin"), "HIGH_AMOUNT") // the average is 15
	want(b.pay(30*time.Minute, 1, "Rome"), "GEO_ANOMALY")
	want(b.pay(40*time.Minute, 1000, "Berlin"), "HIGH_AMOUNT", "GEO_ANOMALY")
}

func TestVelocity(t *testing.T) {
	b := newBench(t)
	for n := range 10 {
		if got := b.pay(time.Duration(n)*10*time.Minute, 10, "Berlin"); got != nil {
			t.Fatal(n, got)
		}
	}
	// one in ten minutes is usual: in five minutes more than 2.5 are not
	at := func(second int) []string {
		return b.pay(100*time.Minute+time.Duration(second)*time.Second, 10, "Berlin")
	}
	if got := append(at(0), at(1)...); got != nil {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"HIGH_VELOCITY"}, at(2)); diff != "" {
		t.Error(diff)
	}
}

// TestForget moves the clock: transactions of more than an hour ago leave the window store, and the summary stays.
func TestForget(t *testing.T) {
	b := newBench(t)
	b.pay(0, 10, "Berlin")
	b.pay(50*time.Minute, 10, "Berlin")
	rows := func(store string) int {
		stores, err := b.Stores()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if s.Name == store {
				return len(s.Rows)
			}
		}
		t.Fatalf("no store %s", store)
		return 0
	}
	if n := rows(recentStore); n != 2 {
		t.Fatalf("%d recent transactions, want 2", n)
	}
	if err := b.Advance(65 * time.Minute); err != nil {
		t.Fatal(err)
	}
	if n, m := rows(recentStore), rows(summaryStore); n != 1 || m != 1 {
		t.Errorf("%d recent transactions and %d summaries, want 1 and 1", n, m)
	}
}

func TestWhatIsNoTransactionIsLeftOut(t *testing.T) {
	b := newBench(t)
	if err := b.in.Try(streamstest.Event[string, Transaction]{Key: "ada", NullValue: true}); err != nil {
		t.Error(err)
	}
	b.in.Pipe(t, "ada", Transaction{}, 0)
	if !b.out.Empty() {
		t.Error("an alert about nothing")
	}
}
