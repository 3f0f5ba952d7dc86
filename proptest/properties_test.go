package proptest_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"github.com/kstreamlab/kstreamlab/proptest"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

var cases = flag.Int("cases", 10_000, "cases a property")

// holds checks a property: f returns what is wrong, or nothing.
func holds(t *testing.T, f func(log []proptest.Record) string) {
	t.Helper()
	t.Parallel()
	p := gopter.DefaultTestParametersWithSeed(1)
	p.MinSuccessfulTests, p.MaxSize, p.Workers = *cases, 30, 1
	properties := gopter.NewProperties(p)
	properties.Property(t.Name(), prop.ForAll(func(log []proptest.Record) string {
		return f(log)
	}, proptest.Records()))
	properties.TestingRun(t)
}

type (
	stream = streams.KStream[string, int64]
	table  = streams.KTable[string, int64]
)

// run pipes a log into a topology, left records to the topic left and right ones to right, and returns the driver.
func run(build func(b *streams.Builder), log []proptest.Record, both bool) *streamstest.Driver {
	b := streams.NewBuilder()
	build(b)
	top, err := b.Build()
	must(err)
	d, err := streamstest.Open(top, streamstest.Options{})
	must(err)
	in := map[bool]*streamstest.InputTopic[string, int64]{false: streamstest.Input(d, "left", serde.String(), serde.Long())}
	if both {
		in[true] = streamstest.Input(d, "right", serde.String(), serde.Long())
	}
	for _, r := range log {
		must(in[both && r.Right].Try(streamstest.Event[string, int64]{Key: r.Name(), Value: r.Value, NullValue: r.Null, Timestamp: r.Time}))
	}
	return d
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func left(b *streams.Builder) *stream {
	return streams.Stream(b, "left", streams.Consumed[string, int64]{})
}

func right(b *streams.Builder) *stream {
	return streams.Stream(b, "right", streams.Consumed[string, int64]{})
}

func tableOf(b *streams.Builder, topic string) *table {
	return streams.Table(b, topic, streams.Consumed[string, int64]{})
}

// counts reads the final table of windowed counts from the topic out. times is how often each window came.
func counts(d *streamstest.Driver, keys serde.Serde[serde.Windowed[string]]) (last proptest.Counts, times map[proptest.Window]int) {
	last, times = proptest.Counts{}, map[proptest.Window]int{}
	out := streamstest.Output(d, "out", keys, serde.Long())
	for {
		e, ok, err := out.Next()
		must(err)
		if !ok {
			return last, times
		}
		w := proptest.Window{Key: e.Key.Key, Start: e.Key.Window.Start, End: e.Key.Window.End}
		times[w]++
		if e.NullValue {
			delete(last, w)
		} else {
			last[w] = e.Value
		}
	}
}

// windowed checks a windowed count against a model.
func windowed(t *testing.T, w streams.Windows, keys serde.Serde[serde.Windowed[string]], model func(log []proptest.Record) proptest.Counts) {
	t.Helper()
	holds(t, func(log []proptest.Record) string {
		// a store that keeps no more than it must may have forgotten a session that can still grow, if only just
		keep := streams.Materialized[string, int64]{Retention: time.Second}
		d := run(func(b *streams.Builder) { streams.Count(left(b).GroupByKey().WindowedBy(w), keep).ToStream().To("out") }, log, false)
		defer d.Close()
		got, _ := counts(d, keys)
		return cmp.Diff(model(log), got)
	})
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func timed(size int64) serde.Serde[serde.Windowed[string]] {
	return serde.TimeWindowed(serde.String(), size)
}

func TestTumblingWindows(t *testing.T) {
	windowed(t, streams.TumblingWindows(ms(10), ms(15)), timed(10), func(log []proptest.Record) proptest.Counts { return proptest.CountTimeWindows(log, 10, 10, 15) })
}

func TestTumblingWindowsWithoutGrace(t *testing.T) {
	windowed(t, streams.TumblingWindows(ms(7), 0), timed(7), func(log []proptest.Record) proptest.Counts { return proptest.CountTimeWindows(log, 7, 7, 0) })
}

func TestHoppingWindows(t *testing.T) {
	windowed(t, streams.HoppingWindows(ms(10), ms(4), ms(5)), timed(10), func(log []proptest.Record) proptest.Counts { return proptest.CountTimeWindows(log, 10, 4, 5) })
}

func TestSlidingWindows(t *testing.T) {
	windowed(t, streams.SlidingWindows(ms(6), ms(proptest.Span)), timed(6), func(log []proptest.Record) proptest.Counts { return proptest.CountSlidingWindows(log, 6) })
}

func TestSessionWindows(t *testing.T) {
	windowed(t, streams.SessionWindows(ms(5), ms(8)), serde.SessionWindowed(serde.String()), func(log []proptest.Record) proptest.Counts { return proptest.CountSessions(log, 5, 8) })
}

// TestSessionsThatNothingIsLateFor leaves time for all records: then sessions are the runs of the sorted times.
func TestSessionsThatNothingIsLateFor(t *testing.T) {
	windowed(t, streams.SessionWindows(ms(5), ms(proptest.Span)), serde.SessionWindowed(serde.String()), func(log []proptest.Record) proptest.Counts { return proptest.Sessions(log, 5) })
}

// once checks that each closed window comes exactly once, with its final count, and no other one does.
func once(t *testing.T, build func(b *streams.Builder)) {
	t.Helper()
	holds(t, func(log []proptest.Record) string {
		d := run(build, log, false)
		defer d.Close()
		got, times := counts(d, timed(10))
		for w, n := range times {
			if n != 1 {
				return fmt.Sprintf("%v came %d times", w, n)
			}
		}
		return cmp.Diff(proptest.Closed(log, proptest.CountTimeWindows(log, 10, 10, 5), 5), got)
	})
}

func TestSuppressUntilWindowsClose(t *testing.T) {
	once(t, func(b *streams.Builder) {
		streams.Count(left(b).GroupByKey().WindowedBy(streams.TumblingWindows(ms(10), ms(5)))).Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{})).ToStream().To("out")
	})
}

