package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
)

func value(s string) broker.Record { return broker.Record{Value: []byte(s)} }

func collector(t *testing.T, txn bool) (*task.Collector, *producer) {
	p := newProducer()
	p.partitions["out"], p.partitions["other"] = 4, 2
	return newCollector(t, p, txn, nil), p
}

func (p *producer) calls() string {
	s := strings.Join(p.log, ", ")
	p.log = nil
	return s
}

func TestCollectorPartitions(t *testing.T) {
	c, p := collector(t, false)
	for i := range 40 {
		key := []byte(fmt.Sprint("key", i))
		no(t, c.Send("out", -1, key, broker.Record{Key: key}))
	}
	no(t, c.Send("out", 3, []byte("key0"), value("fixed")))
	no(t, c.Flush())
	n := 0
	for part := range int32(4) {
		for _, r := range p.sent[broker.TopicPartition{Topic: "out", Partition: part}] {
			n++
			if r.Key != nil && broker.PartitionForKey(r.Key, 4) != part {
				t.Errorf("%s is in partition %d", r.Key, part)
			}
			if r.Key == nil && part != 3 {
				t.Errorf("the record with a fixed partition is in %d", part)
			}
		}
	}
	same(t, "records", 41, n)
	count, err := c.Partitions("other")
	no(t, err)
	same(t, "partitions", int32(2), count)
}

func TestCollectorSticksToAPartitionForABatchWithoutKeys(t *testing.T) {
	c, p := collector(t, false)
	used := map[int32]bool{}
	for range 40 {
		p.sent = map[broker.TopicPartition][]broker.Record{}
		for range 5 {
			no(t, c.Send("out", -1, nil, value("x")))
		}
		no(t, c.Flush())
		same(t, "partitions of one batch", 1, len(p.sent))
		for tp := range p.sent {
			used[tp.Partition] = true
		}
	}
	same(t, "partitions over all batches", 4, len(used))
}

func TestCollectorBatches(t *testing.T) {
	c, p := collector(t, false)
	for i := range 1100 {
		no(t, c.Send("out", int32(i%2), nil, value(fmt.Sprint(i))))
	}
	same(t, "sent before the flush", "send out-0 512, send out-1 511", p.calls())
	no(t, c.Flush())
	same(t, "sent by the flush", "send out-1 39, send out-0 38, flush", p.calls())
	for part := range int32(2) {
		for i, r := range p.sent[broker.TopicPartition{Topic: "out", Partition: part}] {
			if want := fmt.Sprint(i*2 + int(part)); string(r.Value) != want {
				t.Fatalf("partition %d, record %d: %s, want %s", part, i, r.Value, want)
			}
		}
		same(t, "offset", int64(550), c.Offset(broker.TopicPartition{Topic: "out", Partition: part}))
	}
	same(t, "offset of what was never written", int64(-1), c.Offset(tp("other")))
	no(t, c.Flush())
	same(t, "an empty flush", "flush", p.calls())
}

