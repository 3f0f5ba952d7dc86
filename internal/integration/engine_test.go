//go:build integration

package integration_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/enginetest"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
)

// TestEngine runs the engine's cases on a real cluster.
func TestEngine(t *testing.T) {
	for i, c := range enginetest.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			h := host.NewLive(t.Context(), host.LiveConfig{Name: "test", FS: vfs.NewMem(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			cluster, err := kafka.New(kafka.Config{Bootstrap: integration.Bootstrap(), Host: h})
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			p := &enginetest.Place{Host: h, Cluster: cluster, Prefix: fmt.Sprintf("engine-%d-%d-", time.Now().UnixMilli(), i)}
			if err := errors.Join(c.Run(h.Context(), p), p.Stop(h.Context())); err != nil {
				t.Error(err)
			}
		})
	}
}