func TestEmitOnWindowClose(t *testing.T) {
	once(t, func(b *streams.Builder) {
		streams.Count(left(b).GroupByKey().WindowedBy(streams.TumblingWindows(ms(10), ms(5))).EmitStrategy(streams.OnWindowClose)).ToStream().To("out")
	})
}

// finalOf reads the final table from the topic out.
func finalOf[V any](d *streamstest.Driver, values serde.Serde[V]) map[string]V {
	last := map[string]V{}
	out := streamstest.Output(d, "out", serde.String(), values)
	for {
		e, ok, err := out.Next()
		must(err)
		if !ok {
			return last
		}
		if e.NullValue {
			delete(last, e.Key)
		} else {
			last[e.Key] = e.Value
		}
	}
}

func TestAggregates(t *testing.T) {
	holds(t, func(log []proptest.Record) string {
		d := run(func(b *streams.Builder) {
			streams.Reduce(left(b).GroupByKey(), func(sum, v int64) (int64, error) { return sum + v, nil }).ToStream().To("out")
		}, log, false)
		defer d.Close()
		want := map[string]int64{}
		for _, r := range log {
			if !r.Null {
				want[r.Name()] += r.Value
			}
		}
		return cmp.Diff(want, finalOf(d, serde.Long()))
	})
}

func TestTables(t *testing.T) {
	holds(t, func(log []proptest.Record) string {
		d := run(func(b *streams.Builder) { tableOf(b, "left").ToStream().To("out") }, log, false)
		defer d.Close()
		return cmp.Diff(map[string]int64(proptest.FinalTable(log)), finalOf(d, serde.Long()))
	})
}

