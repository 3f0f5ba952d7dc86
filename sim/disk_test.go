package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/kstreamlab/kstreamlab/sim"
)

func TestCrashLosesWhatWasNotSynced(t *testing.T) {
	for percent, want := range map[int]string{0: "synced", 100: "synced unsynced"} {
		d := sim.NewDisk(sim.DiskConfig{WriteBackPercent: percent})
		writeFile(d.FS(), "synced", "x", true)
		writeFile(d.FS(), "unsynced", "x", false)
		d.Crash()
		if got := files(t, d); got != want {
			t.Errorf("%d %%: got %q, want %q", percent, got, want)
		}
		if data := content(t, d, "synced"); data != "x" {
			t.Errorf("%d %%: the synced file has %q", percent, data)
		}
		d.Wipe()
		if got := files(t, d); got != "" {
			t.Errorf("after Wipe: %q", got)
		}
	}
}

func content(t *testing.T, d *sim.Disk, name string) string {
	t.Helper()
	f, err := d.FS().Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The operating system writes back by itself some of what nobody synced, the same in every run of a seed.
func TestWriteBackBySeed(t *testing.T) {
	images := map[string]int{}
	for seed := range uint64(20) {
		image := func() string {
			d := sim.NewDisk(sim.DiskConfig{WriteBackPercent: 50, Seed: seed})
			for i := range 5 {
				writeFile(d.FS(), fmt.Sprint(i), "x", false)
			}
			d.Crash()
			image := ""
			for name := range strings.FieldsSeq(files(t, d)) {
				image += name + "=" + content(t, d, name) + " "
			}
			return image
		}
		first := image()
		if second := image(); first != second {
			t.Fatalf("seed %d: %q and %q", seed, first, second)
		}
		images[first]++
	}
	if len(images) < 5 {
		t.Fatalf("20 seeds left %d different images", len(images))
	}
}

// Every way to change a disk is written back: with 100 per cent a crash loses nothing.
func TestEveryChangeIsWrittenBack(t *testing.T) {
	d := sim.NewDisk(sim.DiskConfig{WriteBackPercent: 100})
	fs := d.FS()
	check := func(want string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		before := files(t, d)
		d.Crash()
		if got := files(t, d); got != want || got != before {
			t.Errorf("after the crash %q, before %q, want %q", got, before, want)
		}
		fs = d.FS()
	}
	check("dir", fs.MkdirAll("dir", 0o755))
	writeFile(fs, "a", "old", false)
	check("a dir", nil)
	check("a b dir", fs.Link("a", "b"))
	check("a c dir", fs.Rename("b", "c"))
	check("c dir", fs.Remove("a"))
	check("c", fs.RemoveAll("dir"))
	f, err := fs.OpenReadWrite("c", "")
	if err == nil {
		_, err = f.WriteAt([]byte("new"), 0)
	}
	check("c", err)
	_, err = fs.ReuseForWrite("c", "d", "")
	check("d", err)
	if got := content(t, d, "d"); got != "new" {
		t.Errorf("the file has %q", got)
	}
}

func TestDiskFaults(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	fs, d := p.FS(), p.Disk()
	writeFile(fs, "a.log", "x", true)
	for name, tc := range map[string]struct {
		fault sim.DiskFault
		read  error
		write error
	}{
		"full":        {sim.DiskFull, nil, syscall.ENOSPC},
		"bad file":    {sim.BadFiles("*.log", nil), syscall.EIO, syscall.EIO},
		"other files": {sim.BadFiles("*.sst", nil), nil, nil},
		"own error": {func(op sim.DiskOp) error {
			return map[bool]error{true: errors.ErrUnsupported}[op.Kind == errorfs.OpOpen]
		}, errors.ErrUnsupported, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d.SetFault("f", sim.DiskFull)
			d.SetFault("f", tc.fault)
			if _, err := fs.Create("b.log", ""); !errors.Is(err, tc.write) {
				t.Errorf("create: %v, want %v", err, tc.write)
			}
			if _, err := fs.Open("a.log"); !errors.Is(err, tc.read) {
				t.Errorf("open: %v, want %v", err, tc.read)
			}
			d.RemoveFault("f")
			d.RemoveFault("f")
			if _, err := fs.Create("b.log", ""); err != nil {
				t.Errorf("create without a fault: %v", err)
			}
		})
	}
}

