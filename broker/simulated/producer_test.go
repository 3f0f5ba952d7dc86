package simulated_test

import (
	"context"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
)

func TestProduceAndFetch(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 3)
		p := w.producer(ctx, "")
		var bases []int64
		for i := range 4 {
			w.must(p.Send(ctx, tp("a", 1), values(3*i, 3*i+3), func(base int64, err error) {
				w.must(err)
				bases = append(bases, base)
			}))
		}
		w.must(p.Flush(ctx))
		if len(bases) != 4 || bases[3] != 9 {
			t.Fatalf("bases %v", bases)
		}
		w.wantValues(ctx, tp("a", 1), broker.ReadUncommitted, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
	})
}

func TestTransactions(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "x")
		for i := range 4 {
			w.must(p.Begin())
			w.must(p.Send(ctx, tp("a", 0), values(2*i, 2*i+2), nil))
			if i%2 == 0 {
				w.must(p.Commit(ctx))
			} else {
				w.must(p.Flush(ctx))
				w.must(p.Abort(ctx))
			}
		}
		w.must(w.main.Sleep(ctx, 1e9))
		w.wantValues(ctx, tp("a", 0), broker.ReadCommitted, "0", "1", "4", "5")
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "1", "2", "3", "4", "5", "6", "7")
		if _, pos := w.read(ctx, tp("a", 0), broker.ReadCommitted); pos != 12 {
			t.Fatalf("position %d, want 12: past the last marker", pos)
		}
	})
}
