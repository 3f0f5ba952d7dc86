package streamstest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// byValue counts values, which go through a repartition topic, and keeps the last key of each in a table in memory.
func byValue(t *testing.T) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{})
	values := streams.GroupBy(in, func(_, v string) (string, error) { return v, nil })
	streams.Count(values, streams.Materialized[string, int64]{Name: "counts"}).ToStream().To("out")
	in.ToTable(streams.Materialized[string, string]{Name: "last", InMemory: true})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func open(t *testing.T, top *streams.Topology, o streamstest.Options) *streamstest.Driver {
	t.Helper()
	d, err := streamstest.Open(top, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestPartitions runs a topology over four partitions: each record is where its key belongs, and the result is that of one partition.
func TestPartitions(t *testing.T) {
	counts := map[int]map[string]int64{}
	for _, n := range []int{1, 4} {
		d := open(t, byValue(t), streamstest.Options{Partitions: n})
		in := streamstest.Input(d, "in", serde.String(), serde.String())
		for i := range 200 {
			in.Pipe(t, fmt.Sprintf("k%d", i%17), fmt.Sprintf("v%d", i%23), int64(i))
		}
		counts[n] = map[string]int64{}
		for _, e := range streamstest.Output(d, "out", serde.String(), serde.Long()).ReadAll(t) {
			counts[n][e.Key] = e.Value
		}
		used := map[int32]bool{}
		for _, r := range d.Sent() {
			if want := broker.PartitionForKey(r.Key, int32(n)); r.Partition != want {
				t.Errorf("%s: key %s is in partition %d, want %d", r.Topic, r.Key, r.Partition, want)
			}
			used[r.Partition] = true
		}
		if len(used) != n {
			t.Errorf("%d partitions are used, want %d", len(used), n)
		}
		rows, err := streamstest.StoreEntries(d, "counts", serde.String(), serde.Long())
		if err != nil || len(rows) != 23 {
			t.Errorf("%d rows, %v: want those of all partitions, 23", len(rows), err)
		}
	}
	if diff := cmp.Diff(counts[1], counts[4]); diff != "" {
		t.Error(diff)
	}
	d := open(t, byValue(t), streamstest.Options{Partitions: 2})
	if err := d.Pipe(streamstest.Record{Topic: "in", Partition: 2}); err == nil {
		t.Error("a partition that is not there was taken")
	}
}

// TestRestart starts again in the middle: the output is that of a run without, whatever keeps the state; time goes on where it was.
func TestRestart(t *testing.T) {
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{})
	perMinute := streams.Count(in.GroupByKey().WindowedBy(streams.TumblingWindows(time.Minute, 0)), streams.Materialized[string, int64]{Name: "windows", Retention: time.Hour})
	perMinute.ToStream().To("out")
	perMinute.Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{})).ToStream().To("closed")
	in.ToTable(streams.Materialized[string, string]{Name: "last", InMemory: true})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	names := streams.NewBuilder()
	stream := streams.Stream(names, "in", streams.Consumed[string, string]{})
	global := streams.GlobalTable(names, "names", streams.Consumed[string, string]{})
	streams.JoinGlobal(stream, streams.LeftJoin, global, func(k, _ string) (string, error) { return k, nil }, func(_, v, name string, _ bool) (string, error) { return v + name, nil }).To("out")
	joined, err := names.Build()
	if err != nil {
		t.Fatal(err)
	}
	for name, top := range map[string]*streams.Topology{"windows": top, "global": joined} {
		for _, parts := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s, %d partitions", name, parts), func(t *testing.T) {
				run := func(restarts ...int) []string {
					d := open(t, top, streamstest.Options{Partitions: parts})
					if name == "global" {
						streamstest.Input(d, "names", serde.String(), serde.String()).Pipe(t, "k1", "Ada", 0)
					}
					in := streamstest.Input(d, "in", serde.String(), serde.String())
					for i := range 40 {
						at := int64(i) * 7000
						if i%9 == 8 {
							at -= 130_000 // late: dropped, or not, by the time before the restart
						}
						in.Pipe(t, fmt.Sprintf("k%d", i%4), fmt.Sprint(i), max(at, 0))
						if slices.Contains(restarts, i) {
							if err := d.Restart(); err != nil {
								t.Fatal(err)
							}
						}
					}
					var out []string
					for _, r := range d.Sent() {
						out = append(out, fmt.Sprintf("%s-%d %x %x %d", r.Topic, r.Partition, r.Key, r.Value, r.Timestamp))
					}
					stores, err := d.Stores()
					if err != nil {
						t.Fatal(err)
					}
					for _, s := range stores {
						out = append(out, fmt.Sprintf("%s %v", s.Name, s.Rows))
					}
					return append(out, fmt.Sprint(d.Dropped()))
				}
				if diff := cmp.Diff(run(), run(3, 17, 18, 33)); diff != "" {
					t.Errorf("restarts show (-without +with):\n%s", diff)
				}
			})
		}
	}
}
