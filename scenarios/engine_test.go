package scenarios_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/enginetest"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// TestEngineOnSimulated runs the engine's cases on the model, each twice: both must go alike.
func TestEngineOnSimulated(t *testing.T) {
	for _, c := range enginetest.Cases {
		t.Run(c.Name, func(t *testing.T) {
			var hashes [2]string
			for i := range hashes {
				hashes[i] = simulate(t, c)
			}
			if hashes[0] != hashes[1] {
				t.Errorf("two runs of one seed differ: %v", hashes)
			}
		})
	}
}

func simulate(t *testing.T, c enginetest.Case) string {
	log := &trace.Log{}
	k := sim.New(sim.Config{Seed: 1, Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Trace: log, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	defer k.Close()
	m := simulated.New(k, simulated.Config{})
	lab := k.NewProcess("lab", sim.NewDisk(sim.DiskConfig{}))
	over := false
	lab.Go("case", func(ctx context.Context) {
		p := &enginetest.Place{Host: lab, Cluster: m.Client(lab), Prefix: "e-"}
		if err := errors.Join(c.Run(ctx, p), p.Stop(ctx)); err != nil {
			t.Error(err)
		}
		over = true
	})
	if err := k.Run(func() bool { return over }); err != nil {
		t.Fatal(err)
	}
	if !over {
		t.Fatal("nothing is left to happen, and the case has not ended")
	}
	return log.Hash()
}

// TestEngineOnFake runs them over the wire.
func TestEngineOnFake(t *testing.T) {
	for _, c := range enginetest.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			f, err := fake.New(fake.Config{Brokers: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			h := host.NewLive(t.Context(), host.LiveConfig{Name: "test", FS: vfs.NewMem(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			cluster, err := kafka.New(kafka.Config{Bootstrap: f.Bootstrap(), Host: h})
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			p := &enginetest.Place{Host: h, Cluster: cluster, Prefix: "e-"}
			if err := errors.Join(c.Run(h.Context(), p), p.Stop(h.Context())); err != nil {
				t.Error(err)
			}
		})
	}
}
