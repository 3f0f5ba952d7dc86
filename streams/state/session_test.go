package state_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

func sessionsOf(t *testing.T, h *state.Handle) *state.Session[string, string] {
	t.Helper()
	s, err := state.NewSession(h, "log", serde.String(), serde.String())
	no(t, err)
	return s
}

// TestSessionStoreAgainstAModel puts and removes random sessions of keys that begin alike, with a cache and without, over both engines and
// through restarts, and looks for them by key and by end.
func TestSessionStoreAgainstAModel(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		for seed := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, 3))
			spec := state.Spec{Name: fmt.Sprint("s", seed), Kind: state.SessionStore, Retention: 1 << 40, ByTime: true, InMemory: seed%2 == 0, Caching: seed%4 < 2}
			model := map[serde.Windowed[string]]string{}
			var known []serde.Windowed[string]
			h := openStore(t, p.engine, spec, state.NewBudget(600))
			s := sessionsOf(t, h.Handle)
			for step := range 300 {
				start := int64(r.IntN(200_000))
				k := serde.Windowed[string]{Key: []string{"", "a", "a\x00", "ab"}[r.IntN(4)], Window: serde.Window{Start: start, End: start + int64(r.IntN(3))}}
				switch n := r.IntN(10); {
				case n < 6:
					no(t, s.Put(k.Key, k.Window, fmt.Sprint(step)))
					model[k] = fmt.Sprint(step)
					known = append(known, k)
				case n < 7 && len(known) > 0:
					k = known[r.IntN(len(known))]
					no(t, s.Remove(k.Key, k.Window))
					delete(model, k)
				case n < 8:
					checkFind(t, s, model, k.Key, start-20_000, start+20_000)
				case n < 9:
					checkSessions(t, s, model, state.Bounds[string]{From: bound(r), To: bound(r), Reverse: r.IntN(2) == 0}, start-20_000, start+20_000)
				default:
					no(t, h.Flush())
					no(t, h.db.Commit(nil))
					h.Release()
					p.reopen(t)
					h = openStore(t, p.engine, spec, state.NewBudget(600))
					s = sessionsOf(t, h.Handle)
				}
				checkEnds(t, s, model, start-30_000, start+30_000)
				if t.Failed() {
					t.Fatalf("seed %d, step %d", seed, step)
				}
			}
		}
	})
}

func checkFind(t *testing.T, s *state.Session[string, string], model map[serde.Windowed[string]]string, key string, end, start int64) {
	t.Helper()
	want, got := []string{}, []string{}
	for k, v := range model {
		if k.Key == key && k.Window.End >= end && k.Window.Start <= start {
			want = append(want, fmt.Sprintf("%08d-%08d=%s", k.Window.End, k.Window.Start, v))
		}
	}
	slices.Sort(want)
	found, err := s.Find(key, end, start)
	no(t, err)
	for _, f := range found {
		got = append(got, fmt.Sprintf("%08d-%08d=%s", f.Window.End, f.Window.Start, f.Value))
	}
	same(t, "sessions of a key", want, got)
}

// bound is a key, or none.
func bound(r *rand.Rand) *string {
	if k := r.IntN(5); k < 4 {
		return &[]string{"", "a", "a\x00", "ab"}[k]
	}
	return nil
}

func checkSessions(t *testing.T, s *state.Session[string, string], model map[serde.Windowed[string]]string, b state.Bounds[string], end, start int64) {
	t.Helper()
	var want, got []state.Entry[string, string]
	for k, v := range model {
		if k.Window.End >= end && k.Window.Start <= start && (b.From == nil || k.Key >= *b.From) && (b.To == nil || k.Key <= *b.To) {
			want = append(want, state.Entry[string, string]{Key: k.Key, Value: v, Window: k.Window, Time: -1})
		}
	}
	byKey := func(x state.Entry[string, string]) string {
		return x.Key + string(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(x.Window.End)), uint64(x.Window.Start)))
	}
	slices.SortFunc(want, func(x, y state.Entry[string, string]) int {
		c := cmp.Compare(byKey(x), byKey(y))
		if s.Handle().InMemory {
			c = cmp.Or(cmp.Compare(x.Window.End, y.Window.End), c)
		}
		if b.Reverse {
			c = -c
		}
		return c
	})
	rows, err := s.Range(b, end, start)
	no(t, err)
	got, err = rows.All()
	no(t, err)
	same(t, "sessions of keys", want, got)
}

func checkEnds(t *testing.T, s *state.Session[string, string], model map[serde.Windowed[string]]string, from, to int64) {
	t.Helper()
	type row struct {
		K serde.Windowed[string]
		V string
	}
	var want, got []row
	for k, v := range model {
		if k.Window.End >= from && k.Window.End <= to {
			want = append(want, row{k, v})
		}
	}
	slices.SortFunc(want, func(a, b row) int {
		if s.Handle().InMemory {
			return cmp.Or(cmp.Compare(a.K.Window.End, b.K.Window.End), cmp.Compare(a.K.Key, b.K.Key), cmp.Compare(a.K.Window.Start, b.K.Window.Start))
		}
		return cmp.Or(cmp.Compare(a.K.Window.End, b.K.Window.End), cmp.Compare(a.K.Window.Start, b.K.Window.Start), cmp.Compare(a.K.Key, b.K.Key))
	})
	no(t, s.ScanEnds(from, to, func(k serde.Windowed[string], v string) error {
		got = append(got, row{k, v})
		return nil
	}))
	same(t, "sessions by end", want, got)
}

func TestSessionsExpireByTheirEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		h := openStore(t, p.engine, state.Spec{Name: "s", Kind: state.SessionStore, Retention: 100, InMemory: true, ByTime: true, Logging: true}, nil)
		s := sessionsOf(t, h.Handle)
		no(t, s.Put("k", serde.Window{Start: 0, End: 50}, "old"))
		no(t, s.Put("k", serde.Window{Start: 10, End: 51}, "kept"))
		no(t, s.Put("k", serde.Window{Start: 150, End: 150}, "new"))
		found, err := s.Find("k", 0, 1000)
		no(t, err)
		same(t, "found", []state.Found[string]{{Window: serde.Window{Start: 10, End: 51}, Value: "kept"}, {Window: serde.Window{Start: 150, End: 150}, Value: "new"}}, found)
		_, ok, err := s.Fetch("k", serde.Window{Start: 0, End: 50})
		no(t, err)
		same(t, "an expired session is there", false, ok)
		v, ok, err := s.Fetch("k", serde.Window{Start: 10, End: 51})
		no(t, err)
		same(t, "a session", "kept true", fmt.Sprint(v, " ", ok))
		same(t, "changelog records", 3, len(h.log))
	})
}

func TestTypedStoresRefuseOthers(t *testing.T) {
	h := openStore(t, state.NewMemory(), state.Spec{Name: "s", Kind: state.KeyValue}, nil)
	if _, err := state.NewSession(h.Handle, "log", serde.String(), serde.String()); err == nil {
		t.Error("a key-value store was taken for one of sessions")
	}
	s := sessionsOf(t, openStore(t, state.NewMemory(), state.Spec{Name: "x", Kind: state.SessionStore, Retention: 1}, nil).Handle)
	if _, err := s.DecodeKey([]byte("short")); err == nil {
		t.Error("a key of 5 bytes was taken for a session's")
	}
}
