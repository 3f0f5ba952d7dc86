//go:build integration

package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// binary builds the command once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kstreamlab-clients-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kstreamlab")
	out, err := exec.Command("go", "build", "-o", path, "../../../cmd/kstreamlab").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// need skips a test, loudly, where a program is missing; in CI it fails.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI") != "" || os.Getenv("KSTREAMLAB_CI") == "1" {
			t.Fatalf("%s is not on the PATH", name)
		}
		t.Skipf("!!! SKIPPED: %s is not on the PATH", name)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// process is a program that runs beside a test, and ends with it.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   lockedBuffer
	ended chan struct{}
	err   error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts a program whose output is kept and, when the test fails, shown.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.out
	}
	cmd.Stderr = &p.out
	must(t, cmd.Start())
	go func() { p.err = cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("%s:\n%s", strings.Join(cmd.Args[:1], " "), p.out.String())
		}
	})
	return p
}

// terminate sends SIGTERM and returns the exit code.
func (p *process) terminate() int {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.t.Fatal("the program does not end after SIGTERM")
	}
	return p.cmd.ProcessState.ExitCode()
}

// devBroker starts `kstreamlab broker` and returns it with its address, which it has said on its first line.
func devBroker(t *testing.T, args ...string) (*process, string) {
	t.Helper()
	path, err := binary()
	must(t, err)
	cmd := exec.Command(path, append([]string{"broker", "--json"}, args...)...)
	r, w, err := os.Pipe()
	must(t, err)
	cmd.Stdout = w
	p := start(t, cmd)
	w.Close()
	defer r.Close()
	var said struct{ Bootstrap string }
	line, err := bufio.NewReader(r).ReadBytes('\n')
	must(t, err)
	must(t, json.Unmarshal(line, &said))
	return p, said.Bootstrap
}

// client is the port of a broker.
func client(t *testing.T, bootstrap string) broker.Cluster {
	t.Helper()
	h := host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	c, err := kafka.New(kafka.Config{Bootstrap: strings.Split(bootstrap, ","), Host: h})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// write writes values without keys, one partition after the other.
func write(t *testing.T, c broker.Cluster, topic string, partitions int, values ...string) {
	t.Helper()
	p, err := c.NewProducer(t.Context(), broker.ProducerConfig{})
	must(t, err)
	defer p.Close()
	for i, v := range values {
		tp := broker.TopicPartition{Topic: topic, Partition: int32(i % partitions)}
		must(t, p.Send(t.Context(), tp, []broker.Record{{Value: []byte(v), Timestamp: broker.NoTimestamp}}, nil))
	}
	must(t, p.Flush(t.Context()))
}

// read reads a topic from the beginning, read_committed, until enough says so.
func read(t *testing.T, c broker.Cluster, topic string, partitions int, enough func(broker.Record) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	co, err := c.NewConsumer(ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest})
	must(t, err)
	defer co.Close()
	at := map[broker.TopicPartition]int64{}
	for i := range partitions {
		at[broker.TopicPartition{Topic: topic, Partition: int32(i)}] = 0
	}
	must(t, co.Assign(ctx, at))
	for {
		batches, err := co.Poll(ctx, 1000, -1)
		if err != nil {
			t.Fatalf("reading %s: %v", topic, err)
		}
		for _, b := range batches {
			for _, r := range b.Records {
				if enough(r) {
					return
				}
			}
		}
	}
}
