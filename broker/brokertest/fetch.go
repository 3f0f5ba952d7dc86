package brokertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var fetchCases = []testcase{
	{"fetch/starts where Assign says", fetchStart},
	{"fetch/Seek moves, and drops what was fetched", fetchSeek},
	{"fetch/Position is the next record's offset", fetchPosition},
	{"fetch/a paused partition is silent, and loses nothing", fetchPause},
	{"fetch/Poll returns at most max records", fetchMax},
	{"fetch/Wakeup ends a Poll that blocks, or the next one", fetchWakeup},
	{"fetch/Poll keeps to its wait", fetchWait},
	{"fetch/a Poll that blocks returns when a record comes", fetchBlocks},
	{"fetch/a Poll ends with its context", fetchContext},
	{"fetch/reset earliest and latest", fetchReset},
	{"fetch/no position and no policy is an error", fetchNoPolicy},
	{"fetch/a paused partition without a position is no error, and a Seek cures it", fetchPausedNoPolicy},
	{"fetch/out of range says what is there", fetchOutOfRange},
	{"fetch/out of range follows the policy", fetchOutOfRangeReset},
	{"fetch/Seek leaves out of range", fetchOutOfRangeSeek},
	{"fetch/Assign keeps, adds and takes away", fetchAssign},
	{"fetch/many partitions, none is starved", fetchMany},
	{"fetch/batches tell the high watermark", fetchWatermark},
	{"fetch/bytes stay when the slices are used again", fetchBytes},
	{"fetch/a closed consumer says so", fetchClosed},
	{"fetch/a partition without records ends where it begins", fetchEmpty},
	{"fetch/a record larger than the partition's limit still comes", fetchLarge},
	{"fetch/small limits of bytes lose nothing", fetchSmallLimits},
	{"fetch/Seek to the end waits for what comes", fetchSeekEnd},
	{"fetch/two consumers read the same", fetchTwo},
	{"fetch/the high watermark of batches grows", fetchWatermarkGrows},
	{"fetch/Resume without Pause is nothing", fetchResume},
	{"fetch/a Seek while paused holds after Resume", fetchSeekPaused},
	{"fetch/nothing assigned, nothing polled", fetchNothing},
	{"fetch/an assignment may be emptied and come back", fetchEmptied},
	{"fetch/read_committed reads what is in no transaction at once", fetchCommittedPlain},
	{"fetch/a position in deleted records goes to the reset", fetchDeleted},
	{"fetch/reading while writing keeps the order", fetchWhileWriting},
	{"fetch/EndOffsets of many partitions", fetchEnds},
}

func fetchStart(e *Env) {
	topic := e.Topic("t", 2)
	e.Fill(tp(topic, 0), 0, 10)
	e.Fill(tp(topic, 1), 100, 10)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{tp(topic, 0): 7, tp(topic, 1): 9}), "assign")
	came := map[int32]string{}
	for _, g := range e.Read(c, 4) {
		came[g.Partition] += g.value
	}
	if came[0] != "v7v8v9" || came[1] != "v109" {
		e.Fatalf("%v came", came)
	}
}

func fetchSeek(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 100)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	for _, to := range []int64{90, 10, 10, 55} {
		batches, err := c.Poll(e.Ctx, 5, 20*time.Second)
		e.Must(err, "poll")
		e.gotten(batches)
		c.Seek(at, to)
		if p := c.Position(at); p != to {
			e.Fatalf("the position is %d after Seek to %d", p, to)
		}
		batches, err = c.Poll(e.Ctx, 1, 20*time.Second)
		e.Must(err, "poll")
		if g := e.gotten(batches); len(g) != 1 || g[0].offset != to {
			e.Fatalf("%v came after Seek to %d", g, to)
		}
	}
}

func fetchPosition(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 10)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	if p := c.Position(at); p != 0 {
		e.Fatalf("the position is %d before the first Poll", p)
	}
	if p := c.Position(tp("unassigned", 0)); p != broker.NoOffset {
		e.Fatalf("a partition that is not assigned has the position %d", p)
	}
	for read := int64(0); read < 10; {
		batches, err := c.Poll(e.Ctx, 3, 20*time.Second)
		e.Must(err, "poll")
		read += int64(len(e.gotten(batches)))
		if p := c.Position(at); p != read || batches[0].Next != read {
			e.Fatalf("the position is %d and Next %d after %d records", p, batches[0].Next, read)
		}
	}
}

