//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
)

// lines is standard output of a sink: wait tells when enough lines have come.
type lines struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	want int
	done chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := bytes.Count(l.buf.Bytes(), []byte("\n"))
	l.buf.Write(p)
	if after := before + bytes.Count(p, []byte("\n")); before < l.want && after >= l.want {
		close(l.done)
	}
	return len(p), nil
}

// wait blocks until n lines have come in all.
func (l *lines) wait(t *testing.T, n int, status func() string) {
	t.Helper()
	l.mu.Lock()
	l.want, l.done = n, make(chan struct{})
	if bytes.Count(l.buf.Bytes(), []byte("\n")) >= n {
		close(l.done)
	}
	l.mu.Unlock()
	select {
	case <-l.done:
	case <-time.After(time.Minute):
		t.Fatalf("%d lines did not come: %s", n, status())
	}
}

// TestConnect copies lines through a topic of the real cluster; a second worker goes on where the first one stopped.
func TestConnect(t *testing.T) {
	const half = 5000
	fs, out := vfs.NewMem(), &lines{}
	topic := fmt.Sprintf("connect-%d", time.Now().UnixMilli())
	input, err := fs.Create("input", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		for i := range half {
			if _, err := fmt.Fprintf(input, "line %d\n", round*half+i); err != nil {
				t.Fatal(err)
			}
		}
		copyLines(t, fs, topic, out, (round+1)*half)
	}
	var want bytes.Buffer
	for i := range 2 * half {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	if !bytes.Equal(out.buf.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes came, want %d: a line was lost, or came twice though nothing failed", out.buf.Len(), want.Len())
	}
}

// copyLines runs a worker until n lines have come in all, and stops it.
func copyLines(t *testing.T, fs vfs.FS, topic string, out *lines, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := host.NewLive(ctx, host.LiveConfig{Name: "connect", FS: fs, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	cluster, err := kafka.New(kafka.Config{Bootstrap: integration.Bootstrap(), Host: h})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	plugins := builtin.Plugins(file.Standard{Out: out})
	cfg, err := worker.ParseConfig(plugins, map[string]string{"key.converter": "String", "value.converter": "Json", "offset.storage.file.filename": "offsets"})
	if err != nil {
		t.Fatal(err)
	}
	store, err := worker.OpenOffsetFile(h, cfg.OffsetFile())
	if err != nil {
		t.Fatal(err)
	}
	w := worker.New(h, cluster, plugins, cfg, store)
	for _, props := range []map[string]string{
		{"name": topic + "-in", "connector.class": "FileStreamSource", "file": "input", "topic": topic,
			"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"},
		{"name": topic + "-out", "connector.class": "FileStreamSink", "topics.regex": topic, "consumer.override.metadata.max.age.ms": "500"},
	} {
		if err := w.StartConnector(ctx, props); err != nil {
			t.Fatal(err)
		}
	}
	out.wait(t, n, func() string { return fmt.Sprintf("%+v", w.Status()) })
	w.Stop(ctx)
}
