package simulated_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/sim"
)

var linearSeeds = flag.Uint64("linear-seeds", 60, "how many histories are checked for linearizability")

// logOp is an operation on one partition's log: an append, or a read from an offset. An append that was acknowledged tells its offset.
type logOp struct {
	part   int
	append bool
	value  string
	from   int64
}

// logResult is its outcome: of an append the offset, or NoOffset when it is not known whether it took place; of a read the values.
type logResult struct {
	offset int64
	values []string
}

// logModel is a log as a client may think of it: appends go to its end, at the offset that is told, and stay; what is read is a part
// of it. State: the values. An append without an answer took place at some time, or never.
var logModel = porcupine.NondeterministicModel{
	Partition: func(h []porcupine.Operation) [][]porcupine.Operation {
		by := map[int][]porcupine.Operation{}
		for _, o := range h {
			by[o.Input.(logOp).part] = append(by[o.Input.(logOp).part], o)
		}
		var out [][]porcupine.Operation
		for i := range linearParts {
			out = append(out, by[i])
		}
		return out
	},
	Init: func() []any { return []any{[]string(nil)} },
	Step: func(state, input, output any) []any {
		log, in, out := state.([]string), input.(logOp), output.(logResult)
		switch {
		case !in.append:
			if end := in.from + int64(len(out.values)); end <= int64(len(log)) && slices.Equal(log[in.from:end], out.values) {
				return []any{log}
			}
			return nil
		case out.offset == broker.NoOffset:
			return []any{log, append(slices.Clip(log), in.value)}
		case out.offset == int64(len(log)):
			return []any{append(slices.Clip(log), in.value)}
		}
		return nil
	},
	Equal: func(a, b any) bool { return slices.Equal(a.([]string), b.([]string)) },
}

const (
	linearParts   = 2
	linearWriters = 3
	linearWrites  = 12
)

// history gathers what clients saw.
type history struct {
	w   *world
	ops []porcupine.Operation
}

func (h *history) now() int64 { return h.w.k.Now().UnixNano() }

func (h *history) add(client int, in logOp, out logResult, from int64) {
	to := h.now()
	if in.append && out.offset == broker.NoOffset {
		to = 1<<63 - 1 // it may still take place
	}
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: from, Return: to})
}

// write appends values one after the other, with a new producer after each whose outcome is not known.
func (h *history) write(ctx context.Context, on *sim.Process, client int, acks broker.Acks, rng *rand.Rand) {
	c := h.w.m.Client(on)
	var p broker.Producer
	for i := range linearWrites {
		for p == nil {
			made, err := c.NewProducer(ctx, broker.ProducerConfig{DeliveryTimeout: 6 * time.Second, RequestTimeout: 2 * time.Second, Acks: acks})
			if err == nil {
				p = made
			}
		}
		in := logOp{part: rng.IntN(linearParts), append: true, value: fmt.Sprintf("%d.%d", client, i)}
		out, from := logResult{offset: broker.NoOffset}, h.now()
		err := p.Send(ctx, tp("a", int32(in.part)), []broker.Record{{Value: []byte(in.value), Timestamp: 1}}, func(base int64, _ error) { out.offset = base })
		if err == nil {
			_ = p.Flush(ctx) // the ack tells
		}
		h.add(client, in, out, from)
		if out.offset == broker.NoOffset {
			p.Close()
			p = nil
		}
		h.w.must(on.Sleep(ctx, time.Duration(rng.IntN(3000))*time.Millisecond))
	}
}