func fetchPause(e *Env) {
	topic := e.Topic("t", 2)
	a, b := tp(topic, 0), tp(topic, 1)
	e.Fill(a, 0, 10)
	e.Fill(b, 100, 10)
	c := e.Consumer(broker.ReadUncommitted, a, b)
	defer c.Close()
	c.Pause(a)
	for _, g := range e.Read(c, 10) {
		if g.TopicPartition == a {
			e.Fatalf("a paused partition gave %v", g)
		}
	}
	e.Silent(c, 300*time.Millisecond)
	c.Resume(a)
	if came := e.Read(c, 10); came[0].value != "v0" || came[9].value != "v9" {
		e.Fatalf("%v came after Resume", came)
	}
}

func fetchMax(e *Env) {
	topic := e.Topic("t", 3)
	for i := range int32(3) {
		e.Fill(tp(topic, i), int(100*i), 50)
	}
	c := e.Consumer(broker.ReadUncommitted, tp(topic, 0), tp(topic, 1), tp(topic, 2))
	defer c.Close()
	next := map[int32]int64{}
	for n := 0; n < 150; {
		batches, err := c.Poll(e.Ctx, 7, 20*time.Second)
		e.Must(err, "poll")
		came := e.gotten(batches)
		if len(came) == 0 || len(came) > 7 {
			e.Fatalf("%d records came of at most 7", len(came))
		}
		for _, g := range came {
			if g.offset != next[g.Partition] {
				e.Fatalf("%v came instead of offset %d", g, next[g.Partition])
			}
			next[g.Partition]++
		}
		n += len(came)
	}
}

func fetchWakeup(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	c.Wakeup()
	if batches, err := c.Poll(e.Ctx, 1, -1); err != nil || len(batches) != 0 {
		e.Fatalf("Poll after Wakeup: %v, %v", batches, err)
	}
	e.Go(e.Main(), "waker", func(e *Env) {
		e.Sleep(100 * time.Millisecond)
		c.Wakeup()
	})
	if batches, err := c.Poll(e.Ctx, 1, -1); err != nil || len(batches) != 0 {
		e.Fatalf("Poll while Wakeup: %v, %v", batches, err)
	}
	e.Silent(c, 50*time.Millisecond) // a Wakeup counts once
}

func fetchWait(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	for _, wait := range []time.Duration{0, 200 * time.Millisecond} {
		began := e.Main().Host().Now()
		batches, err := c.Poll(e.Ctx, 1, wait)
		took := e.Main().Host().Now().Sub(began)
		if err != nil || len(batches) != 0 {
			e.Fatalf("Poll of nothing: %v, %v", batches, err)
		}
		if took < wait || took > wait+5*time.Second {
			e.Fatalf("Poll with a wait of %v took %v", wait, took)
		}
	}
}

func fetchBlocks(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	th := e.Go(e.Start("writer"), "writer", func(e *Env) {
		e.Sleep(100 * time.Millisecond)
		e.Fill(at, 0, 1)
	})
	batches, err := c.Poll(e.Ctx, 10, -1)
	e.Must(err, "poll")
	e.Values(e.gotten(batches), "v0")
	th.Wait()
}

func fetchContext(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	ctx, cancel := e.Main().Host().WithTimeout(e.Ctx, 100*time.Millisecond)
	defer cancel()
	if batches, err := c.Poll(ctx, 1, -1); err == nil {
		e.Fatalf("Poll returned %v after its context had ended", batches)
	}
	e.Fill(at, 0, 1)
	e.Values(e.Read(c, 1), "v0")
}

func fetchReset(e *Env) {
	topic := e.Topic("t", 1)
	at := tp(topic, 0)
	e.Fill(at, 0, 10)
	for reset, want := range map[broker.ResetPolicy]string{broker.ResetEarliest: "v0", broker.ResetLatest: "late"} {
		c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Reset: reset})
		e.Must(err, "new consumer")
		e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: broker.NoOffset}), "assign")
		c.Pause(at)
		e.Eventually("the position is known", func() bool {
			if c.Position(at) != broker.NoOffset {
				return true
			}
			_, err := c.Poll(e.Ctx, 1, 0)
			e.Must(err, "poll")
			return false
		})
		p := e.Producer()
		e.Send(p, at, broker.Record{Value: []byte("late")})
		p.Close()
		c.Resume(at)
		batches, err := c.Poll(e.Ctx, 1, 20*time.Second)
		e.Must(err, "poll")
		e.Values(e.gotten(batches), want)
		c.Close()
	}
}

