package worker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// commit lets the task make durable what it has, and commits its offsets of these partitions. With closing the task's Close comes between
// the two. Failures are counted; only that of a dead letter is the task's.
func (t *sinkTask) commit(ctx context.Context, tps []broker.TopicPartition, closing bool) error {
	start := t.h.Now()
	if err := t.errant.await(ctx); err != nil {
		return err
	}
	offsets := connect.Offsets{}
	for _, tp := range tps {
		if o, ok := t.current[tp]; ok {
			offsets[tp] = o
		}
	}
	if len(offsets) > 0 {
		t.mu.Lock()
		t.metrics.commitSequence++
		t.mu.Unlock()
	}
	allowed, err := t.preCommit(ctx, offsets)
	if closing {
		if e := t.closeTask(ctx, tps); e != nil {
			return e
		}
	}
	if panicked(err) {
		t.countCommit(start, err)
		return err
	}
	if err != nil {
		t.h.Log().Error("connect: the task could not prepare a commit", "task", t.id.String(), "error", err)
		t.countCommit(start, err)
		if !closing {
			return t.startOver(ctx, tps)
		}
		return nil
	}
	due := t.due(allowed, offsets)
	if len(due) == 0 {
		if len(offsets) > 0 {
			t.countCommit(start, nil)
		}
		return nil
	}
	if err := t.member.Commit(ctx, due); err != nil {
		t.countCommit(start, err)
		t.h.Log().Error("connect: could not commit offsets", "task", t.id.String(), "error", err)
		return nil
	}
	for tp, o := range due { // into a map: order does not matter
		t.committed[tp] = o.Offset
	}
	t.countCommit(start, nil)
	return nil
}

func (t *sinkTask) countCommit(start time.Time, err error) {
	now := t.h.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metrics.commit(start, now, err)
	if err == nil {
		t.metrics.committed.add(now, 1)
		t.metrics.active.set(now, t.uncommitted())
	}
}

// uncommitted is how many offsets were read, and are not committed.
func (t *sinkTask) uncommitted() float64 {
	n := 0.0
	for tp, o := range t.current { // a sum of whole numbers: order does not matter
		from, ok := t.committed[tp]
		if !ok {
			from = t.assigned[tp]
		}
		if from != broker.NoOffset {
			n += float64(max(o.Offset-from, 0))
		}
	}
	return n
}

func (t *sinkTask) preCommit(ctx context.Context, offsets connect.Offsets) (out connect.Offsets, err error) {
	defer caught("SinkTask.preCommit", &err)
	if len(offsets) == 0 {
		return nil, nil
	}
	switch x := t.task.(type) {
	case connect.PreCommitter:
		return x.PreCommit(ctx, offsets)
	case connect.Flusher:
		return offsets, x.Flush(ctx, offsets)
	}
	return offsets, nil
}

// due are the allowed offsets that are new, of partitions that were asked for, and not beyond what was put.
func (t *sinkTask) due(allowed, asked connect.Offsets) map[broker.TopicPartition]broker.OffsetAndMetadata {
	out := map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, tp := range slices.SortedFunc(maps.Keys(allowed), broker.TopicPartition.Compare) {
		o := allowed[tp]
		most, ok := asked[tp]
		old, known := t.committed[tp]
		switch {
		case !ok || o.Offset > most.Offset:
			t.h.Log().Warn("connect: the task wants an offset committed that it may not", "task", t.id.String(), "partition", tp.String(), "offset", o.Offset)
			continue
		case known && old == o.Offset:
			continue
		}
		o.LeaderEpoch = -1
		out[tp] = o
	}
	return out
}

// startOver moves all partitions back to what is committed, so that what the task has lost comes again.
func (t *sinkTask) startOver(ctx context.Context, tps []broker.TopicPartition) error {
	committed, err := t.member.Committed(ctx, tps...)
	if err != nil {
		return data.ConnectException.Because(err)
	}
	for _, tp := range tps {
		offset := t.assigned[tp]
		if o, ok := committed[tp]; ok {
			offset = o.Offset
		}
		if offset == broker.NoOffset {
			continue // nothing has come yet
		}
		t.member.Seek(tp, offset)
		t.current[tp] = broker.OffsetAndMetadata{Offset: offset, LeaderEpoch: -1}
	}
	t.pending = t.pending[:0]
	clear(t.staged)
	if t.retrying {
		t.retrying = false
		t.resumeAll()
	}
	return nil
}

func (t *sinkTask) closeTask(ctx context.Context, tps []broker.TopicPartition) error {
	if c, ok := t.task.(connect.Closer); ok && len(tps) > 0 {
		return guarded("SinkTask.close", func() error { return c.Close(ctx, tps) })
	}
	return nil
}

// closePartitions commits and closes partitions that go.
func (t *sinkTask) closePartitions(ctx context.Context, tps []broker.TopicPartition) error {
	if len(tps) == 0 {
		return nil
	}
	err := t.commit(ctx, tps, true)
	t.forget(tps)
	return err
}

// forget drops everything about partitions.
func (t *sinkTask) forget(tps []broker.TopicPartition) {
	for _, tp := range tps {
		delete(t.assigned, tp)
		delete(t.committed, tp)
		delete(t.current, tp)
		delete(t.staged, tp)
		delete(t.held, tp)
		delete(t.rewinds, tp)
	}
	t.pending = slices.DeleteFunc(t.pending, func(r *connect.Record) bool {
		_, ok := t.assigned[broker.TopicPartition{Topic: r.Sink.Topic, Partition: r.Sink.Partition}]
		return !ok
	})
	t.countPartitions()
}

func (t *sinkTask) countPartitions() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.metrics.partitions = len(t.assigned)
	t.metrics.active.set(t.h.Now(), t.uncommitted())
}

// sinkListener is told of rebalances, inside Poll.
type sinkListener sinkTask

func (l *sinkListener) fail(err error) {
	if err != nil && l.failure == nil {
		l.failure = err
	}
}

// Revoked closes partitions that go to another member.
func (l *sinkListener) Revoked(ctx context.Context, tps []broker.TopicPartition) {
	l.fail((*sinkTask)(l).closePartitions(ctx, tps))
}

// Assigned opens new partitions.
func (l *sinkListener) Assigned(ctx context.Context, _ broker.Assignment, added []broker.TopicPartition) {
	t := (*sinkTask)(l)
	for _, tp := range added {
		t.assigned[tp] = broker.NoOffset
	}
	t.countPartitions()
	if len(added) == 0 {
		return
	}
	if o, ok := t.task.(connect.Opener); ok {
		l.fail(guarded("SinkTask.open", func() error { return o.Open(ctx, added) }))
	}
	if t.retrying || t.now() == Paused {
		t.member.Pause(t.partitions()...)
	}
}

// Lost closes partitions that are gone already.
func (l *sinkListener) Lost(ctx context.Context, tps []broker.TopicPartition) {
	t := (*sinkTask)(l)
	l.fail(t.closeTask(ctx, tps))
	t.forget(tps)
}
