package state_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/state"
)

func put(t testing.TB, s state.Bytes, kv ...string) {
	t.Helper()
	for i := 0; i < len(kv); i += 2 {
		no(t, s.Put(b(kv[i]), b(kv[i+1])))
	}
}

func remove(t testing.TB, s state.Bytes, keys ...string) {
	t.Helper()
	for _, k := range keys {
		no(t, s.Put(b(k), nil))
	}
}

func get(t testing.TB, s state.Bytes, key string) string {
	t.Helper()
	v, err := s.Get(b(key))
	no(t, err)
	if v == nil {
		return "<nil>"
	}
	return string(v)
}

func all(t testing.TB, s state.Bytes) []string {
	t.Helper()
	return rows(t, s.Scan(state.AllTime(state.Span{})))
}

func TestTableReadsWhatIsUncommitted(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		db := state.OpenDB(p.engine)
		s := db.Table("s")
		put(t, s, "a", "1", "b", "2", "c", "3")
		no(t, db.Commit(nil))
		put(t, s, "b", "22", "d", "4", "e", "")
		remove(t, s, "a", "x")
		same(t, "deleted", "<nil>", get(t, s, "a"))
		same(t, "empty", "", get(t, s, "e"))
		same(t, "below", "3", get(t, s, "c"))
		want := []string{"b=22", "c=3", "d=4", "e="}
		same(t, "scan", want, all(t, s))
		back := rows(t, s.Scan(state.Span{Reverse: true}))
		slices.Reverse(want)
		same(t, "reverse scan", want, back)
		same(t, "part", []string{"c=3", "b=22"}, rows(t, s.Scan(state.Span{From: b("a"), To: b("d"), Reverse: true})))
		same(t, "another DB over the engine", []string{"a=1", "b=2", "c=3"}, all(t, state.OpenDB(p.engine).Table("s")))

		// a restart without a commit
		s = state.OpenDB(p.reopen(t)).Table("s")
		same(t, "after a restart", []string{"a=1", "b=2", "c=3"}, all(t, s))
	})
}

func TestScanWhileTheStoreChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		db := state.OpenDB(p.engine)
		s := db.Table("s")
		put(t, s, "a", "1", "c", "3", "e", "5")
		no(t, db.Commit(nil))
		put(t, s, "b", "2", "d", "4")
		it := s.Scan(state.Span{})
		var keys []string
		for it.Next() {
			keys = append(keys, string(it.Key()))
			no(t, s.Put(it.Key(), nil)) // what a punctuation that expires rows does
		}
		no(t, it.Err())
		no(t, it.Close())
		same(t, "seen", []string{"a", "b", "c", "d", "e"}, keys)
		same(t, "left", []string{}, all(t, s))
	})
}

func TestStoresOfOneDBAreApart(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		db := state.OpenDB(p.engine)
		names := []string{"a", "ab", "a-b", "b", "o"}
		tables := map[string]*state.Table{}
		for i, n := range names {
			tables[n] = db.Table(n)
			put(t, tables[n], "k", n, "", "empty key", "\xff\xff", "last")
			no(t, db.Commit(map[string]int64{n: int64(i)}))
		}
		for _, n := range names {
			same(t, n, []string{"=empty key", "k=" + n, "\xff\xff=last"}, all(t, tables[n]))
		}
		put(t, tables["a"], "uncommitted", "gone too")
		put(t, tables["ab"], "uncommitted", "stays")
		no(t, db.Wipe("a"))
		check := func(db *state.DB, table func(string) state.Bytes) {
			t.Helper()
			same(t, "wiped", []string{}, all(t, table("a")))
			same(t, "not wiped", "ab", get(t, table("ab"), "k"))
			for i, n := range names {
				want := int64(i)
				if n == "a" {
					want = -1
				}
				o, err := db.Offset(n)
				no(t, err)
				same(t, "offset of "+n, want, o)
			}
		}
		check(db, func(n string) state.Bytes { return tables[n] })
		same(t, "another's uncommitted row", "stays", get(t, tables["ab"], "uncommitted"))
		db = state.OpenDB(p.reopen(t))
		check(db, func(n string) state.Bytes { return db.Table(n) })
	})
}

func TestOffsets(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		db := state.OpenDB(p.engine)
		s := db.Table("s")
		offset := func(want int64) {
			t.Helper()
			o, err := db.Offset("s")
			no(t, err)
			same(t, "offset", want, o)
			o, err = state.OpenDB(p.engine).Offset("s")
			no(t, err)
			same(t, "durable offset", want, o)
		}
		offset(-1)
		no(t, db.Commit(map[string]int64{"s": 0}))
		offset(0)
		put(t, s, "a", "1")
		no(t, db.Commit(map[string]int64{"s": 0})) // the same offset: the rows must still go
		same(t, "row", "1", get(t, state.OpenDB(p.engine).Table("s"), "a"))
		no(t, db.Commit(map[string]int64{"s": 7}))
		offset(7)
		no(t, db.Commit(nil))
		offset(7)
		no(t, db.Wipe("s"))
		offset(-1)
		no(t, db.Commit(map[string]int64{"s": 7})) // the same as before the wipe
		offset(7)
	})
}