func TestCollectorBeginsWhenThereIsSomething(t *testing.T) {
	c, p := collector(t, true)
	no(t, c.Dispatch())
	no(t, c.Commit(broker.GroupMetadata{Group: "g"}, nil))
	same(t, "nothing happened", "", p.calls())
	no(t, c.Send("out", 0, nil, value("1")))
	same(t, "in a transaction before it is sent", false, c.InTransaction())
	no(t, c.Dispatch())
	no(t, c.Send("out", 0, nil, value("2")))
	no(t, c.Dispatch())
	same(t, "in a transaction", true, c.InTransaction())
	no(t, c.Flush())
	no(t, c.Commit(broker.GroupMetadata{Group: "g"}, map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a"): {}}))
	same(t, "a transaction", "begin, send out-0 1, send out-0 1, flush, offsets g 1, commit", p.calls())
	same(t, "after the commit", false, c.InTransaction())
	no(t, c.Commit(broker.GroupMetadata{Group: "g"}, map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a"): {}}))
	same(t, "offsets alone", "begin, offsets g 1, commit", p.calls())
}

func TestCollectorAbort(t *testing.T) {
	c, p := collector(t, true)
	no(t, c.Send("out", 0, nil, value("sent")))
	no(t, c.Dispatch())
	no(t, c.Send("out", 0, nil, value("gathered")))
	no(t, c.Abort())
	same(t, "calls", "begin, send out-0 1, abort", p.calls())
	same(t, "in a transaction", false, c.InTransaction())
	no(t, c.Send("out", 0, nil, value("after")))
	no(t, c.Flush())
	same(t, "calls", "begin, send out-0 1, flush", p.calls())
	same(t, "what was gathered is gone", 2, len(p.sent[tp("out")]))
	no(t, c.Abort())
	no(t, c.Abort())
	same(t, "nothing to abort the second time", "abort", p.calls())
}

func TestCollectorErrors(t *testing.T) {
	cause := errors.New("no")
	for _, c := range []struct {
		name    string
		err     error
		answer  task.Decision // the production handler's
		asked   int
		dropped bool
	}{
		{"handler fails", cause, task.Fail, 1, false},
		{"handler continues", cause, task.Continue, 1, true},
		{"what cannot be retried", cause, task.Retry, 1, false},
		{"fenced", broker.ErrFenced, task.Continue, 0, false},
		{"abortable", fmt.Errorf("x: %w", broker.ErrAbortable), task.Continue, 0, false},
		{"closed", broker.ErrClosed, task.Continue, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProducer()
			p.partitions["out"] = 1
			asked := 0
			coll := newCollector(t, p, false, func(f *task.WriteFailure) task.Answer {
				asked++
				return task.Answer{Decision: c.answer}
			})
			p.fail["ack out-0"] = c.err
			no(t, coll.Send("out", 0, nil, value("1")))
			err := coll.Flush()
			same(t, "asked", c.asked, asked)
			if c.dropped {
				no(t, err)
				delete(p.fail, "ack out-0")
				no(t, coll.Send("out", 0, nil, value("2")))
				no(t, coll.Flush())
				same(t, "sent", 1, len(p.sent[tp("out")]))
				return
			}
			if !errors.Is(err, c.err) || !processor.IsTaskError(err) {
				t.Errorf("error %v, want a task error of %v", err, c.err)
			}
			if err := coll.Send("out", 0, nil, value("2")); !errors.Is(err, c.err) {
				t.Errorf("the error must stay: %v", err)
			}
			if err := coll.Flush(); !errors.Is(err, c.err) {
				t.Errorf("the error must stay: %v", err)
			}
			no(t, coll.Abort())
			delete(p.fail, "ack out-0")
			no(t, coll.Send("out", 0, nil, value("2")))
			no(t, coll.Flush())
		})
	}
}

// TestCollectorWritesAgain asks for another try of what may pass, writes a dead letter for it, and gives up the third time.
func TestCollectorWritesAgain(t *testing.T) {
	for _, passes := range []bool{true, false} {
		p := newProducer()
		p.partitions["out"], p.partitions["letters"] = 1, 1
		p.fail["ack out-0"] = fmt.Errorf("x: %w", broker.ErrRetriable)
		asked := 0
		coll := newCollector(t, p, false, func(f *task.WriteFailure) task.Answer {
			if string(f.Record.Value) != "1" {
				return task.Answer{Decision: task.Continue}
			}
			if asked++; asked == 2 && passes {
				delete(p.fail, "ack out-0")
			}
			if asked == 3 {
				return task.Answer{}
			}
			letter := broker.Record{Value: fmt.Appendf(nil, "try %d of %s-%d", asked, f.Topic, f.Partition)}
			return task.Answer{Decision: task.Retry, DeadLetters: []task.DeadLetter{{TopicPartition: broker.TopicPartition{Topic: "letters", Partition: -1}, Record: letter}}}
		})
		no(t, coll.Send("out", 0, nil, value("1")))
		no(t, coll.Send("out", 0, nil, value("2"))) // dropped: the handler says so
		err := coll.Flush()
		var letters []string
		for _, r := range p.sent[tp("letters")] {
			letters = append(letters, string(r.Value))
		}
		same(t, "letters", []string{"try 1 of out-0", "try 2 of out-0"}, letters)
		if !passes {
			if !errors.Is(err, broker.ErrRetriable) {
				t.Errorf("%v: want the error of the third try", err)
			}
			continue
		}
		no(t, err)
		same(t, "tries", 2, asked)
		same(t, "written", 1, len(p.sent[tp("out")]))
		same(t, "which", "1", string(p.sent[tp("out")][0].Value))
	}
}

func TestCollectorPassesErrorsOfTheProducerOn(t *testing.T) {
	for _, call := range []string{"begin", "send", "flush"} {
		c, p := collector(t, true)
		p.fail[call] = broker.ErrFenced
		no(t, c.Send("out", 0, nil, value("1")))
		if err := c.Flush(); !errors.Is(err, broker.ErrFenced) || !processor.IsTaskError(err) {
			t.Errorf("%s: error %v", call, err)
		}
	}
	for _, call := range []string{"offsets", "commit"} {
		c, p := collector(t, true)
		p.fail[call] = broker.ErrUnknownMember
		err := c.Commit(broker.GroupMetadata{}, map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a"): {}})
		if !errors.Is(err, broker.ErrUnknownMember) {
			t.Errorf("%s: error %v", call, err)
		}
		same(t, call+": the transaction is still open", true, c.InTransaction())
	}
	c, _ := collector(t, false)
	if err := c.Send("unknown", -1, nil, value("1")); !errors.Is(err, broker.ErrUnknownTopic) || processor.IsTaskError(err) {
		t.Errorf("unknown topic: error %v, want one that is the node's", err)
	}
}

func TestArena(t *testing.T) {
	c, _ := collector(t, false)
	var kept [][]byte
	for i := range 3000 {
		b := append(c.Alloc(8), fmt.Sprint("value ", i)...)
		if i%3 == 0 {
			b = append(b, make([]byte, 200)...) // may not fit: append moves it
		}
		if i%5 == 0 {
			continue // not kept
		}
		c.Keep(b)
		kept = append(kept, b)
	}
	n := 0
	for i := range 3000 {
		if i%5 == 0 {
			continue
		}
		want := fmt.Sprint("value ", i)
		if !strings.HasPrefix(string(kept[n]), want) {
			t.Fatalf("%q, want %q: two slices overlap", kept[n], want)
		}
		n++
	}
	c.Keep(c.Alloc(0)) // nothing was appended
}
