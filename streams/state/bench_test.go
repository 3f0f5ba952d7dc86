package state_test

import (
	"strconv"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// benchmarkEngines measures on both engines, with and without a cache of 10 MiB; a commit comes after every 10,000 operations.
func benchmarkEngines(b *testing.B, spec state.Spec, operate func(b *testing.B, h *state.Handle) func(i int)) {
	for _, make := range []func(testing.TB) *place{memory, pebble} {
		for _, caching := range []bool{true, false} {
			name := "memory"
			p := make(b)
			if p.fs != nil {
				name = "pebble"
			}
			if caching {
				name += "/cached"
			} else {
				name += "/direct"
			}
			b.Run(name, func(b *testing.B) {
				spec.Caching = caching
				spec.Name = "s" + strconv.Itoa(b.N)
				o := openStore(b, p.engine, spec, state.NewBudget(10<<20))
				if o.Cache != nil {
					o.Cache.OnFlush(func(_, _, _ []byte) error { return nil })
				}
				op := operate(b, o.Handle)
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					op(i)
					if i%10_000 == 9_999 {
						no(b, o.Flush())
						no(b, o.db.Commit(map[string]int64{spec.Name: int64(i)}))
					}
				}
			})
		}
	}
}

// BenchmarkCount is what a count by key does: get, add one, put; over 1,000 keys.
func BenchmarkCount(b *testing.B) {
	benchmarkEngines(b, state.Spec{Kind: state.TimestampedKeyValue}, func(b *testing.B, h *state.Handle) func(int) {
		s, err := state.NewTimestamped(h, "t", serde.String(), serde.Long())
		no(b, err)
		keys := benchmarkKeys(1000)
		return func(i int) {
			k := keys[i*7919%len(keys)]
			v, _, _, err := s.Get(k)
			no(b, err)
			no(b, s.Put(k, v+1, int64(i)))
		}
	})
}

// BenchmarkCountManyKeys is the same over 200,000 keys, more than the cache holds.
func BenchmarkCountManyKeys(b *testing.B) {
	benchmarkEngines(b, state.Spec{Kind: state.TimestampedKeyValue}, func(b *testing.B, h *state.Handle) func(int) {
		s, err := state.NewTimestamped(h, "t", serde.String(), serde.Long())
		no(b, err)
		keys := benchmarkKeys(200_000)
		return func(i int) {
			k := keys[i*7919%len(keys)]
			v, _, _, err := s.Get(k)
			no(b, err)
			no(b, s.Put(k, v+1, int64(i)))
		}
	})
}

// BenchmarkWindowCount is a count in hourly windows: fetch, add one, put; an hour passes every 50,000 records.
func BenchmarkWindowCount(b *testing.B) {
	spec := state.Spec{Kind: state.TimestampedWindow, Retention: 2 * 3_600_000, WindowSize: 3_600_000}
	benchmarkEngines(b, spec, func(b *testing.B, h *state.Handle) func(int) {
		s, err := state.NewWindow(h, "t", serde.String(), serde.Long())
		no(b, err)
		keys := benchmarkKeys(1000)
		return func(i int) {
			k, start := keys[i*7919%len(keys)], int64(i/50_000)*3_600_000
			v, _, _, err := s.Fetch(k, start)
			no(b, err)
			no(b, s.Put(k, start, v+1, start))
		}
	})
}

func benchmarkKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "customer-" + strconv.Itoa(i)
	}
	return keys
}
