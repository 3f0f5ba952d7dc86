package streamstest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// clock is a host whose time moves only when it is told to, and whose disk is in memory.
type clock struct {
	*host.Live
	now time.Time
}

func newClock(start time.Time, log *slog.Logger) *clock {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if start.IsZero() {
		start = time.UnixMilli(0)
	}
	return &clock{host.NewLive(context.Background(), host.LiveConfig{Name: "test", FS: vfs.NewMem(), Log: log, Seed: 1}), start}
}

func (c *clock) Now() time.Time { return c.now }

// UnknownTopicError is a record for a topic that the topology does not read.
type UnknownTopicError struct {
	Topic string
	Known []string
}

func (e *UnknownTopicError) Error() string {
	return fmt.Sprintf("streamstest: the topology does not read topic %q: it reads %s", e.Topic, strings.Join(e.Known, ", "))
}

// Class is Kafka's name of the error kind.
func (e *UnknownTopicError) Class() string { return "java.lang.IllegalArgumentException" }