func fetchNoPolicy(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: broker.NoOffset}), "assign")
	_, err := c.Poll(e.Ctx, 1, 20*time.Second)
	e.Is(err, "poll", broker.ErrNoOffset)
}

func fetchPausedNoPolicy(e *Env) {
	paused, read := tp(e.Topic("t", 2), 0), tp(e.Name("t"), 1)
	e.Fill(paused, 0, 3)
	e.Fill(read, 10, 3)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{paused: broker.NoOffset, read: 0}), "assign")
	c.Pause(paused)
	var came []got
	e.Eventually("the other partition is read", func() bool {
		batches, err := c.Poll(e.Ctx, 10, 100*time.Millisecond)
		e.Must(err, "poll")
		came = append(came, e.gotten(batches)...)
		return len(came) == 3
	})
	c.Resume(paused)
	e.Eventually("Poll fails", func() bool {
		_, err := c.Poll(e.Ctx, 10, 100*time.Millisecond)
		if err != nil {
			e.Is(err, "poll", broker.ErrNoOffset)
		}
		return err != nil
	})
	c.Seek(paused, 1)
	e.Eventually("the paused partition is read", func() bool {
		batches, err := c.Poll(e.Ctx, 10, 100*time.Millisecond)
		e.Must(err, "poll")
		came = append(came, e.gotten(batches)...)
		return len(came) == 5
	})
}

func fetchOutOfRange(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 10)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 99}), "assign")
	_, err := c.Poll(e.Ctx, 1, 20*time.Second)
	var out *broker.OffsetOutOfRange
	if !errors.As(err, &out) || !errors.Is(err, broker.ErrOffsetOutOfRange) {
		e.Fatalf("the error is %v", err)
	}
	if want := (broker.OffsetOutOfRange{TopicPartition: at, Offset: 99, Earliest: 0, Latest: 10}); *out != want {
		e.Fatalf("%v instead of %v", out, &want)
	}
}

func fetchOutOfRangeReset(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 10)
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 99}), "assign")
	if came := e.Read(c, 10); came[0].offset != 0 {
		e.Fatalf("%v came first", came[0])
	}
}

func fetchOutOfRangeSeek(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 10)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 99}), "assign")
	_, err := c.Poll(e.Ctx, 1, 20*time.Second)
	e.Is(err, "poll", broker.ErrOffsetOutOfRange)
	c.Seek(at, 8)
	e.Values(e.Read(c, 2), "v8", "v9")
}

func fetchAssign(e *Env) {
	topic := e.Topic("t", 3)
	for i := range int32(3) {
		e.Fill(tp(topic, i), int(100*i), 5)
	}
	c := e.Consumer(broker.ReadUncommitted, tp(topic, 0), tp(topic, 1))
	defer c.Close()
	e.Read(c, 10)
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{tp(topic, 1): broker.NoOffset, tp(topic, 2): 3}), "assign")
	if p := c.Position(tp(topic, 1)); p != 5 {
		e.Fatalf("a partition that stays has the position %d", p)
	}
	if p := c.Position(tp(topic, 0)); p != broker.NoOffset {
		e.Fatalf("a partition that is gone has the position %d", p)
	}
	e.Fill(tp(topic, 0), 5, 1)
	e.Fill(tp(topic, 1), 105, 1)
	came := map[string]bool{}
	for _, g := range e.Read(c, 3) {
		came[g.value] = true
	}
	if fmt.Sprint(came) != fmt.Sprint(map[string]bool{"v105": true, "v203": true, "v204": true}) {
		e.Fatalf("%v came", came)
	}
	c.Pause(tp(topic, 1))
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{tp(topic, 1): broker.NoOffset}), "assign")
	e.Fill(tp(topic, 1), 106, 1)
	e.Silent(c, 200*time.Millisecond) // its pause stays too
	c.Resume(tp(topic, 1))
	e.Values(e.Read(c, 1), "v106")
}

