package worker

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/serialized"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// StoredOffset is an entry of an OffsetStore; a nil Value removes the key.
type StoredOffset struct{ Key, Value []byte }

// OffsetStore keeps source offsets under the keys of OffsetKey. It may be called from any thread.
type OffsetStore interface {
	// Get is the stored value; nil when there is none.
	Get(ctx context.Context, key []byte) ([]byte, error)
	// Set stores entries, all or none, and returns when they are durable.
	Set(ctx context.Context, all []StoredOffset) error
}

// OffsetFile is an OffsetStore in a file of Kafka's format: a HashMap of byte arrays, serialized by Java. Each Set writes the file anew,
// beside the old one, and then takes its place, so that a crash leaves one or the other.
type OffsetFile struct {
	disk vfs.FS
	name string
	mu   sync.Locker
	data *data.Map // of strings, which hold the bytes
}

// OpenOffsetFile reads the file, if it is there. A nil host is the machine itself.
func OpenOffsetFile(h host.Host, name string) (*OffsetFile, error) {
	if h == nil {
		h = host.NewMachine()
	}
	f := &OffsetFile{disk: h.FS(), name: name, mu: h.NewMutex(), data: data.NewMap()}
	file, err := f.disk.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, data.ConnectException.Because(err)
	}
	defer file.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, data.ConnectException.Because(err)
	}
	if len(text) == 0 {
		return f, nil
	}
	entries, err := serialized.ReadMap(text)
	if err != nil {
		return nil, data.ConnectException.Wrap(err, "the file of offsets "+name+" cannot be read")
	}
	for _, e := range entries {
		f.data.Put(string(e.Key), e.Value)
	}
	return f, nil
}

// Get is the stored value.
func (f *OffsetFile) Get(_ context.Context, key []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, _ := f.data.Get(string(key))
	b, _ := v.([]byte)
	return b, nil
}

// Set stores entries. When the file cannot be written nothing has changed.
func (f *OffsetFile) Set(_ context.Context, all []StoredOffset) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.data.Copy()
	for _, e := range all {
		if e.Value == nil {
			next.Delete(string(e.Key))
			continue
		}
		next.Put(string(e.Key), e.Value)
	}
	entries := make([]serialized.Entry, 0, next.Len())
	for _, e := range next.Entries() {
		entries = append(entries, serialized.Entry{Key: []byte(e.Key.(string)), Value: e.Value.([]byte)})
	}
	if err := f.write(serialized.AppendMap(nil, entries)); err != nil {
		return data.ConnectException.Because(err)
	}
	f.data = next
	return nil
}

func (f *OffsetFile) write(text []byte) (err error) {
	temporary := f.name + ".new"
	file, err := f.disk.Create(temporary, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = f.disk.Rename(temporary, f.name)
	}
	if err != nil {
		return err
	}
	dir, err := f.disk.OpenDir(f.disk.PathDir(f.name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// offsetReader reads the offsets of one connector.
type offsetReader struct {
	connector string
	store     OffsetStore
	conv      *json.Converter
}

func newOffsetReader(connector string, store OffsetStore) (*offsetReader, error) {
	c, err := newOffsetConverter()
	return &offsetReader{connector, store, c}, err
}

func (r *offsetReader) Offset(ctx context.Context, partition *data.Map) (*data.Map, error) {
	key, err := OffsetKey(r.conv, r.connector, partition)
	if err != nil {
		return nil, err
	}
	b, err := r.store.Get(ctx, key)
	if err != nil || b == nil {
		return nil, err
	}
	return offsetOf(r.conv, b)
}
