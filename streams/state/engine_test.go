package state_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/state"
)

// place is somewhere to keep an engine. reopen closes and opens it again, as a restart would; memory stays as it is.
type place struct {
	name   string
	engine state.Engine
	fs     vfs.FS
}

func memory(testing.TB) *place { return &place{name: "memory", engine: state.NewMemory()} }

func pebble(t testing.TB) *place {
	p := &place{name: "pebble", fs: vfs.NewMem()}
	p.open(t)
	t.Cleanup(func() { p.engine.Close() })
	return p
}

func (p *place) open(t testing.TB) {
	t.Helper()
	e, err := state.OpenPebble("db", state.PebbleOptions{FS: p.fs, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p.engine = e
}

func (p *place) reopen(t testing.TB) state.Engine {
	t.Helper()
	if p.fs == nil {
		return p.engine
	}
	no(t, p.engine.Close())
	p.open(t)
	return p.engine
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, f func(t *testing.T, p *place)) {
	for _, make := range []func(testing.TB) *place{memory, pebble} {
		p := make(t)
		t.Run(p.name, func(t *testing.T) { f(t, p) })
	}
}

func no(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rows renders what an iterator gives as "key=value", and closes it.
func rows(t testing.TB, it state.Iterator) []string {
	t.Helper()
	out := []string{}
	for it.Next() {
		out = append(out, fmt.Sprintf("%s=%s", it.Key(), it.Value()))
	}
	if it.Next() {
		t.Error("Next is true again after it was false")
	}
	no(t, it.Err())
	no(t, it.Close())
	return out
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func b(s string) []byte { return []byte(s) }

func fill(t testing.TB, e state.Engine, keys ...string) {
	t.Helper()
	var w state.Batch
	for _, k := range keys {
		w.Set(b(k), b("v"+k))
	}
	no(t, e.Apply(&w))
}

// TestEngineContract is the contract of Engine.
func TestEngineContract(t *testing.T) {
	cases := map[string]func(t *testing.T, e state.Engine){
		"nothing is nil": func(t *testing.T, e state.Engine) {
			v, err := e.Get(b("a"))
			no(t, err)
			if v != nil {
				t.Errorf("%q, want nil", v)
			}
			same(t, "scan", []string{}, rows(t, e.Scan(nil, nil, false)))
			same(t, "reverse", []string{}, rows(t, e.Scan(nil, nil, true)))
		},
		"an empty value is not nil": func(t *testing.T, e state.Engine) {
			var w state.Batch
			w.Set(b("a"), []byte{})
			no(t, e.Apply(&w))
			v, err := e.Get(b("a"))
			no(t, err)
			if v == nil || len(v) != 0 {
				t.Errorf("%#v, want an empty value", v)
			}
			it := e.Scan(nil, nil, false)
			defer it.Close()
			if !it.Next() || it.Value() == nil {
				t.Error("a scan must give the empty value, not nil")
			}
		},
		"the last of a batch counts": func(t *testing.T, e state.Engine) {
			var w state.Batch
			w.Set(b("a"), b("1"))
			w.Set(b("a"), b("2"))
			w.Set(b("b"), b("1"))
			w.Set(b("b"), nil)
			w.Set(b("c"), nil)
			w.Set(b("c"), b("3"))
			no(t, e.Apply(&w))
			same(t, "rows", []string{"a=2", "c=3"}, rows(t, e.Scan(nil, nil, false)))
		},
		"delete range": func(t *testing.T, e state.Engine) {
			fill(t, e, "a", "b", "bb", "c", "d")
			var w state.Batch
			w.Set(b("ba"), b("new"))
			w.DeleteRange(b("b"), b("c"))
			w.Set(b("bz"), b("after"))
			no(t, e.Apply(&w))
			same(t, "rows", []string{"a=va", "bz=after", "c=vc", "d=vd"}, rows(t, e.Scan(nil, nil, false)))
		},
		"delete ranges that hold nothing": func(t *testing.T, e state.Engine) {
			fill(t, e, "a", "b", "c")
			var w state.Batch
			w.DeleteRange(b("c"), b("a"))
			w.DeleteRange(b("b"), b("b"))
			w.DeleteRange(b("x"), b("z"))
			no(t, e.Apply(&w))
			same(t, "rows", []string{"a=va", "b=vb", "c=vc"}, rows(t, e.Scan(nil, nil, false)))
		},
		"bounds": func(t *testing.T, e state.Engine) {
			fill(t, e, "a", "b", "c", "d")
			for _, c := range []struct {
				from, to []byte
				want     []string
			}{
				{nil, nil, []string{"a=va", "b=vb", "c=vc", "d=vd"}},
				{b("b"), nil, []string{"b=vb", "c=vc", "d=vd"}},
				{nil, b("c"), []string{"a=va", "b=vb"}},
				{b("b"), b("d"), []string{"b=vb", "c=vc"}},
				{b("aa"), b("cc"), []string{"b=vb", "c=vc"}},
				{b("b"), b("b"), []string{}},
				{b("c"), b("b"), []string{}},
				{b("e"), nil, []string{}},
				{nil, b("a"), []string{}},
				{b("0"), b("1"), []string{}},
			} {
				same(t, fmt.Sprintf("[%s,%s)", c.from, c.to), c.want, rows(t, e.Scan(c.from, c.to, false)))
				back := []string{}
				for i := range c.want {
					back = append(back, c.want[len(c.want)-1-i])
				}
				same(t, fmt.Sprintf("[%s,%s) backwards", c.from, c.to), back, rows(t, e.Scan(c.from, c.to, true)))
			}
		},
		"keys are unsigned bytes": func(t *testing.T, e state.Engine) {
			fill(t, e, "\xff", "\x80", "\x00", "\x7f", "\x00\x00")
			var got []string
			it := e.Scan(nil, nil, false)
			defer it.Close()
			for it.Next() {
				got = append(got, string(it.Key()))
			}
			same(t, "order", []string{"\x00", "\x00\x00", "\x7f", "\x80", "\xff"}, got)
		},
		"keys and values outlive the iterator and later batches": func(t *testing.T, e state.Engine) {
			fill(t, e, "a", "b")
			it := e.Scan(nil, nil, false)
			var keys, values [][]byte
			for it.Next() {
				keys, values = append(keys, it.Key()), append(values, it.Value())
			}
			no(t, it.Close())
			v, err := e.Get(b("a"))
			no(t, err)
			var w state.Batch
			w.Set(b("a"), b("XX"))
			w.Set(b("b"), nil)
			no(t, e.Apply(&w))
			same(t, "keys", [][]byte{b("a"), b("b")}, keys)
			same(t, "values", [][]byte{b("va"), b("vb")}, values)
			same(t, "value", b("va"), v)
		},
		"a batch can be reset and used again": func(t *testing.T, e state.Engine) {
			var w state.Batch
			w.Set(b("a"), b("1"))
			no(t, e.Apply(&w))
			w.Reset()
			if w.Len() != 0 {
				t.Errorf("%d changes after Reset", w.Len())
			}
			w.Set(b("b"), b("2"))
			no(t, e.Apply(&w))
			same(t, "rows", []string{"a=1", "b=2"}, rows(t, e.Scan(nil, nil, false)))
		},
		"rows may be changed while an iterator is open": func(t *testing.T, e state.Engine) {
			fill(t, e, "a", "b", "c", "d")
			for _, reverse := range []bool{false, true} {
				it := e.Scan(nil, nil, reverse)
				if !it.Next() {
					t.Fatal("no first row")
				}
				var w state.Batch
				w.Set(it.Key(), nil)
				no(t, e.Apply(&w))
				seen := 1
				for it.Next() {
					seen++
				}
				no(t, it.Close())
				if left := len(rows(t, e.Scan(nil, nil, false))); seen != left+1 {
					t.Errorf("reverse %v: saw %d rows, want %d", reverse, seen, left+1)
				}
			}
		},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) { onBoth(t, func(t *testing.T, p *place) { f(t, p.engine) }) })
	}
}

func TestPrefixEnd(t *testing.T) {
	for _, c := range []struct{ in, want string }{{"a", "b"}, {"a\xff", "b"}, {"\x00", "\x01"}, {"a\xff\xff", "b"}, {"ab", "ac"}} {
		same(t, fmt.Sprintf("%q", c.in), c.want, string(state.PrefixEnd(b(c.in))))
	}
	for _, in := range []string{"", "\xff", "\xff\xff"} {
		if end := state.PrefixEnd(b(in)); end != nil {
			t.Errorf("%q: %q, want nil: there is no end", in, end)
		}
	}
}
