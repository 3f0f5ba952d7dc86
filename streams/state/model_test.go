package state_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/state"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// windowModel is a window store with a cache, as the rules say it: rows in maps, the cache's order in a slice.
type windowModel struct {
	retention, interval int64
	exact               bool
	max                 int64

	below    map[string]string
	observed int64
	expired  int

	cache map[string]*modelEntry
	lru   []string // used longest ago first
	seq   int      // of updates
}

type modelEntry struct {
	value string // "nil": a deletion
	dirty int    // the number of its last update; 0: clean
}

func (m *windowModel) time(key string) int64 { return state.WindowTime([]byte(key)) }

func (m *windowModel) used() (n int64) {
	for k, e := range m.cache {
		v := e.value
		if v == "nil" {
			v = ""
		}
		n += entry(k, v) + 8
	}
	return n
}

func (m *windowModel) touch(key string) {
	m.lru = append(slices.DeleteFunc(m.lru, func(k string) bool { return k == key }), key)
}

func (m *windowModel) forget(key string) {
	delete(m.cache, key)
	m.lru = slices.DeleteFunc(m.lru, func(k string) bool { return k == key })
}

func (m *windowModel) put(key, value string) {
	m.seq++
	m.cache[key] = &modelEntry{value, m.seq}
	m.touch(key)
	for m.used() > m.max && len(m.lru) > 0 {
		k := m.lru[0]
		if m.cache[k].dirty > 0 {
			m.write(k)
			m.flush()
		}
		m.forget(k)
	}
}

func (m *windowModel) flush() {
	var dirty []string
	for k, e := range m.cache {
		if e.dirty > 0 {
			dirty = append(dirty, k)
		}
	}
	slices.SortFunc(dirty, func(a, b string) int { return cmp.Compare(m.cache[a].dirty, m.cache[b].dirty) })
	for _, k := range dirty {
		m.write(k)
	}
	for _, k := range dirty {
		if m.cache[k].value == "nil" {
			m.forget(k)
		}
	}
}

func (m *windowModel) write(key string) {
	e := m.cache[key]
	e.dirty = 0
	t := m.time(key)
	m.observed = max(m.observed, t)
	first := max(m.observed-m.retention, 0) / m.interval
	for k := range m.below {
		if m.time(k)/m.interval < first {
			delete(m.below, k)
		}
	}
	switch {
	case t/m.interval < first, m.exact && t <= m.observed-m.retention:
		m.expired++
	case e.value == "nil":
		delete(m.below, key)
	default:
		m.below[key] = e.value
	}
}

func (m *windowModel) get(key string) string {
	if e := m.cache[key]; e != nil {
		m.touch(key)
		if e.value == "nil" {
			return "<nil>"
		}
		return e.value
	}
	if v, ok := m.below[key]; ok && m.time(key) > m.observed-m.retention {
		return v
	}
	return "<nil>"
}

func (m *windowModel) scan(s state.Span) []string {
	see := map[string]string{}
	in := func(k string) bool {
		return k >= string(s.From) && (s.To == nil || k < string(s.To)) && m.time(k) >= s.FromTime && m.time(k) <= s.ToTime
	}
	for k, v := range m.below {
		if in(k) && m.time(k) > m.observed-m.retention {
			see[k] = v
		}
	}
	bySegment := func(a, b string) int {
		if s.Reverse {
			a, b = b, a
		}
		return cmp.Or(cmp.Compare(m.time(a)/m.interval, m.time(b)/m.interval), cmp.Compare(a, b))
	}
	for _, k := range slices.SortedFunc(maps.Keys(m.cache), bySegment) {
		if k >= string(s.From) && (s.To == nil || k < string(s.To)) {
			m.touch(k) // also where its time is not asked for
		}
		if !in(k) {
			continue
		}
		if see[k] = m.cache[k].value; see[k] == "nil" {
			delete(see, k)
		}
	}
	keys := slices.SortedFunc(maps.Keys(see), bySegment)
	out := []string{}
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%s@%d=%s", k[:len(k)-12], m.time(k), see[k]))
	}
	return out
}

// TestWindowStoreAgainstAModel drives a window store with a cache, random in every way, and compares all reads, the count of expired rows and
// the budget with the model.
func TestWindowStoreAgainstAModel(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		for seed := range uint64(12) {
			runWindowModel(t, p, seed)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

func runWindowModel(t *testing.T, p *place, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	m := &windowModel{retention: []int64{1, minute, 2 * minute, 5 * minute}[r.IntN(4)], exact: r.IntN(2) == 0, max: int64(r.IntN(1000)), observed: -1,
		below: map[string]string{}, cache: map[string]*modelEntry{}}
	m.interval = max(m.retention/2, minute)
	spec := state.Spec{Name: fmt.Sprint("w", seed), Kind: state.WindowStore, Retention: m.retention, InMemory: m.exact, Caching: true}
	budget := state.NewBudget(m.max)
	expired := 0
	var db *state.DB
	var h *state.Handle
	open := func() {
		var err error
		db = state.OpenDB(p.engine)
		h, err = db.Open(spec, state.OpenConfig{Budget: budget, Ctx: &state.RecordContext{}, Expired: func() { expired++ }})
		no(t, err)
	}
	open()
	clock := int64(0)
	key := func() string {
		clock += int64(r.IntN(minute / 20))
		return string(wkey(string("ab\x00"[:r.IntN(4)]), max(0, clock-int64(r.IntN(2*minute+int(m.retention))))))
	}
	used := []string{key()}
	known := func() string { return used[r.IntN(len(used))] }
	for step := range 800 {
		switch n := r.IntN(100); {
		case n < 45:
			k, v := key(), fmt.Sprint(step)
			put(t, h.Top, k, v)
			m.put(k, v)
			used = append(used, k)
		case n < 55:
			k := known()
			remove(t, h.Top, k)
			m.put(k, "nil")
		case n < 75:
			k := known()
			same(t, "get", m.get(k), get(t, h.Top, k))
		case n < 90:
			s := state.Span{FromTime: max(0, clock-int64(r.IntN(6*minute))), Reverse: r.IntN(2) == 0}
			s.ToTime = s.FromTime + int64(r.IntN(4*minute))
			if r.IntN(2) == 0 {
				s.From = b(known())
			}
			if r.IntN(2) == 0 {
				s.To = b(known())
			}
			same(t, fmt.Sprintf("scan %+v", s), m.scan(s), windows(t, h.Top.Scan(s)))
		case n < 97:
			no(t, h.Flush())
			m.flush()
			no(t, db.Commit(nil))
		default: // a clean restart
			no(t, h.Flush())
			m.flush()
			no(t, db.Commit(nil))
			h.Release()
			m.cache, m.lru = map[string]*modelEntry{}, nil
			p.reopen(t)
			open()
		}
		same(t, "expired", m.expired, expired)
		same(t, "used", m.used(), budget.Used())
		if t.Failed() {
			t.Fatalf("step %d", step)
		}
	}
}
