package simulated_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/sim"
)

// fate is what a client was told of a transaction.
type fate int

const (
	fateUnknown fate = iota
	fateCommitted
	fateAborted
)

// transactions are what writers did: the fate of each, which writes one record into each partition.
type transactions struct {
	w     *world
	fates map[string]fate
}

const (
	wholeParts   = 3
	wholeWriters = 2
	wholeEach    = 12
)

// write runs transactions, and makes a new producer after each error.
func (ts *transactions) write(ctx context.Context, on *sim.Process, name string, rng *rand.Rand) {
	c := ts.w.m.Client(on)
	var p broker.Producer
	for i := range wholeEach {
		for p == nil {
			if made, err := c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: name, TransactionTimeout: 20 * time.Second}); err == nil {
				p = made
			}
		}
		id := fmt.Sprintf("%s.%d", name, i)
		ts.fates[id] = fateUnknown
		if err := ts.one(ctx, p, id, rng.IntN(4) == 0); err != nil {
			p.Close()
			p = nil
		}
		ts.w.must(on.Sleep(ctx, time.Duration(rng.IntN(3000))*time.Millisecond))
	}
}

// one runs a transaction; the error says that its producer is of no more use.
func (ts *transactions) one(ctx context.Context, p broker.Producer, id string, abort bool) error {
	if err := p.Begin(); err != nil {
		return err
	}
	for part := range int32(wholeParts) {
		if err := p.Send(ctx, tp("a", part), []broker.Record{{Value: []byte(id), Timestamp: 1}}, nil); err != nil {
			return err
		}
	}
	if abort {
		_ = p.Flush(ctx) // what could not be written is aborted too
		err := p.Abort(ctx)
		ts.fates[id] = fateAborted // whatever came of it: it was never committed
		return err
	}
	err := p.Commit(ctx)
	switch {
	case err == nil:
		ts.fates[id] = fateCommitted
	case errors.Is(err, broker.ErrAbortable):
		ts.fates[id] = fateAborted
	}
	return err
}

// whole runs writers and faults under a seed, and reads each partition as it stands at the end, and as readers saw it meanwhile.
func whole(t *testing.T, seed uint64, isolation broker.IsolationLevel) (map[string]fate, [][]string, []string) {
	w := newWorld(t, seed, simulated.Config{ReplicationLatency: 20 * time.Millisecond})
	defer w.k.Close()
	ts := &transactions{w: w, fates: map[string]fate{}}
	final, wrong := make([][]string, wholeParts), []string(nil)
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", wholeParts, "min.insync.replicas", "2")
		badNetwork(w)
		running := wholeWriters + 1
		for i := range wholeWriters {
			name := fmt.Sprintf("writer-%d", i)
			on := w.k.NewProcess(name, nil)
			on.Go("writer", func(ctx context.Context) {
				ts.write(ctx, on, name, w.k.Rand(name))
				running--
			})
		}
		w.main.Go("faults", func(ctx context.Context) {
			(&history{w: w}).faults(ctx, w.k.Rand("faults"))
			running--
		})
		seen := make([][]string, wholeParts)
		for running > 0 {
			for part := range seen {
				seen[part] = longer(seen[part], ts.read(ctx, part, isolation), &wrong)
			}
			w.sleep(ctx, 3*time.Second)
		}
		w.sleep(ctx, 2*time.Minute) // what was left open has timed out
		for part := range final {
			final[part], _ = w.read(ctx, tp("a", int32(part)), isolation)
			longer(seen[part], final[part], &wrong)
		}
	})
	return ts.fates, final, wrong
}

// longer is the later of two readings of a partition; the earlier must be its beginning.
func longer(before, now []string, wrong *[]string) []string {
	n := min(len(before), len(now))
	if !slices.Equal(before[:n], now[:n]) {
		*wrong = append(*wrong, fmt.Sprintf("a reader saw %v, and later %v", before, now))
	}
	if len(now) < len(before) {
		return before
	}
	return now
}

// read reads what is there now; an error ends it early.
func (ts *transactions) read(ctx context.Context, part int, isolation broker.IsolationLevel) []string {
	c, err := ts.w.c.NewConsumer(ctx, broker.ConsumerConfig{Isolation: isolation, Reset: broker.ResetEarliest})
	ts.w.must(err)
	defer c.Close()
	ts.w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", int32(part)): 0}))
	var out []string
	for {
		batches, err := c.Poll(ctx, 1000, time.Second)
		if err != nil || len(batches) == 0 {
			return out
		}
		for _, b := range batches {
			for _, r := range b.Records {
				out = append(out, string(r.Value))
			}
		}
	}
}

// judge says what is wrong: a transaction is in every partition once, or in none; committed ones are, and aborted ones are not.
func judge(fates map[string]fate, final [][]string, wrong []string) []string {
	for id, f := range fates {
		var in []int
		for _, values := range final {
			n := 0
			for _, v := range values {
				if v == id {
					n++
				}
			}
			in = append(in, n)
		}
		all := slices.Equal(in, []int{1, 1, 1})
		none := slices.Equal(in, []int{0, 0, 0})
		if !all && !none || f == fateCommitted && !all || f == fateAborted && !none {
			wrong = append(wrong, fmt.Sprintf("%s, which was told %d, is in the partitions %v times", id, f, in))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// TestTransactionsAreWhole: read_committed sees whole transactions or nothing, in one order, whatever breaks.
func TestTransactionsAreWhole(t *testing.T) {
	told := map[fate]int{}
	for seed := range *linearSeeds {
		fates, final, wrong := whole(t, seed, broker.ReadCommitted)
		if wrong = judge(fates, final, wrong); len(wrong) > 0 {
			t.Fatalf("seed %d: %q", seed, wrong)
		}
		for _, f := range fates {
			told[f]++
		}
	}
	t.Logf("%d transactions committed, %d aborted, %d not known", told[fateCommitted], told[fateAborted], told[fateUnknown])
	if told[fateCommitted] == 0 || told[fateAborted] == 0 {
		t.Errorf("the fates were %v: the workload does not do what it is for", told)
	}
}

// TestDirtyReadIsFound plants the bug that the check is for: readers that take no notice of transactions.
func TestDirtyReadIsFound(t *testing.T) {
	for seed := range uint64(20) {
		if len(judge(whole(t, seed, broker.ReadUncommitted))) > 0 {
			return
		}
	}
	t.Error("nobody notices a dirty read")
}
