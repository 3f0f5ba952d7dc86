package file_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// machine is a live host with a disk in memory.
type machine struct {
	*host.Live
	disk *vfs.MemFS
	log  bytes.Buffer
}

func newMachine(t *testing.T) *machine {
	m := &machine{disk: vfs.NewMem()}
	m.Live = host.NewLive(t.Context(), host.LiveConfig{FS: m.disk, Log: slog.New(slog.NewTextHandler(&m.log, nil))})
	return m
}

func (m *machine) write(t *testing.T, name, text string) {
	t.Helper()
	f, err := m.disk.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt([]byte(text), info.Size())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) read(t *testing.T, name string) string {
	t.Helper()
	f, err := m.disk.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, info.Size())
	if _, err := f.ReadAt(text, 0); err != nil && info.Size() > 0 {
		t.Fatal(err)
	}
	return string(text)
}

// stored are a source's committed offsets: a position, or none below zero.
type stored int64

func (s stored) Offset(context.Context, *data.Map) (*data.Map, error) {
	if s < 0 {
		return nil, nil
	}
	return data.MapOfStrings("position", int64(s)), nil
}
func (s stored) Configs() map[string]string              { return nil }
func (s stored) Offsets() connect.OffsetReader           { return s }
func (s stored) Transaction() connect.TransactionContext { return nil }

func startSource(t *testing.T, m *machine, std file.Standard, at stored, props map[string]string) connect.SourceTask {
	t.Helper()
	p := connect.NewPlugins()
	file.Register(p, std)
	c, err := connect.Make[connect.SourceConnector](p, m, connect.KindSource, "FileStreamSource", connect.AnyVersion)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), nil, props); err != nil {
		t.Fatal(err)
	}
	configs, err := c.TaskConfigs(5)
	if err != nil || len(configs) != 1 {
		t.Fatalf("%v %v: one task is expected", configs, err)
	}
	task := c.NewTask()
	if err := task.Start(t.Context(), at, configs[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(task.Stop)
	return task
}

// polled is what one Poll returns: line@position after it.
func polled(t *testing.T, task connect.SourceTask) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	records, err := task.Poll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range records {
		at := "-"
		if r.Source.Offset != nil {
			v, _ := r.Source.Offset.Get("position")
			at = fmt.Sprint(v)
		}
		out = append(out, fmt.Sprintf("%s@%s", r.Value, at))
	}
	return strings.Join(out, " ")
}

func TestSourceLines(t *testing.T) {
	m := newMachine(t)
	task := startSource(t, m, file.Standard{}, -1, map[string]string{"file": "in", "topic": "t", "batch.size": "3"})
	if got := polled(t, task); got != "" {
		t.Errorf("of no file: %s", got)
	}
	polled(t, task)
	if n := strings.Count(m.log.String(), "does not exist yet"); n != 1 {
		t.Errorf("told %d times that there is no file", n)
	}
	m.write(t, "in", "a\nb\r\n\rd\u00e9\npart")
	for i, want := range []string{"a@2 b@5 @6", "d\u00e9@10", ""} {
		if got := polled(t, task); got != want {
			t.Errorf("poll %d: %q, want %q", i, got, want)
		}
	}
	m.write(t, "in", "ial\r") // may be half of \r\n
	if got := polled(t, task); got != "" {
		t.Errorf("the end of the line may go on: %q", got)
	}
	m.write(t, "in", "\n")
	if got := polled(t, task); got != "partial@19" {
		t.Errorf("%q", got)
	}
}

func TestSourceGoesOnWhereItWas(t *testing.T) {
	m := newMachine(t)
	m.write(t, "in", "one\ntwo\nthree\n")
	task := startSource(t, m, file.Standard{}, 4, map[string]string{"file": "in", "topic": "t"})
	if got := polled(t, task); got != "two@8 three@14" {
		t.Errorf("%q", got)
	}
}

