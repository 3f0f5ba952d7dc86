package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// versions is a naive versioned store: all versions that were ever put, and the latest time.
type versions struct {
	history, now int64
	of           map[string]map[int64]string // an empty text is a deletion
}

func (m *versions) next(key string, ts int64) int64 {
	next := int64(state.IsLatest)
	for at := range m.of[key] {
		if at > ts && (next == state.IsLatest || at < next) {
			next = at
		}
	}
	return next
}

func (m *versions) put(key, value string, ts int64) int64 {
	if ts < m.now-m.history {
		return state.NotPut
	}
	m.now = max(m.now, ts)
	if m.of[key] == nil {
		m.of[key] = map[int64]string{}
	}
	m.of[key][ts] = value
	return m.next(key, ts)
}

// asOf is the version that was valid at a time, as text.
func (m *versions) asOf(key string, at int64) string {
	times := slices.Sorted(maps.Keys(m.of[key]))
	i, found := slices.BinarySearch(times, at)
	if !found {
		i--
	}
	if i < 0 || m.of[key][times[i]] == "" || at < m.now-m.history && i < len(times)-1 {
		return "none"
	}
	return fmt.Sprintf("%s @%d until %d", m.of[key][times[i]], times[i], m.next(key, times[i]))
}

func shown(v *state.VersionOf[string]) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf("%s @%d until %d", v.Value, v.Timestamp, v.ValidTo)
}

// TestVersionedStoreAgainstAModel puts and deletes random versions, mostly near the end of time and some too late, over both engines and
// through restarts, and looks at the present and the past.
func TestVersionedStoreAgainstAModel(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		for seed := range uint64(10) {
			r := rand.New(rand.NewPCG(seed, 7))
			m := &versions{history: []int64{0, 20, 1000, 200_000}[seed%4], now: -1, of: map[string]map[int64]string{}}
			spec := state.Spec{Name: fmt.Sprint("v", seed), Kind: state.Versioned, History: m.history}
			open := func() (*opened, *state.Versions[string, string]) {
				o := openStore(t, p.engine, spec, nil)
				s, err := state.NewVersions(o.Handle, "log", serde.String(), serde.String())
				no(t, err)
				return o, s
			}
			o, s := open()
			scale := max(m.history, 4)
			for step := range 600 {
				key := []string{"", "a", "a\x00", "ab"}[r.IntN(4)]
				ts := max(0, m.now+r.Int64N(scale)-scale*3/4)
				what := fmt.Sprintf("seed %d, step %d, key %q at %d", seed, step, key, ts)
				switch n := r.IntN(20); {
				case n < 10:
					validTo, err := s.Put(key, fmt.Sprint(step), ts)
					no(t, err)
					same(t, what+": put", m.put(key, fmt.Sprint(step), ts), validTo)
				case n < 12:
					validTo, err := s.PutNull(key, ts)
					no(t, err)
					same(t, what+": put null", m.put(key, "", ts), validTo)
				case n < 14:
					want := "none"
					if ts >= m.now-m.history {
						want = m.asOf(key, ts)
					}
					m.put(key, "", ts)
					old, err := s.Delete(key, ts)
					no(t, err)
					same(t, what+": delete", want, shown(old))
				case n < 15:
					no(t, o.db.Commit(nil))
					p.reopen(t)
					o, s = open()
				}
				got, err := s.GetAsOf(key, ts)
				no(t, err)
				same(t, what+": as of", m.asOf(key, ts), shown(got))
				got, err = s.Get(key)
				no(t, err)
				same(t, what+": latest", m.asOf(key, 1<<40), shown(got))
				if t.Failed() {
					t.FailNow()
				}
			}
		}
	})
}
