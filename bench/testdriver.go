package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	gojson "github.com/goccy/go-json"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// driven are how many records each workload is measured over, after a fifth as many (20,000 at most) to warm up. Both drivers keep their stores in
// memory, and commit after each record. W2 is with encoding/json, which is what serde.JSON uses, and with goccy/go-json; the other side uses Jackson.
var driven = []struct {
	workload string
	records  int
}{{"W1", 100_000}, {"W2", 100_000}, {"W2 go-json", 100_000}, {"W3", 5_000}, {"W4", 40_000}, {"W5", 50_000}, {"W6", 10_000}}

// testDriver is the Go side of a comparison: WORKLOAD RECORDS, or first. BENCH_PROFILE names a file for a CPU profile.
func testDriver(a []string) {
	if a[0] == "first" {
		firstAssertion()
		return
	}
	n, err := strconv.Atoi(a[1])
	check(err)
	w := a[0]
	top, err := driverTopology(w)
	check(err)
	d, err := streamstest.Open(top, streamstest.Options{Properties: map[string]string{"statestore.cache.max.bytes": "0"}})
	check(err)
	defer d.Close()
	pipe := func(topic string, key, value []byte, ts int64) {
		check(d.Pipe(streamstest.Record{Topic: topic, Record: broker.Record{Key: key, Value: value, Timestamp: ts}}))
	}
	warm := min(n/5, 20_000)
	keys, topics, make := 10_000, []string{"in"}, value
	switch w {
	case "W3":
		topics, make = []string{"lines"}, line
	case "W5":
		for i := range 100_000 {
			pipe("table", fmt.Appendf(nil, "k%06d", i), value(i), 0)
		}
	case "W6":
		topics, keys = []string{"left", "right"}, 1<<31-1
	}
	var ks, vs [][]byte // made before the clock starts
	for j := range warm + n {
		ks, vs = append(ks, key(j, keys)), append(vs, make(j))
	}
	var from time.Time
	stop := func() {}
	for j := range warm + n {
		if j == warm {
			stop, from = profile(), time.Now()
		}
		for _, t := range topics {
			pipe(t, ks[j], vs[j], int64(j))
		}
	}
	event("elapsed_us", time.Since(from).Microseconds())
	stop()
	event("done", int64(n))
}

// firstAssertion counts one line and looks at the result.
func firstAssertion() {
	top, err := driverTopology("W3")
	check(err)
	d, err := streamstest.Open(top, streamstest.Options{})
	check(err)
	defer d.Close()
	check(d.Pipe(streamstest.Record{Topic: "lines", Record: broker.Record{Key: key(0, 10_000), Value: line(0)}}))
	e, ok, err := streamstest.Output(d, "out", serde.String(), serde.Long()).Next()
	check(err)
	if !ok || e.Value != 1 {
		check(fmt.Errorf("the first count is %v", e))
	}
	event("asserted", 1)
}

func line(i int) []byte {
	words := make([]string, 8)
	for w := range words {
		words[w] = fmt.Sprintf("word-%06d", scatter(i*8+w, 10_000))
	}
	return []byte(strings.Join(words, " "))
}

// driverTopology are the workloads W1 to W6, as in Topologies.java.
func driverTopology(w string) (*streams.Topology, error) {
	b := streams.NewBuilder()
	bytes := streams.Consumed[string, []byte]{}
	more := func(_ string, _ []byte, n int64) (int64, error) { return n + 1, nil }
	zero := func() (int64, error) { return 0, nil }
	left := func(_ string, l []byte, _ bool, _ []byte, _ bool) ([]byte, error) { return l, nil }
	switch w {
	case "W1":
		s := streams.Stream(b, "in", streams.Consumed[[]byte, []byte]{})
		streams.MapValues(s, func(_, v []byte) ([]byte, error) { return v, nil }).To("out")
	case "W2":
		changeJSON(b, serde.JSON[payment]())
	case "W2 go-json":
		changeJSON(b, serde.JSONWith[payment](gojson.Marshal, gojson.Unmarshal))
	case "W3":
		lines := streams.Stream(b, "lines", streams.Consumed[[]byte, string]{})
		words := streams.FlatMapValues(lines, func(_ []byte, v string) ([]string, error) { return strings.Split(v, " "), nil })
		grouped := streams.GroupBy(words, func(_ []byte, w string) (string, error) { return w, nil })
		counts := streams.Aggregate(grouped, zero, func(_, _ string, n int64) (int64, error) { return n + 1, nil }, streams.Materialized[string, int64]{Name: "counts"})
		counts.ToStream().To("out")
	case "W4":
		windows := streams.TumblingWindows(time.Minute, time.Minute)
		streams.Aggregate(streams.Stream(b, "in", bytes).GroupByKey().WindowedBy(windows), zero, more).ToStream().To("out")
	case "W5":
		table := streams.Table(b, "table", bytes, streams.Materialized[string, []byte]{Name: "t"})
		streams.JoinTable(streams.Stream(b, "in", bytes), streams.InnerJoin, table, func(_ string, l, _ []byte, _ bool) ([]byte, error) { return l, nil }).To("out")
	case "W6":
		streams.JoinStreams(streams.Stream(b, "left", bytes), streams.InnerJoin, streams.Stream(b, "right", bytes), streams.JoinWithin(10*time.Second, 10*time.Second), left).To("out")
	default:
		return nil, fmt.Errorf("the test driver has no workload %q: W1 to W6 are known", w)
	}
	return b.Build()
}

