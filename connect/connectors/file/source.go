package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// The properties and offset fields.
const (
	fileKey      = "file"
	topicKey     = "topic"
	batchKey     = "batch.size"
	filenameName = "filename"
	positionName = "position"
)

var sourceDef = config.NewDef(
	config.Key{Name: fileKey, Type: config.String, Doc: "The file to read; standard input where it is not set."},
	config.Key{Name: topicKey, Type: config.String, Required: true, Validator: config.NonEmpty, Doc: "The topic to write to."},
	config.Key{Name: batchKey, Type: config.Int, Default: 2000, Importance: config.Low, Doc: "How many records a poll returns at most."},
)

// Source is FileStreamSourceConnector. It has one task.
type Source struct {
	h     host.Host
	std   Standard
	props map[string]string
}

var (
	_ connect.SourceConnector     = (*Source)(nil)
	_ connect.ExactlyOnce         = (*Source)(nil)
	_ connect.SourceOffsetAlterer = (*Source)(nil)
)

// Version is the connector's version.
func (*Source) Version() string { return connect.Version }

// Config declares the properties.
func (*Source) Config() *config.Def { return sourceDef }

// Start keeps the properties.
func (s *Source) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	s.props = props
	_, err := sourceDef.Parse(config.PropsOf(props))
	return err
}

// TaskConfigs are those of the one task.
func (s *Source) TaskConfigs(int) ([]map[string]string, error) {
	return []map[string]string{s.props}, nil
}

// Stop does nothing.
func (*Source) Stop(context.Context) {}

// NewTask makes the task.
func (s *Source) NewTask() connect.SourceTask { return &sourceTask{h: s.h, std: s.std} }

// ExactlyOnceSupport is true for a file: what was read can be read again.
func (*Source) ExactlyOnceSupport(props map[string]string) bool { return props[fileKey] != "" }

// CanDefineTransactionBoundaries is false.
func (*Source) CanDefineTransactionBoundaries(map[string]string) bool { return false }

// AlterOffsets takes positions that are whole numbers from 0 on, and removals.
func (*Source) AlterOffsets(props map[string]string, offsets []connect.SourcePosition) (bool, error) {
	if props[fileKey] == "" {
		return false, data.ConnectException.Errorf("Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.")
	}
	for _, o := range offsets {
		if o.Offset == nil {
			continue
		}
		v, ok := o.Offset.Get(positionName)
		if !ok {
			return false, data.ConnectException.Errorf("Offset objects should either be null or contain the key 'position'")
		}
		n, ok := v.(int64)
		switch {
		case !ok:
			return false, data.ConnectException.Errorf("The value for the 'position' key in the offset is expected to be a Long value")
		case n < 0:
			return false, data.ConnectException.Errorf("The value for the 'position' key in the offset should be a non-negative value")
		case o.Partition == nil:
			return false, data.ConnectException.Errorf("Partition objects cannot be null")
		}
		if _, ok := o.Partition.Get(filenameName); !ok {
			return false, data.ConnectException.Errorf("Partition objects should contain the key 'filename'")
		}
	}
	return true, nil
}

// pause is how long the task waits at the end of its file, missingPause where there is no file.
const (
	pause        = 250 * time.Millisecond
	missingPause = time.Second
)

// sourceTask reads one file.
type sourceTask struct {
	h         host.Host
	std       Standard
	name      string // empty: standard input
	topic     string
	most      int
	file      vfs.File
	missing   bool  // it was told that there is no file
	at        int64 // where the next bytes are read
	buf       []byte
	position  int64 // of the first byte in buf
	partition *data.Map
	offsets   connect.OffsetReader
}

func (*sourceTask) Version() string { return connect.Version }

func (t *sourceTask) Start(_ context.Context, tc connect.SourceTaskContext, props map[string]string) error {
	v, err := sourceDef.Parse(config.PropsOf(props))
	if err != nil {
		return err
	}
	t.name, t.topic, t.most, t.offsets = v.String(fileKey), v.String(topicKey), int(v.Int(batchKey)), tc.Offsets()
	if t.name != "" {
		t.partition = data.MapOfStrings(filenameName, t.name)
	}
	return nil
}

