package state_test

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/streams/state"
)

// TestACrashKeepsOffsetsAndRowsTogether commits a counter and an offset in every step, pulls the plug, and demands that what is left is one
// of the commits, whole: all stores at the same step, at the offset of that step, and not before the last step that was synced.
func TestACrashKeepsOffsetsAndRowsTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	fs := vfs.NewCrashableMem()
	step, synced := uint64(0), uint64(0)
	for crash := range 25 {
		e, err := state.OpenPebble("db", state.PebbleOptions{FS: fs, Log: slog.New(slog.DiscardHandler), MemTableSize: 64 << 10})
		no(t, err)
		db := state.OpenDB(e)
		left := recovered(t, db)
		if left > step {
			t.Fatalf("crash %d: step %d, but only %d were made", crash, left, step)
		}
		if left < synced {
			t.Fatalf("crash %d: step %d, but %d was synced", crash, left, synced)
		}
		step = left
		counters := db.Table("counters")
		windows, err := db.Segments("windows", state.SegmentsConfig{Retention: 2 * minute, Time: state.WindowTime})
		no(t, err)
		for range r.IntN(60) {
			step++
			v := binary.BigEndian.AppendUint64(nil, step)
			no(t, counters.Put(b("step"), v))
			no(t, counters.Put(b(fmt.Sprint("filler", r.IntN(50))), make([]byte, r.IntN(4000))))
			no(t, windows.Put(wkey("step", int64(step)*minute/3), v))
			no(t, db.Commit(map[string]int64{"counters": int64(step), "windows": int64(step) * 2}))
			if r.IntN(20) == 0 {
				no(t, db.Sync())
				synced = step
			}
		}
		// what is not committed must never come back
		no(t, counters.Put(b("step"), binary.BigEndian.AppendUint64(nil, 1<<60)))
		crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		no(t, db.Close())
		fs = crashed
	}
	if step == 0 {
		t.Error("nothing ever survived")
	}
}

// recovered reads the step that the database is at, and checks that it is one step in every respect.
func recovered(t *testing.T, db *state.DB) uint64 {
	t.Helper()
	var step uint64
	v, err := db.Table("counters").Get(b("step"))
	no(t, err)
	if v != nil {
		step = binary.BigEndian.Uint64(v)
	}
	counters, err := db.Offset("counters")
	no(t, err)
	windows, err := db.Offset("windows")
	no(t, err)
	if step == 0 {
		same(t, "offsets of an empty database", []int64{-1, -1}, []int64{counters, windows})
		return 0
	}
	same(t, "offsets", []int64{int64(step), int64(step) * 2}, []int64{counters, windows})
	s, err := db.Segments("windows", state.SegmentsConfig{Retention: 2 * minute, Time: state.WindowTime})
	no(t, err)
	same(t, "the store's time", int64(step)*minute/3, s.Observed())
	v, err = s.Get(wkey("step", int64(step)*minute/3))
	no(t, err)
	if v == nil || binary.BigEndian.Uint64(v) != step {
		t.Errorf("window of step %d: %x", step, v)
	}
	return step
}
