package state_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// lru is a naive store of the entries used last.
type lru struct {
	most  int
	used  []string // last first
	value map[string]string
	gone  []string // keys that had to go
}

func (m *lru) use(key string) {
	m.used = slices.Insert(slices.DeleteFunc(m.used, func(k string) bool { return k == key }), 0, key)
}

func (m *lru) put(key, value string) {
	m.use(key)
	m.value[key] = value
	if len(m.used) > m.most {
		last := m.used[m.most]
		m.used = m.used[:m.most]
		delete(m.value, last)
		m.gone = append(m.gone, last)
	}
}

func (m *lru) remove(key string) {
	m.used = slices.DeleteFunc(m.used, func(k string) bool { return k == key })
	delete(m.value, key)
}

func (m *lru) rows() (out []string) {
	for _, k := range slices.Sorted(maps.Keys(m.value)) {
		out = append(out, k+"="+m.value[k])
	}
	return out
}

// TestLRUStoreAgainstAModel uses random keys. What has to go is deleted from the changelog too, so that the changelog alone gives the same
// store again, as long as nothing but puts decided what was used last.
func TestLRUStoreAgainstAModel(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		m := &lru{most: 1 + r.IntN(5), value: map[string]string{}}
		spec := state.Spec{Name: "l", Kind: state.KeyValue, InMemory: true, Entries: m.most}
		db := state.OpenDB(state.NewMemory())
		var log [][2][]byte
		ctx := &state.RecordContext{}
		h, err := db.Open(spec, state.OpenConfig{Ctx: ctx, Log: func(key, value []byte, _ int64, _ []broker.Header) error {
			log = append(log, [2][]byte{slices.Clone(key), value})
			return nil
		}})
		no(t, err)
		s, err := state.NewPlain(h, "log", serde.String(), serde.String())
		no(t, err)
		reads := seed%2 == 0
		for step := range 200 {
			key, value := string(rune('a'+r.IntN(8))), fmt.Sprint(step)
			had, ok := m.value[key]
			switch n := r.IntN(10); {
			case n < 6:
				no(t, s.Put(key, value))
				m.put(key, value)
			case n < 7 && reads:
				have, there, err := s.PutIfAbsent(key, value)
				no(t, err)
				same(t, "put if absent", fmt.Sprint(had, ok), fmt.Sprint(have, there))
				if m.use(key); !ok {
					m.put(key, value)
				}
			case n < 8:
				old, there, err := s.Delete(key)
				no(t, err)
				same(t, "deleted", fmt.Sprint(had, ok), fmt.Sprint(old, there))
				m.remove(key)
			case n < 9:
				no(t, db.Commit(nil))
			case reads:
				got, there, err := s.Get(key)
				no(t, err)
				same(t, "got", fmt.Sprint(had, ok), fmt.Sprint(got, there))
				if ok {
					m.use(key)
				}
			}
			checkLRU(t, s, m, fmt.Sprintf("seed %d, step %d", seed, step))
		}
		same(t, "deletions in the changelog at least", true, deletions(log) >= len(m.gone))
		if reads {
			continue
		}
		again, err := state.OpenDB(state.NewMemory()).Open(spec, state.OpenConfig{Ctx: ctx})
		no(t, err)
		for _, r := range log {
			no(t, again.Restore(r[0], r[1], 0))
		}
		restored, err := state.NewPlain(again, "log", serde.String(), serde.String())
		no(t, err)
		checkLRU(t, restored, m, fmt.Sprintf("seed %d, restored", seed))
	}
}

func deletions(log [][2][]byte) (n int) {
	for _, r := range log {
		if r[1] == nil {
			n++
		}
	}
	return n
}

func checkLRU(t *testing.T, s *state.Plain[string, string], m *lru, what string) {
	t.Helper()
	walk, err := s.Range(state.Bounds[string]{})
	no(t, err)
	entries, err := walk.All()
	no(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Key+"="+e.Value)
	}
	same(t, what, m.rows(), got)
	if t.Failed() {
		t.FailNow()
	}
}
