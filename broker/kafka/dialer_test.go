package kafka

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func quiet(t *testing.T) host.Host {
	return host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func TestDialerPausesAfterFailures(t *testing.T) {
	refused := errors.New("refused")
	var times []time.Time
	succeed := false
	d := &dialer{host: quiet(t), set: settings{reconnect: 20 * time.Millisecond, reconnectMax: 40 * time.Millisecond, setup: time.Second, setupMax: time.Second},
		dial: func(context.Context, string, string) (net.Conn, error) {
			times = append(times, time.Now())
			if succeed {
				c, _ := net.Pipe()
				return c, nil
			}
			return nil, refused
		}}
	for range 4 {
		if _, err := d.connect(t.Context(), "tcp", "a:1"); !errors.Is(err, refused) {
			t.Fatal(err)
		}
	}
	for i, least := range []time.Duration{16, 32, 32} { // 20 % less than 20, 40 and, at most, 40
		if got := times[i+1].Sub(times[i]); got < least*time.Millisecond {
			t.Errorf("attempt %d comes %s after the one before", i+2, got)
		}
	}
	if _, err := d.connect(t.Context(), "tcp", "b:1"); !errors.Is(err, refused) || len(d.failed) != 2 {
		t.Errorf("another address: %v, %v", err, d.failed)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(host.ErrKilled)
	if _, err := d.connect(ctx, "tcp", "b:1"); !errors.Is(err, host.ErrKilled) {
		t.Errorf("a pause outlives its context: %v", err)
	}
	succeed = true
	c, err := d.connect(t.Context(), "tcp", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, ok := d.failed["a:1"]; ok {
		t.Error("a success does not end the pauses")
	}
}

func TestDialerGivesUpInTime(t *testing.T) {
	d := &dialer{host: quiet(t), set: settings{setup: time.Millisecond, setupMax: 4 * time.Millisecond}}
	var allowed []time.Duration
	d.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		until, ok := ctx.Deadline()
		if !ok {
			t.Error("no limit")
		}
		allowed = append(allowed, time.Until(until))
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for range 4 {
		if _, err := d.connect(t.Context(), "tcp", "a:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	for i, most := range []time.Duration{1, 2, 4, 4} {
		if allowed[i] > most*time.Millisecond {
			t.Errorf("attempt %d may take %s", i+1, allowed[i])
		}
	}
}

func TestSendWaitsForRoomAtMostMaxBlock(t *testing.T) {
	c, err := New(Config{Host: quiet(t), Properties: map[string]string{"bootstrap.servers": "127.0.0.1:1", "buffer.memory": "10", "max.block.ms": "10"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := c.NewProducer(t.Context(), broker.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	send := func(value string) error {
		return p.Send(t.Context(), broker.TopicPartition{Topic: "t"}, []broker.Record{{Value: []byte(value)}}, nil)
	}
	if err := send("a value that is larger than the buffer"); err != nil {
		t.Errorf("the first is let in whatever its size: %v", err)
	}
	if err := send("x"); !errors.Is(err, broker.ErrTimeout) || !strings.Contains(err.Error(), "max.block.ms") {
		t.Errorf("the second: %v", err)
	}
}