// read reads a partition from its beginning, as far as there is something.
func (h *history) read(ctx context.Context, client, part int) {
	c, err := h.w.c.NewConsumer(ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
	h.w.must(err)
	defer c.Close()
	h.w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", int32(part)): 0}))
	for next := int64(0); ; {
		from := h.now()
		batches, err := c.Poll(ctx, 1000, 5*time.Second)
		if err != nil || len(batches) == 0 {
			return
		}
		out := logResult{}
		for _, b := range batches {
			for _, r := range b.Records {
				out.values = append(out.values, string(r.Value))
			}
		}
		h.add(client, logOp{part: part, from: next}, out, from)
		next += int64(len(out.values))
	}
}

// faults crashes one broker at a time, moves leaders and cuts brokers off; everything is well again when it returns.
func (h *history) faults(ctx context.Context, rng *rand.Rand) {
	for range 6 {
		h.w.sleep(ctx, time.Duration(1+rng.IntN(6))*time.Second)
		id := 1 + rng.IntN(3)
		if rng.IntN(2) == 0 {
			_ = h.w.m.MoveLeader(tp("a", int32(rng.IntN(linearParts))), id) // it may not be in sync
			continue
		}
		h.w.m.CrashBroker(id)
		h.w.sleep(ctx, time.Duration(rng.IntN(20))*time.Second)
		h.w.m.RestartBroker(id)
		h.w.sleep(ctx, 10*time.Second) // it comes in sync
	}
}

// linear runs writers, readers and faults under a seed, and returns what was seen.
func linear(t *testing.T, seed uint64, acks broker.Acks, plant func(*simulated.Model)) []porcupine.Operation {
	w := newWorld(t, seed, simulated.Config{ReplicationLatency: 40 * time.Millisecond})
	defer w.k.Close()
	h := &history{w: w}
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", linearParts, "min.insync.replicas", "2")
		badNetwork(w)
		if plant != nil {
			plant(w.m)
		}
		running := linearWriters + 1
		for i := range linearWriters {
			rng := w.k.Rand(fmt.Sprintf("writer-%d", i))
			on := w.k.NewProcess(fmt.Sprintf("writer-%d", i), nil)
			on.Go("writer", func(ctx context.Context) {
				h.write(ctx, on, i, acks, rng)
				running--
			})
		}
		w.main.Go("faults", func(ctx context.Context) {
			h.faults(ctx, w.k.Rand("faults"))
			running--
		})
		rng := w.k.Rand("reader")
		for running > 0 {
			h.read(ctx, linearWriters, rng.IntN(linearParts))
			w.sleep(ctx, time.Duration(rng.IntN(5000))*time.Millisecond)
		}
		w.sleep(ctx, time.Minute)
		for part := range linearParts {
			h.read(ctx, linearWriters, part)
		}
	})
	return h.ops
}

// check counts what histories say: linearizable, not, or undecided within the time for one.
func check(h []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(logModel.ToModel(), h, 10*time.Second)
}

// TestLogIsLinearizable: what is acknowledged with acks=all stays, at the offset that was told, in the order that every reader sees.
func TestLogIsLinearizable(t *testing.T) {
	acked, unknown, reads := 0, 0, 0
	for seed := range *linearSeeds {
		h := linear(t, seed, broker.AcksAll, nil)
		if result := check(h); result != porcupine.Ok {
			t.Fatalf("seed %d: %v:\n%s", seed, result, describe(h))
		}
		for _, o := range h {
			switch in, out := o.Input.(logOp), o.Output.(logResult); {
			case !in.append:
				reads++
			case out.offset == broker.NoOffset:
				unknown++
			default:
				acked++
			}
		}
	}
	t.Logf("%d appends acknowledged, %d not known, %d reads", acked, unknown, reads)
	if acked == 0 || reads == 0 {
		t.Errorf("%d appends acknowledged, %d reads: the histories do not do what they are for", acked, reads)
	}
}

// TestLossIsFound plants the bugs that the check is for: a high watermark that does not wait for the followers, and acknowledgements
// that only the leader stands for.
func TestLossIsFound(t *testing.T) {
	for what, plant := range map[string]struct {
		acks broker.Acks
		bug  func(*simulated.Model)
	}{"eager watermark": {broker.AcksAll, (*simulated.Model).PlantEagerWatermark}, "acks=1": {broker.AcksLeader, nil}} {
		t.Run(what, func(t *testing.T) {
			for seed := range uint64(100) {
				if check(linear(t, seed, plant.acks, plant.bug)) == porcupine.Illegal {
					t.Logf("found with seed %d", seed)
					return
				}
			}
			t.Error("no history shows it")
		})
	}
}

func describe(h []porcupine.Operation) string {
	var out string
	for _, o := range h {
		out += fmt.Sprintf("%d: %+v -> %+v, from %d to %d\n", o.ClientId, o.Input, o.Output, o.Call, o.Return)
	}
	return out
}