// Poll returns the lines that are there; at the end of the file, or where there is no file yet, it waits a little and returns nothing.
func (t *sourceTask) Poll(ctx context.Context) ([]*connect.Record, error) {
	if t.name != "" && t.file == nil {
		if err := t.open(ctx); err != nil {
			return nil, err
		}
		if t.file == nil {
			return nil, t.wait(ctx, missingPause)
		}
	}
	out := t.lines(nil)
	for len(out) < t.most {
		n, err := t.read()
		if err != nil {
			return nil, data.ConnectException.Because(err)
		}
		if n == 0 {
			break
		}
		out = t.lines(out)
	}
	if len(out) == 0 {
		return nil, t.wait(ctx, pause)
	}
	return out, nil
}

// wait pauses; that ctx ends is no failure.
func (t *sourceTask) wait(ctx context.Context, d time.Duration) error {
	if err := t.h.Sleep(ctx, d); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// open opens the file at the committed position. A file that is not there is no failure.
func (t *sourceTask) open(ctx context.Context) error {
	f, err := t.h.FS().Open(t.name)
	if errors.Is(err, fs.ErrNotExist) {
		if !t.missing {
			t.h.Log().Warn("connect: the file does not exist yet: waiting for it", "file", t.name)
		}
		t.missing = true
		return nil
	}
	if err != nil {
		return data.ConnectException.Because(err)
	}
	offset, err := t.offsets.Offset(ctx, t.partition)
	if err != nil {
		return err
	}
	if v, ok := offset.Get(positionName); ok {
		n, ok := v.(int64)
		if !ok || n < 0 {
			return data.ConnectException.Errorf("Offset position is the incorrect type")
		}
		t.at, t.position = n, n
	}
	t.file = f
	return nil
}

const chunk = 64 << 10

// read reads more bytes behind what is in the buffer; 0 when there are none.
func (t *sourceTask) read() (int, error) {
	if cap(t.buf)-len(t.buf) < chunk {
		bigger := make([]byte, len(t.buf), max(2*len(t.buf), len(t.buf)+chunk))
		copy(bigger, t.buf)
		t.buf = bigger
	}
	room := t.buf[len(t.buf) : len(t.buf)+chunk]
	var n int
	var err error
	switch {
	case t.file != nil:
		n, err = t.file.ReadAt(room, t.at)
	case t.std.In != nil:
		n, err = t.std.In(room)
	}
	t.at += int64(n)
	t.buf = t.buf[:len(t.buf)+n]
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// lines takes whole lines from the buffer until out has as many records as a poll may return. A line ends with \n, \r or \r\n; a \r at the
// end of the buffer waits for what follows.
func (t *sourceTask) lines(out []*connect.Record) []*connect.Record {
	now := t.h.Now().UnixMilli()
	start, i := 0, 0
	for ; i < len(t.buf) && len(out) < t.most; i++ {
		end := i
		switch t.buf[i] {
		case '\n':
		case '\r':
			if i+1 == len(t.buf) {
				i = len(t.buf) // wait
				continue
			}
			if t.buf[i+1] == '\n' {
				i++
			}
		default:
			continue
		}
		line := string(t.buf[start:end])
		start = i + 1
		out = append(out, t.record(line, t.position+int64(start), now))
	}
	t.position += int64(start)
	t.buf = t.buf[:copy(t.buf, t.buf[start:])]
	return out
}

func (t *sourceTask) record(line string, position, now int64) *connect.Record {
	var offset *data.Map
	if t.partition != nil {
		offset = data.MapOfStrings(positionName, position)
	}
	r := connect.NewSourceRecord(t.partition, offset, t.topic, data.StringSchema, line)
	r.Timestamp = now
	return r
}

func (t *sourceTask) Stop() {
	if t.file != nil {
		_ = t.file.Close() // it was only read
	}
}