func fetchMany(e *Env) {
	const partitions, each = 12, 200
	topic := e.Topic("t", partitions)
	p := e.Producer()
	defer p.Close()
	var all []broker.TopicPartition
	for i := range int32(partitions) {
		all = append(all, tp(topic, i))
		e.Must(p.Send(e.Ctx, tp(topic, i), keyed(0, each), nil), "send")
	}
	e.Must(p.Flush(e.Ctx), "flush")
	c := e.Consumer(broker.ReadUncommitted, all...)
	defer c.Close()
	first, err := c.Poll(e.Ctx, 1, 0) // fetching begins here at the latest
	e.Must(err, "poll")
	early := len(e.gotten(first))
	e.Sleep(time.Second)
	seen, polls := map[int32]int{}, 0
	for n := early; n < partitions*each; polls++ {
		batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
		e.Must(err, "poll")
		for _, g := range e.gotten(batches) {
			seen[g.Partition]++
			n++
		}
		if polls == partitions*each/10*3/4 && len(seen) < partitions {
			e.Fatalf("after three quarters only the partitions %v were served", seen)
		}
	}
}

func fetchWatermark(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 10)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	batches, err := c.Poll(e.Ctx, 1, 20*time.Second)
	e.Must(err, "poll")
	if len(batches) != 1 || batches[0].HighWatermark != 10 || batches[0].LastStable != 10 {
		e.Fatalf("batches: %+v", batches)
	}
}

func fetchBytes(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 2000)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	var values [][]byte
	for len(values) < 2000 {
		batches, err := c.Poll(e.Ctx, 100, 20*time.Second)
		e.Must(err, "poll")
		for _, b := range batches {
			for _, r := range b.Records {
				values = append(values, r.Value)
			}
		}
		if len(values) == 1000 {
			e.Fill(at, 2000, 100)
		}
	}
	for i, v := range values[:2000] {
		if string(v) != fmt.Sprintf("v%d", i) {
			e.Fatalf("value %d is %q now", i, v)
		}
	}
}

func fetchClosed(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	c.Close()
	_, err := c.Poll(e.Ctx, 1, time.Second)
	e.Is(err, "poll", broker.ErrClosed)
	c.Close()
}

func fetchEmpty(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	ends, err := c.EndOffsets(e.Ctx, broker.ReadCommitted, at)
	e.Must(err, "end offsets")
	if ends[at] != 0 || c.Position(at) != 0 {
		e.Fatalf("end %d, position %d", ends[at], c.Position(at))
	}
}

func fetchLarge(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	for i := range 3 {
		e.Send(p, at, broker.Record{Key: fmt.Append(nil, i), Value: make([]byte, 50000), Timestamp: 1})
	}
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{PartitionMax: 1000, MaxBytes: 1000})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 0}), "assign")
	for i, g := range e.Read(c, 3) {
		if g.key != fmt.Sprint(i) || len(g.value) != 50000 {
			e.Fatalf("record %d came with key %s and %d bytes", i, g.key, len(g.value))
		}
	}
}

func fetchSmallLimits(e *Env) {
	topic := e.Topic("t", 3)
	assign := map[broker.TopicPartition]int64{}
	for i := range int32(3) {
		for j := range 10 {
			e.Fill(tp(topic, i), 10*j, 10)
		}
		assign[tp(topic, i)] = 0
	}
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{PartitionMax: 300, MaxBytes: 500})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(c.Assign(e.Ctx, assign), "assign")
	next := map[int32]int{}
	for _, g := range e.Read(c, 300) {
		if g.value != fmt.Sprintf("v%d", next[g.Partition]) {
			e.Fatalf("%v came instead of v%d", g, next[g.Partition])
		}
		next[g.Partition]++
	}
}

func fetchSeekEnd(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 5)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	c.Seek(at, 5)
	e.Silent(c, 200*time.Millisecond)
	e.Fill(at, 5, 1)
	e.Values(e.Read(c, 1), "v5")
}

func fetchTwo(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	a, b := e.Consumer(broker.ReadUncommitted, at), e.Consumer(broker.ReadUncommitted, at)
	defer a.Close()
	defer b.Close()
	for i := range 5 {
		e.Fill(at, 10*i, 10)
		if x, y := fmt.Sprint(e.Read(a, 10)), fmt.Sprint(e.Read(b, 10)); x != y {
			e.Fatalf("one read %s, the other %s", x, y)
		}
	}
}

