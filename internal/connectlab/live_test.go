package connectlab_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// lineCounter is standard output of a sink: it tells when so many lines have come.
type lineCounter struct {
	left int
	done chan struct{}
	buf  bytes.Buffer
	keep bool
}

func (c *lineCounter) Write(p []byte) (int, error) {
	if c.keep {
		c.buf.Write(p)
	}
	if n := bytes.Count(p, []byte("\n")); c.left > 0 {
		if c.left -= n; c.left <= 0 {
			close(c.done)
		}
	}
	return len(p), nil
}

// copyLive copies the lines of a file through a topic of the fake cluster, over the wire and in real time.
func copyLive(t testing.TB, input string, out *lineCounter, options map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	h := host.NewLive(ctx, host.LiveConfig{Name: "connect", Log: slog.New(slog.DiscardHandler)})
	f, err := fake.New(fake.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cluster, err := kafka.New(kafka.Config{Bootstrap: f.Bootstrap(), Host: h})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	plugins := builtin.Plugins(file.Standard{Out: out})
	plugins.RegisterTransform("test.Prefix", func(host.Host) connect.Transform { return &prefix{} })
	cfg, err := worker.ParseConfig(plugins, map[string]string{"key.converter": "String", "value.converter": "String",
		"offset.storage.file.filename": filepath.Join(t.TempDir(), "offsets"), "offset.flush.interval.ms": "200"})
	if err != nil {
		t.Fatal(err)
	}
	store, err := worker.OpenOffsetFile(h, cfg.OffsetFile())
	if err != nil {
		t.Fatal(err)
	}
	w := worker.New(h, cluster, plugins, cfg, store)
	defer w.Stop(ctx)
	source := map[string]string{"name": "in", "connector.class": "FileStreamSource", "file": input, "topic": "lines"}
	for k, v := range options {
		source[k] = v
	}
	if err := w.StartConnector(ctx, source); err != nil {
		t.Fatal(err)
	}
	// The sink subscribes when the topic is there.
	for {
		have, err := cluster.Admin().DescribeTopics(ctx, "lines")
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := have["lines"]; ok {
			break
		}
	}
	if err := w.StartConnector(ctx, map[string]string{"name": "out", "connector.class": "FileStreamSink", "topics": "lines"}); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case <-out.done:
			return
		case <-ctx.Done():
			t.Fatalf("the lines did not come: %+v", w.Status())
		case <-time.After(50 * time.Millisecond):
			w.Status() // while the tasks run
		}
	}
}

func writeLines(t testing.TB, n int, format string) string {
	t.Helper()
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, format+"\n", i)
	}
	name := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestLive copies over the wire, with a transform, while the state is asked for.
func TestLive(t *testing.T) {
	const n = 20_000
	out := &lineCounter{left: n, done: make(chan struct{}), keep: true}
	copyLive(t, writeLines(t, n, "line %d"), out, map[string]string{"transforms": "x", "transforms.x.type": "test.Prefix", "transforms.x.text": ">"})
	var want bytes.Buffer
	for i := range n {
		fmt.Fprintf(&want, ">line %d\n", i)
	}
	if !bytes.Equal(out.buf.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes came, want %d", out.buf.Len(), want.Len())
	}
}

// BenchmarkCopy copies a million records of 100 bytes from a file to a topic and from there to nowhere, in one worker beside its cluster. Run it
// with -benchtime 1x.
func BenchmarkCopy(b *testing.B) {
	const n = 1_000_000
	input := writeLines(b, n, "%0100d")
	for b.Loop() {
		start := time.Now()
		out := &lineCounter{left: n, done: make(chan struct{})}
		copyLive(b, input, out, nil)
		b.ReportMetric(n/time.Since(start).Seconds(), "records/s")
	}
}