func TestSourceOfLongLines(t *testing.T) {
	m := newMachine(t)
	long := strings.Repeat("x", 200<<10)
	m.write(t, "in", long+"\nshort\n")
	task := startSource(t, m, file.Standard{}, -1, map[string]string{"file": "in", "topic": "t"})
	if got, want := polled(t, task), fmt.Sprintf("%s@%d short@%d", long, len(long)+1, len(long)+7); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

func TestStandardInputHasNoOffsets(t *testing.T) {
	in := []string{"a\nb", "\n"}
	std := file.Standard{In: func(p []byte) (int, error) {
		if len(in) == 0 {
			return 0, nil
		}
		n := copy(p, in[0])
		in = in[1:]
		return n, nil
	}}
	task := startSource(t, newMachine(t), std, 99, map[string]string{"topic": "t"})
	if got := polled(t, task); got != "a@- b@-" {
		t.Errorf("%q", got)
	}
}

func TestAlterOffsets(t *testing.T) {
	in := data.MapOfStrings("filename", "in")
	for _, c := range []struct {
		name, file string
		partition  *data.Map
		offset     *data.Map
		err        string
	}{
		{"a position", "in", in, data.MapOfStrings("position", int64(0)), ""},
		{"removal of anything", "in", data.MapOfStrings("x", "y"), nil, ""},
		{"of no partition", "in", nil, data.MapOfStrings("position", int64(1)), "Partition objects cannot be null"},
		{"of another partition", "in", data.MapOfStrings("x", "y"), data.MapOfStrings("position", int64(1)), "Partition objects should contain the key 'filename'"},
		{"without a position", "in", in, data.MapOfStrings("x", int64(1)), "Offset objects should either be null or contain the key 'position'"},
		{"a text", "in", in, data.MapOfStrings("position", "1"), "The value for the 'position' key in the offset is expected to be a Long value"},
		{"below zero", "in", in, data.MapOfStrings("position", int64(-1)), "The value for the 'position' key in the offset should be a non-negative value"},
		{"standard input", "", in, nil, "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked."},
	} {
		ok, err := (&file.Source{}).AlterOffsets(map[string]string{"file": c.file}, []connect.SourcePosition{
			{Partition: in, Offset: data.MapOfStrings("position", int64(5))}, {Partition: c.partition, Offset: c.offset}})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.err || ok != (c.err == "") {
			t.Errorf("%s: %v %q, want %q", c.name, ok, got, c.err)
		}
	}
}

func startSink(t *testing.T, m *machine, c connect.SinkConnector, name string) connect.SinkTask {
	t.Helper()
	task := c.NewTask()
	if err := task.Start(t.Context(), nil, map[string]string{"file": name}); err != nil {
		t.Fatal(err)
	}
	return task
}

func newSink(t *testing.T, m *machine, std file.Standard) connect.SinkConnector {
	t.Helper()
	p := connect.NewPlugins()
	file.Register(p, std)
	c, err := connect.Make[connect.SinkConnector](p, m, connect.KindSink, "FileStreamSink", connect.AnyVersion)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSinkAppends: two tasks of one connector, another connector and another program append to one file; nobody writes over another.
func TestSinkAppends(t *testing.T) {
	m := newMachine(t)
	m.write(t, "out", "old\n")
	one, other := newSink(t, m, file.Standard{}), newSink(t, m, file.Standard{})
	tasks := []connect.SinkTask{startSink(t, m, one, "out"), startSink(t, m, one, "out"), startSink(t, m, other, "out")}
	for round := range 2 {
		for i, task := range tasks {
			if err := task.Put(t.Context(), []*connect.Record{{Value: int32(i)}, {Value: nil}}); err != nil {
				t.Fatal(err)
			}
		}
		m.write(t, "out", fmt.Sprintf("else %d\n", round))
	}
	tasks[0].Stop()
	if err := tasks[1].Put(t.Context(), []*connect.Record{{Value: "last"}}); err != nil {
		t.Fatal(err)
	}
	const round = "0\nnull\n1\nnull\n2\nnull\nelse "
	if got, want := m.read(t, "out"), "old\n"+round+"0\n"+round+"1\nlast\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSinkOfStandardOutput(t *testing.T) {
	var out bytes.Buffer
	m := newMachine(t)
	task := startSink(t, m, newSink(t, m, file.Standard{Out: &out}), "")
	if err := task.Put(t.Context(), []*connect.Record{{Value: "a"}, {Value: true}}); err != nil || out.String() != "a\ntrue\n" {
		t.Errorf("%q %v", out.String(), err)
	}
}

func TestSinkTellsWhatItCannotOpen(t *testing.T) {
	m := newMachine(t)
	task := newSink(t, m, file.Standard{}).NewTask()
	err := task.Start(t.Context(), nil, map[string]string{"file": "no/such/folder"})
	if err == nil || !strings.Contains(err.Error(), "Couldn't find or create file 'no/such/folder' for FileStreamSinkTask") {
		t.Error(err)
	}
	task.Stop()
}