func fetchWatermarkGrows(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	for i := range 5 {
		e.Fill(at, i, 1)
		batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
		e.Must(err, "poll")
		if len(batches) != 1 || batches[0].HighWatermark != int64(i+1) {
			e.Fatalf("after %d records: %+v", i+1, batches)
		}
	}
}

func fetchResume(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	c.Resume(at, tp("unassigned", 3))
	c.Pause(tp("unassigned", 3))
	c.Pause(at)
	c.Pause(at)
	c.Resume(at)
	e.Fill(at, 0, 3)
	e.Values(e.Read(c, 3), "v0", "v1", "v2")
}

func fetchSeekPaused(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 10)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	batches, err := c.Poll(e.Ctx, 2, 20*time.Second)
	e.Must(err, "poll")
	e.Values(e.gotten(batches), "v0", "v1")
	c.Pause(at)
	c.Seek(at, 8)
	e.Silent(c, 200*time.Millisecond)
	if p := c.Position(at); p != 8 {
		e.Fatalf("the position is %d", p)
	}
	c.Resume(at)
	e.Values(e.Read(c, 2), "v8", "v9")
}

func fetchNothing(e *Env) {
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Silent(c, 200*time.Millisecond)
	ends, err := c.EndOffsets(e.Ctx, broker.ReadUncommitted)
	e.Must(err, "end offsets of nothing")
	if len(ends) != 0 {
		e.Fatalf("end offsets of nothing: %v", ends)
	}
}

func fetchEmptied(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 5)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	e.Read(c, 5)
	e.Must(c.Assign(e.Ctx, nil), "assign nothing")
	e.Fill(at, 5, 1)
	e.Silent(c, 200*time.Millisecond)
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 4}), "assign again")
	e.Values(e.Read(c, 2), "v4", "v5")
}

func fetchCommittedPlain(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	for i := range 3 {
		e.Fill(at, i, 1)
		e.Values(e.Read(c, 1), fmt.Sprintf("v%d", i))
	}
}

func fetchDeleted(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	for i := range 10 {
		e.Fill(at, i, 1)
	}
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest, PartitionMax: 1})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: 6}), "delete records")
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 2}), "assign")
	e.Values(e.Read(c, 4), "v6", "v7", "v8", "v9")
}

func fetchWhileWriting(e *Env) {
	const n = 300
	topic := e.Topic("t", 2)
	th := e.Go(e.Start("writer"), "writer", func(e *Env) {
		p := e.Producer()
		defer p.Close()
		for i := range n {
			e.Must(p.Send(e.Ctx, tp(topic, int32(i%2)), keyed(i, 1), nil), "send")
			if i%10 == 0 {
				e.Must(p.Flush(e.Ctx), "flush")
			}
		}
		e.Must(p.Flush(e.Ctx), "flush")
	})
	c := e.Consumer(broker.ReadUncommitted, tp(topic, 0), tp(topic, 1))
	defer c.Close()
	next := map[int32]int{0: 0, 1: 1}
	for _, g := range e.Read(c, n) {
		if g.value != fmt.Sprintf("v%d", next[g.Partition]) {
			e.Fatalf("%v came instead of v%d", g, next[g.Partition])
		}
		next[g.Partition] += 2
	}
	th.Wait()
}

func fetchEnds(e *Env) {
	topic := e.Topic("t", 10)
	p := e.Producer()
	defer p.Close()
	var all []broker.TopicPartition
	for i := range int32(10) {
		all = append(all, tp(topic, i))
		if i > 0 {
			e.Must(p.Send(e.Ctx, tp(topic, i), keyed(0, int(i)), nil), "send")
		}
	}
	e.Must(p.Flush(e.Ctx), "flush")
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	for _, isolation := range []broker.IsolationLevel{broker.ReadUncommitted, broker.ReadCommitted} {
		ends, err := c.EndOffsets(e.Ctx, isolation, all...)
		e.Must(err, "end offsets")
		for i, at := range all {
			if ends[at] != int64(i) {
				e.Fatalf("ends: %v", ends)
			}
		}
	}
}