// Faults do not meet a process that is dead: its libraries close in peace.
func TestFaultsSpareTheDead(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	fs := p.FS()
	p.Disk().SetFault("full", sim.DiskFull)
	p.Kill()
	if _, err := fs.Create("x", ""); err != nil {
		t.Fatal(err)
	}
	if got := files(t, p.Disk()); got != "" {
		t.Fatalf("the disk has %q", got)
	}
}

// A database under load is killed again and again. What was committed with a sync is there, and what came after the kill is not.
func TestPebbleSurvivesKills(t *testing.T) {
	for _, r := range killPebble(t, 5, 4) {
		if r.found < r.synced || r.found > r.written {
			t.Errorf("found %d records, of which %d were synced and %d written", r.found, r.synced, r.written)
		}
	}
}

// When every commit is synced, what a restart finds is a function of the seed, whatever Pebble's own goroutines do. (Without a sync it may
// depend on how far they got.)
func TestPebbleWithSyncedCommitsReplays(t *testing.T) {
	first, second := killPebble(t, 6, 1), killPebble(t, 6, 1)
	if !slices.Equal(first, second) {
		t.Fatalf("%+v\nthen %+v", first, second)
	}
	for _, r := range first {
		if r.found != r.written {
			t.Errorf("%+v", r)
		}
	}
}

// restart is what a process found in its database, and what the ones before had written to it.
type restart struct{ found, synced, written int }

// killPebble runs ten processes one after another on one disk; each commits, every so often with a sync, until it is killed.
func killPebble(t *testing.T, seed uint64, syncEvery int) (out []restart) {
	w := newWorld(t, seed)
	rng := w.Rand("test")
	disk := sim.NewDisk(sim.DiskConfig{})
	var r restart
	for range 10 {
		p := w.NewProcess("app", disk)
		p.Go("main", func(ctx context.Context) {
			db := openPebble(t, p)
			r.found = count(t, db)
			out = append(out, r)
			r.synced, r.written = r.found, r.found
			for {
				sync := rng.IntN(syncEvery) == 0
				r.written++
				if err := db.Set(key(r.written), make([]byte, 100), &pebble.WriteOptions{Sync: sync}); err != nil {
					t.Error(err)
					return
				}
				if sync {
					r.synced = r.written
				}
				sleepInIterator(t, ctx, p, db)
			}
		})
		if err := w.RunUntil(w.Now().Add(time.Duration(50+rng.IntN(200)) * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		p.Kill()
	}
	if r.synced < 300 {
		t.Fatalf("only %d records were synced", r.synced)
	}
	return out
}

// sleepInIterator has an iterator open across the kill point, as a state store would.
func sleepInIterator(t *testing.T, ctx context.Context, p *sim.Process, db *pebble.DB) {
	iter, err := db.NewIter(nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer iter.Close()
	_ = p.Sleep(ctx, time.Millisecond)
}

func key(n int) []byte { return fmt.Appendf(nil, "%08d", n) }

func openPebble(t *testing.T, p *sim.Process) *pebble.DB {
	db, err := pebble.Open("db", &pebble.Options{FS: p.FS(), Logger: quiet{t}, MemTableSize: 16 << 10})
	if err != nil {
		t.Error(err)
		panic(err)
	}
	p.AfterUnwind(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close after the kill: %v", err)
		}
	})
	return db
}

// count checks that the records are 1, 2, 3, ... and returns how many there are.
func count(t *testing.T, db *pebble.DB) int {
	iter, err := db.NewIter(nil)
	if err != nil {
		t.Error(err)
		return -1
	}
	defer iter.Close()
	n := 0
	for iter.First(); iter.Valid(); iter.Next() {
		if n++; string(iter.Key()) != string(key(n)) {
			t.Errorf("record %d has key %s", n, iter.Key())
		}
	}
	return n
}

// quiet is a pebble.Logger that fails the test where Pebble would end the process.
type quiet struct{ t *testing.T }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (q quiet) Fatalf(format string, args ...any) {
	panic(strings.TrimSpace(fmt.Sprintf(format, args...)))
}
