package sim

import (
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// diskFS is a memory file system that behaves the same in every run (MemFS lists directories in the order of a map) and writes back by
// itself as DiskConfig says.
type diskFS struct {
	*vfs.MemFS
	d *Disk
}

// List returns the names in order.
func (fs diskFS) List(dir string) ([]string, error) {
	names, err := fs.MemFS.List(dir)
	slices.Sort(names)
	return names, err
}

// changed tells that the entry name of a directory is new, other or gone.
func (fs diskFS) changed(name string, err error) error {
	if err != nil {
		return err
	}
	dir := fs.PathDir(name)
	if !fs.d.writesBack(dir) {
		return nil
	}
	if dir == "." {
		dir = ""
	}
	f, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// opened is a file that writes itself back.
func (fs diskFS) opened(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || fs.d.cfg.WriteBackPercent <= 0 {
		return f, err
	}
	return diskFile{f, fs.d, name}, nil
}

func (fs diskFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.MemFS.Create(name, c)
	return fs.opened(name, f, fs.changed(name, err))
}

func (fs diskFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.MemFS.OpenReadWrite(name, c, opts...)
	return fs.opened(name, f, fs.changed(name, err))
}

func (fs diskFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.MemFS.ReuseForWrite(old, name, c)
	return fs.opened(name, f, fs.changed(name, err))
}

func (fs diskFS) Link(old, name string) error   { return fs.changed(name, fs.MemFS.Link(old, name)) }
func (fs diskFS) Rename(old, name string) error { return fs.changed(name, fs.MemFS.Rename(old, name)) }
func (fs diskFS) Remove(name string) error      { return fs.changed(name, fs.MemFS.Remove(name)) }
func (fs diskFS) RemoveAll(name string) error   { return fs.changed(name, fs.MemFS.RemoveAll(name)) }

func (fs diskFS) MkdirAll(dir string, perm os.FileMode) error {
	return fs.changed(dir, fs.MemFS.MkdirAll(dir, perm))
}

// diskFile is an open file that the operating system writes back now and then.
type diskFile struct {
	vfs.File
	d    *Disk
	name string
}

func (f diskFile) written(n int, err error) (int, error) {
	if err == nil && f.d.writesBack(f.name) {
		err = f.Sync()
	}
	return n, err
}

func (f diskFile) Write(p []byte) (int, error) { return f.written(f.File.Write(p)) }

func (f diskFile) WriteAt(p []byte, off int64) (int, error) {
	return f.written(f.File.WriteAt(p, off))
}
