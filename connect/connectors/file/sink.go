package file

import (
	"context"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

var sinkDef = config.NewDef(config.Key{Name: fileKey, Type: config.String, Doc: "The file to append to; standard output where it is not set."})

// Sink is FileStreamSinkConnector. All its tasks append to the same file.
type Sink struct {
	h     host.Host
	std   Standard
	props map[string]string
	out   *appender
}

// appender appends to a file, or to standard output, for several tasks.
type appender struct {
	mu    sync.Locker
	std   io.Writer
	file  vfs.File // nil: standard output
	users int
}

var _ connect.SinkConnector = (*Sink)(nil)

// Version is the connector's version.
func (*Sink) Version() string { return connect.Version }

// Config declares the properties.
func (*Sink) Config() *config.Def { return sinkDef }

// Start keeps the properties.
func (s *Sink) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	s.props = props
	_, err := sinkDef.Parse(config.PropsOf(props))
	return err
}

// TaskConfigs are max times the same.
func (s *Sink) TaskConfigs(max int) ([]map[string]string, error) {
	out := make([]map[string]string, max)
	for i := range out {
		out[i] = s.props
	}
	return out, nil
}

// Stop does nothing.
func (*Sink) Stop(context.Context) {}

// NewTask makes a task.
func (s *Sink) NewTask() connect.SinkTask {
	if s.out == nil {
		s.out = &appender{mu: s.h.NewMutex(), std: s.std.Out}
	}
	return &sinkTask{h: s.h, out: s.out}
}

// AlterOffsets allows every change.
func (*Sink) AlterOffsets(map[string]string, connect.Offsets) (bool, error) { return true, nil }

// open opens the file for one more task.
func (a *appender) open(h host.Host, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users++
	if name == "" || a.file != nil {
		return nil
	}
	f, err := h.FS().OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return data.ConnectException.Wrap(err, "Couldn't find or create file '"+name+"' for FileStreamSinkTask")
	}
	a.file = f
	return nil
}

func (a *appender) write(b []byte) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.file != nil:
		var info vfs.FileInfo
		if info, err = a.file.Stat(); err == nil { // others may append to it as well
			_, err = a.file.WriteAt(b, info.Size())
		}
	case a.std != nil:
		_, err = a.std.Write(b)
	}
	return err
}

// sync brings everything to disk.
func (a *appender) sync() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	return a.file.Sync()
}

// close closes the file after its last task.
func (a *appender) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.users--; a.users == 0 && a.file != nil {
		_ = a.file.Close() // what matters was synced
		a.file = nil
	}
}

// sinkTask appends lines. What was flushed is on disk.
type sinkTask struct {
	h      host.Host
	out    *appender
	opened bool
	buf    []byte
}

var _ connect.Flusher = (*sinkTask)(nil)

func (*sinkTask) Version() string { return connect.Version }

func (t *sinkTask) Start(_ context.Context, _ connect.SinkTaskContext, props map[string]string) error {
	t.opened = true
	return t.out.open(t.h, props[fileKey])
}

// Put writes a line for each record.
func (t *sinkTask) Put(_ context.Context, records []*connect.Record) error {
	t.buf = t.buf[:0]
	for _, r := range records {
		t.buf = append(append(t.buf, data.Text(r.Value)...), '\n')
	}
	if len(t.buf) == 0 {
		return nil
	}
	if err := t.out.write(t.buf); err != nil {
		return data.ConnectException.Because(err)
	}
	return nil
}

// Flush brings everything to disk.
func (t *sinkTask) Flush(context.Context, connect.Offsets) error { return t.out.sync() }

func (t *sinkTask) Stop() {
	if t.opened {
		t.out.close()
	}
}