func TestGroupedTables(t *testing.T) {
	holds(t, func(log []proptest.Record) string {
		d := run(func(b *streams.Builder) {
			groups := streams.GroupTableBy(tableOf(b, "left"), func(_ string, v int64) (string, int64, error) { return proptest.Parity(v), v, nil })
			streams.AggregateTable(groups, func() (int64, error) { return 0, nil },
				func(_ string, v, sum int64) (int64, error) { return sum + v, nil },
				func(_ string, v, sum int64) (int64, error) { return sum - v, nil }).ToStream().To("out")
		}, log, false)
		defer d.Close()
		return cmp.Diff(map[string]int64(proptest.SumByValue(log)), finalOf(d, serde.Long()))
	})
}

// pair is the joiner of all joins.
func pair(_ string, l int64, hasLeft bool, r int64, hasRight bool) (proptest.Joined, error) {
	j := proptest.Joined{HasLeft: hasLeft, HasRight: hasRight}
	if hasLeft {
		j.Left = l
	}
	if hasRight {
		j.Right = r
	}
	return j, nil
}

var joined = serde.JSON[proptest.Joined]()

func TestTableJoins(t *testing.T) {
	for _, k := range []struct {
		name        string
		kind        streams.JoinKind
		left, right bool
	}{{"inner", streams.InnerJoin, false, false}, {"left", streams.LeftJoin, true, false}, {"outer", streams.OuterJoin, true, true}} {
		t.Run(k.name, func(t *testing.T) {
			holds(t, func(log []proptest.Record) string {
				d := run(func(b *streams.Builder) {
					streams.JoinTables(k.kind, tableOf(b, "left"), tableOf(b, "right"), pair, streams.Materialized[string, proptest.Joined]{Value: joined}).ToStream().To("out")
				}, log, true)
				defer d.Close()
				return cmp.Diff(proptest.JoinFinalTables(log, k.left, k.right), finalOf(d, joined))
			})
		})
	}
}

func TestForeignKeyJoins(t *testing.T) {
	for _, k := range []struct {
		name string
		kind streams.JoinKind
		left bool
	}{{"inner", streams.InnerJoin, false}, {"left", streams.LeftJoin, true}} {
		t.Run(k.name, func(t *testing.T) {
			holds(t, func(log []proptest.Record) string {
				d := run(func(b *streams.Builder) {
					streams.JoinForeign(k.kind, tableOf(b, "left"), tableOf(b, "right"), func(_ string, v int64) (string, error) { return proptest.ForeignKey(v), nil }, pair,
						streams.TableJoined[string, string]{}, streams.Materialized[string, proptest.Joined]{Value: joined}).ToStream().To("out")
				}, log, true)
				defer d.Close()
				return cmp.Diff(proptest.JoinFinalTablesByValue(log, k.left), finalOf(d, joined))
			})
		})
	}
}

// pairs reads what a join has sent to the topic out.
func pairs(d *streamstest.Driver) (list []proptest.Pair) {
	out := streamstest.Output(d, "out", serde.String(), joined)
	for {
		e, ok, err := out.Next()
		must(err)
		if !ok {
			return list
		}
		list = append(list, proptest.Pair{Key: e.Key, Time: e.Timestamp, Joined: e.Value})
	}
}

var toJoined = streams.Produced[string, proptest.Joined]{Value: joined}

func TestStreamTableJoins(t *testing.T) {
	for name, kind := range map[string]streams.JoinKind{"inner": streams.InnerJoin, "left": streams.LeftJoin} {
		t.Run(name, func(t *testing.T) {
			holds(t, func(log []proptest.Record) string {
				d := run(func(b *streams.Builder) {
					streams.JoinTable(left(b), kind, tableOf(b, "right"), func(k string, l, r int64, has bool) (proptest.Joined, error) { return pair(k, l, true, r, has) }).To("out", toJoined)
				}, log, true)
				defer d.Close()
				return cmp.Diff(proptest.JoinWithTable(log, kind == streams.LeftJoin), pairs(d))
			})
		})
	}
}

