package state_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// logged is a record of a changelog.
type logged struct {
	key, value []byte
	headers    []broker.Header
}

func openBuffer(t *testing.T, name string, log *[]logged) *state.Handle {
	t.Helper()
	cfg := state.OpenConfig{Ctx: new(state.RecordContext)}
	if log != nil {
		cfg.Log = func(k, v []byte, ts int64, headers []broker.Header) error {
			if ts >= 0 {
				t.Errorf("the changelog record of %q has the time %d: the producer's clock decides", k, ts)
			}
			*log = append(*log, logged{slices.Clone(k), v, headers})
			return nil
		}
	}
	h, err := state.OpenDB(state.NewMemory()).Open(state.Spec{Name: name, Kind: state.SuppressBuffer, Logging: log != nil}, cfg)
	no(t, err)
	return h
}

// TestBufferChangelog holds and releases random updates, and restores the changelog into another buffer after each flush.
func TestBufferChangelog(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	var log []logged
	h := openBuffer(t, "b", &log)
	b := h.Buffer
	bytesOf := func() []byte { return [][]byte{nil, {}, []byte("v"), []byte("longer")}[r.IntN(4)] }
	for step := range 2000 {
		switch n := r.IntN(10); {
		case n < 6:
			ctx := state.RecordContext{Topic: "in", Partition: 1, Offset: int64(step), Timestamp: int64(r.IntN(50)), Headers: []broker.Header{{Key: "h", Value: bytesOf()}}[:r.IntN(2)]}
			b.Hold(int64(r.IntN(50)), fmt.Appendf(nil, "%c", 'a'+r.IntN(20)), bytesOf(), bytesOf(), ctx)
		case n < 9:
			if first := b.First(); first != nil {
				b.Release(first)
			}
		default:
			before, err := h.Rows()
			no(t, err)
			same(t, "before a flush the rows are those of the changelog", restored(t, log), before)
			no(t, h.Flush())
			rows, err := h.Rows()
			no(t, err)
			same(t, "rows", restored(t, log), rows)
			same(t, "held", b.Len(), len(rows))
		}
	}
	for b.Len() > 0 {
		b.Release(b.First())
	}
	same(t, "bytes of an empty buffer", int64(0), b.Size())
}

func restored(t *testing.T, log []logged) [][2][]byte {
	t.Helper()
	h := openBuffer(t, "b", nil)
	for _, l := range log {
		if l.value != nil && (len(l.headers) != 1 || l.headers[0].Key != "v" || l.headers[0].Value[0] != 3) {
			t.Errorf("the changelog record of %q has the headers %v", l.key, l.headers)
		}
		no(t, h.Restore(l.key, l.value, 7))
	}
	rows, err := h.Rows()
	no(t, err)
	return rows
}

func TestBufferKeepsTheFirstTimeAndThePriorValue(t *testing.T) {
	b := openBuffer(t, "b", nil).Buffer
	ctx := state.RecordContext{Topic: "in"}
	b.Hold(9, []byte("x"), []byte("0"), []byte("1"), ctx)
	b.Hold(5, []byte("z"), nil, []byte("1"), ctx)
	b.Hold(5, []byte("y"), nil, []byte("1"), ctx)
	b.Hold(1, []byte("x"), []byte("1"), []byte("2"), ctx)
	order := ""
	for first := b.First(); first != nil; first = b.First() {
		order += fmt.Sprintf("%s@%d %s>%s>%s ", first.Key, first.Time, first.Prior, first.Old, first.New)
		b.Release(first)
	}
	same(t, "order", "y@5 >>1 z@5 >>1 x@9 0>1>2 ", order)
}

func FuzzRestoreBuffer(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, value []byte) {
		h := openBuffer(t, "b", nil)
		if h.Restore([]byte("k"), value, 0) != nil {
			return
		}
		rows, err := h.Rows()
		no(t, err)
		again := openBuffer(t, "b", nil)
		no(t, again.Restore([]byte("k"), rows[0][1], 0))
		twice, err := again.Rows()
		no(t, err)
		same(t, "written and read again", rows, twice)
	})
}