// payment is the JSON of the records.
type payment struct {
	ID     int64   `json:"id"`
	User   string  `json:"user"`
	Amount float64 `json:"amount"`
	Flag   bool    `json:"flag"`
	Double float64 `json:"double,omitempty"`
	Pad    string  `json:"pad,omitempty"`
}

// changeJSON parses values, keeps those with a flag, adds a field and removes one.
func changeJSON(b *streams.Builder, values serde.Serde[payment]) {
	in := streams.Stream(b, "in", streams.Consumed[[]byte, payment]{Value: values})
	kept := in.Filter(func(_ []byte, p payment) (bool, error) { return p.Flag, nil })
	changed := streams.MapValues(kept, func(_ []byte, p payment) (payment, error) {
		p.Double, p.Pad = 2*p.Amount, ""
		return p, nil
	})
	changed.To("out", streams.Produced[[]byte, payment]{Value: values})
}

// compareDrivers runs every workload in both test drivers, one after the other, ROUNDS times, and prints medians.
func compareDrivers(rounds int) {
	fmt.Println("| workload | TopologyTestDriver, records/s | streamstest, records/s | ratio |\n| --- | --- | --- | --- |")
	for _, x := range driven {
		var theirs, ours []float64
		for range rounds {
			theirs = append(theirs, rate(x.workload, x.records, javaCmd("bench.TestDriver", x.workload[:2], fmt.Sprint(x.records), work(), "memory")))
			ours = append(ours, rate(x.workload, x.records, []string{os.Args[0], "streamstest", x.workload, fmt.Sprint(x.records)}))
		}
		a, b := middle(theirs), middle(ours)
		fmt.Printf("| %s | %.0f | %.0f | %.1f |\n", x.workload, a, b, b/a)
	}
	var theirs, ours []float64
	for range max(rounds, 5) {
		theirs = append(theirs, untilAsserted(javaCmd("bench.TestDriver", "first", "1", work(), "memory")))
		ours = append(ours, untilAsserted([]string{os.Args[0], "streamstest", "first"}))
	}
	a, b := middle(theirs), middle(ours)
	fmt.Printf("\nProcess start to first assertion, ms: TopologyTestDriver %.0f, streamstest %.1f (%.1f to %.1f)\n", a, b, slices.Min(ours), slices.Max(ours))
}

// rate is the records of a workload in a second; a join's are those of both sides.
func rate(w string, n int, argv []string) float64 {
	p := spawn(argv)
	p.await("done", 5*time.Minute)
	e, _ := p.get("elapsed_us")
	p.stop()
	if w == "W6" {
		n *= 2
	}
	return float64(n) / (float64(e.N) / 1e6)
}

// untilAsserted is how many ms a process takes to its first assertion. The time is that of the process's own clock, so that a parent that is slow to read does not count.
func untilAsserted(argv []string) float64 {
	p := spawn(argv)
	e := p.await("asserted", time.Minute)
	p.stop()
	if e.TUS == 0 { // the JVM's clock
		return float64(e.TMS - p.began.UnixMilli())
	}
	return float64(e.TUS-p.began.UnixMicro()) / 1000
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