// failing is an engine whose Apply fails as often as asked.
type failing struct {
	state.Engine
	times int
}

var errDisk = errors.New("the disk is full")

func (f *failing) Apply(b *state.Batch) error {
	if f.times > 0 {
		f.times--
		return errDisk
	}
	return f.Engine.Apply(b)
}

func TestCommitThatFailsChangesNothingAndMayBeTriedAgain(t *testing.T) {
	f := &failing{state.NewMemory(), 1}
	db := state.OpenDB(f)
	s := db.Table("s")
	put(t, s, "a", "1")
	if err := db.Commit(map[string]int64{"s": 5}); !errors.Is(err, errDisk) {
		t.Fatalf("error %v", err)
	}
	if db.Pending() == 0 {
		t.Error("the rows must still wait")
	}
	if o, _ := db.Offset("s"); o != -1 {
		t.Errorf("offset %d, want -1: nothing is committed", o)
	}
	no(t, db.Commit(map[string]int64{"s": 5}))
	after := state.OpenDB(f)
	same(t, "row", "1", get(t, after.Table("s"), "a"))
	o, err := after.Offset("s")
	no(t, err)
	same(t, "offset", int64(5), o)
}

func TestPendingCountsBytes(t *testing.T) {
	db := state.OpenDB(state.NewMemory())
	s := db.Table("s")
	for _, c := range []struct {
		key, value string
		want       int64
	}{{"ab", "123", 5}, {"ab", "1", 3}, {"c", "", 4}, {"ab", "1234", 7}} {
		put(t, s, c.key, c.value)
		same(t, "pending", c.want, db.Pending())
	}
	remove(t, s, "ab")
	same(t, "a deletion has a key", int64(3), db.Pending())
	no(t, db.Commit(nil))
	same(t, "after the commit", int64(0), db.Pending())
}

// TestTableAgainstAMap drives two stores of one DB with random operations, and compares every read with plain maps.
func TestTableAgainstAMap(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		for seed := range uint64(6) {
			m := &tableModel{t: t, r: rand.New(rand.NewPCG(seed, 1)), p: p, names: []string{"x" + strconv.Itoa(int(seed)), "xy" + strconv.Itoa(int(seed))}}
			m.open()
			m.committed = m.clone(nil)
			m.now = m.clone(nil)
			for range 1500 {
				m.step()
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

type tableModel struct {
	t              *testing.T
	r              *rand.Rand
	p              *place
	names          []string
	db             *state.DB
	tables         []*state.Table
	committed, now []map[string]string
}

func (m *tableModel) clone(from []map[string]string) []map[string]string {
	var out []map[string]string
	for i := range m.names {
		c := map[string]string{}
		if from != nil {
			for k, v := range from[i] {
				c[k] = v
			}
		}
		out = append(out, c)
	}
	return out
}

func (m *tableModel) open() {
	m.db = state.OpenDB(m.p.engine)
	m.tables = nil
	for _, n := range m.names {
		m.tables = append(m.tables, m.db.Table(n))
	}
}

func (m *tableModel) key() string {
	const alphabet = "\x00ab\xff"
	k := make([]byte, m.r.IntN(4))
	for i := range k {
		k[i] = alphabet[m.r.IntN(len(alphabet))]
	}
	return string(k)
}

func (m *tableModel) step() {
	i := m.r.IntN(len(m.tables))
	s, now := m.tables[i], m.now[i]
	switch n := m.r.IntN(100); {
	case n < 40:
		k, v := m.key(), m.key()
		put(m.t, s, k, v)
		now[k] = v
	case n < 55:
		k := m.key()
		remove(m.t, s, k)
		delete(now, k)
	case n < 70:
		k := m.key()
		want, ok := now[k]
		if !ok {
			want = "<nil>"
		}
		same(m.t, "get", want, get(m.t, s, k))
	case n < 90:
		m.scan(s, now)
	case n < 96:
		no(m.t, m.db.Commit(map[string]int64{m.names[i]: int64(n)}))
		m.committed = m.clone(m.now)
	case n < 98:
		m.p.reopen(m.t)
		m.open()
		m.now = m.clone(m.committed)
	default:
		no(m.t, m.db.Wipe(m.names[i]))
		clear(now)
		clear(m.committed[i])
	}
}

func (m *tableModel) scan(s state.Bytes, now map[string]string) {
	span := state.Span{Reverse: m.r.IntN(2) == 0}
	if m.r.IntN(3) > 0 {
		span.From = b(m.key())
	}
	if m.r.IntN(3) > 0 {
		span.To = b(m.key())
	}
	want := []string{}
	for k, v := range now {
		if k >= string(span.From) && (span.To == nil || k < string(span.To)) {
			want = append(want, k+"="+v)
		}
	}
	slices.SortFunc(want, func(a, b string) int { return compareRows(a, b, span.Reverse) })
	same(m.t, "scan", want, rows(m.t, s.Scan(span)))
}

// compareRows orders "key=value" by key; keys have no '='.
func compareRows(a, b string, reverse bool) int {
	key := func(s string) string { return s[:slices.Index([]byte(s), '=')] }
	c := slices.Compare([]byte(key(a)), []byte(key(b)))
	if reverse {
		return -c
	}
	return c
}