func TestStreamVersionedTableJoins(t *testing.T) {
	holds(t, func(log []proptest.Record) string {
		d := run(func(b *streams.Builder) {
			versions := streams.Table(b, "right", streams.Consumed[string, int64]{}, streams.Materialized[string, int64]{Name: "versions", History: time.Second, Persistent: true})
			streams.JoinTable(left(b), streams.InnerJoin, versions, func(k string, l, r int64, has bool) (proptest.Joined, error) { return pair(k, l, true, r, has) }).To("out", toJoined)
		}, log, true)
		defer d.Close()
		return cmp.Diff(proptest.JoinWithVersions(log), pairs(d))
	})
}

// lateness is how late records of a stream-stream join are at most: its grace.
const lateness = 8

// almostInOrder puts records in order of time, but for some that come up to lateness ms late.
func almostInOrder(log []proptest.Record) []proptest.Record {
	out := slices.Clone(log)
	slices.SortStableFunc(out, func(a, b proptest.Record) int {
		return int(a.Time + a.Value*5%lateness - b.Time - b.Value*5%lateness)
	})
	return out
}

func TestStreamJoins(t *testing.T) {
	for _, k := range []struct {
		name        string
		kind        streams.JoinKind
		left, right bool
	}{{"inner", streams.InnerJoin, false, false}, {"left", streams.LeftJoin, true, false}, {"outer", streams.OuterJoin, true, true}} {
		t.Run(k.name, func(t *testing.T) {
			holds(t, func(log []proptest.Record) string {
				log = append(almostInOrder(log), last)
				d := run(func(b *streams.Builder) {
					streams.JoinStreams(left(b), k.kind, right(b), streams.JoinWithin(ms(6), ms(lateness)), pair).To("out", toJoined)
				}, log, true)
				defer d.Close()
				want := proptest.JoinStreams(log, 6, k.left, k.right)
				want = slices.DeleteFunc(want, func(p proptest.Pair) bool { return p.Key == last.Name() }) // its own window is open
				return cmp.Diff(tally(want), tally(pairs(d)))
			})
		})
	}
}

// last comes long after all others: every window is closed then.
var last = proptest.Record{Key: proptest.Keys, Time: 100 * proptest.Span}

// tally counts equal pairs: between records of one moment the order is the stores'.
func tally(list []proptest.Pair) map[proptest.Pair]int {
	n := map[proptest.Pair]int{}
	for _, p := range list {
		n[p]++
	}
	return n
}

// TestCogroup adds the left topic's values and takes the right one's away.
func TestCogroup(t *testing.T) {
	holds(t, func(log []proptest.Record) string {
		d := run(func(b *streams.Builder) {
			plus := streams.Cogrouped(left(b).GroupByKey(), func(_ string, v, sum int64) (int64, error) { return sum + v, nil })
			minus := streams.Cogrouped(right(b).GroupByKey(), func(_ string, v, sum int64) (int64, error) { return sum - v, nil })
			streams.AggregateCogroup(streams.Cogroup(plus, minus), func() (int64, error) { return 0, nil }).ToStream().To("out")
		}, log, true)
		defer d.Close()
		want := map[string]int64{}
		for _, r := range log {
			switch {
			case r.Null:
			case r.Right:
				want[r.Name()] -= r.Value
			default:
				want[r.Name()] += r.Value
			}
		}
		return cmp.Diff(want, finalOf(d, serde.Long()))
	})
}

// TestModels shows that the models find a fault: an engine that forgets one record is not theirs.
func TestModels(t *testing.T) {
	log := []proptest.Record{{Time: 1, Value: 1}, {Time: 2, Value: 2}, {Time: 30, Value: 3, Right: true}}
	whole, less := proptest.CountTimeWindows(log, 10, 10, 0), proptest.CountTimeWindows(log[1:], 10, 10, 0)
	if maps.Equal(whole, less) || maps.Equal(proptest.Sessions(log, 5), proptest.Sessions(log[1:], 5)) {
		t.Error("a lost record changes nothing")
	}
	if want := (proptest.Counts{{"a", 0, 10}: 2, {"a", 30, 40}: 1}); !maps.Equal(whole, want) {
		t.Error(whole)
	}
}
