package sim

import (
	"math/rand/v2"
	"path"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// DiskConfig says what a power failure leaves. The zero value is the harshest disk: exactly what was synced.
type DiskConfig struct {
	// WriteBackPercent is how likely it is, after each write to a file and each change of a directory, that the operating system writes
	// that file or directory back by itself, so that it survives without a sync: 0 to 100.
	WriteBackPercent int
	// Seed decides which are written back.
	Seed uint64
}

// Disk outlives the processes that use it.
type Disk struct {
	mu     sync.Mutex // libraries' goroutines do I/O while the kernel sets faults
	cfg    DiskConfig
	mem    *vfs.MemFS // what the next process will find
	faults []diskFault
	writes map[string]uint64 // path -> changes, to draw for the next
}

type diskFault struct {
	name string
	f    DiskFault
}

// DiskFault is asked before each operation on a disk; an error fails the operation with it. It is called from any goroutine, and
// must not touch the disk itself.
type DiskFault func(op DiskOp) error

// DiskOp is one operation on a disk: its kind, the path, and the offset where there is one.
type DiskOp = errorfs.Op

// NewDisk returns an empty disk.
func NewDisk(cfg DiskConfig) *Disk {
	return &Disk{cfg: cfg, mem: vfs.NewCrashableMem(), writes: map[string]uint64{}}
}

// FS is the disk itself, as the next process will find it: no faults apply. For tests, tools and inspection.
func (d *Disk) FS() vfs.FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return diskFS{d.mem, d}
}

// Crash takes away what was not synced. Process.Kill does it at the kill point; it is atomic against I/O of libraries' goroutines.
// File systems obtained before belong to the time before: they still work, and what is written to them is lost.
func (d *Disk) Crash() { d.take(true) }

// take cuts the disk off from those who use it now; after a crash without the unsynced writes.
func (d *Disk) take(crash bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// only 0 and 100 per cent: in between, CrashClone draws in the order of a map
	cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))}
	if crash {
		cfg.UnsyncedDataPercent = 0
	}
	d.mem = d.mem.CrashClone(cfg)
}

// Wipe empties the disk, for a machine that comes back with a new one. As with Crash, file systems obtained before are cut off.
func (d *Disk) Wipe() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mem = vfs.NewCrashableMem()
}

// SetFault installs a fault, or replaces the one of that name. Faults apply to processes, present and future, in order of installation.
func (d *Disk) SetFault(name string, f DiskFault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.faults {
		if d.faults[i].name == name {
			d.faults[i].f = f
			return
		}
	}
	d.faults = append(d.faults, diskFault{name, f})
}

// RemoveFault removes the fault of that name, if there is one.
func (d *Disk) RemoveFault(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.faults {
		if d.faults[i].name == name {
			d.faults = append(d.faults[:i:i], d.faults[i+1:]...)
			return
		}
	}
}

// mount returns the file system for a process that is alive until dead says otherwise.
func (d *Disk) mount(dead *atomic.Bool) vfs.FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return errorfs.Wrap(diskFS{d.mem, d}, errorfs.InjectorFunc(func(op DiskOp) error {
		if dead.Load() {
			return nil // the disk is cut off: let a dying library finish in peace
		}
		return d.check(op)
	}))
}

func (d *Disk) check(op DiskOp) error {
	d.mu.Lock()
	faults := d.faults
	d.mu.Unlock()
	for _, x := range faults {
		if err := x.f(op); err != nil {
			return err
		}
	}
	return nil
}

// writesBack draws for the next change of a path. The draw depends on the path and how often it changed, not on what other goroutines do.
func (d *Disk) writesBack(name string) bool {
	if d.cfg.WriteBackPercent <= 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.cfg.Seed ^ fnvOffset
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * fnvPrime
	}
	d.writes[name]++
	draw := splitmix(h + d.writes[name])
	return draw.below(100) < d.cfg.WriteBackPercent
}

// DiskFull is a disk without space: whatever would write fails with ENOSPC.
func DiskFull(op DiskOp) error {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpMkdirAll, errorfs.OpLink, errorfs.OpFileWrite, errorfs.OpFileWriteAt,
		errorfs.OpFilePreallocate:
		return syscall.ENOSPC
	}
	return nil
}

// BadFiles fails reads, writes and syncs of the files whose base name matches the pattern (as path.Match) with err; nil is EIO.
func BadFiles(pattern string, err error) DiskFault {
	if err == nil {
		err = syscall.EIO
	}
	return func(op DiskOp) error {
		switch op.Kind {
		case errorfs.OpFileClose, errorfs.OpStat, errorfs.OpFileStat, errorfs.OpList:
			return nil
		}
		if ok, _ := path.Match(pattern, path.Base(op.Path)); ok {
			return err
		}
		return nil
	}
}
