package thread

import (
	"errors"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// retryCommit is how long a commit that timed out waits for its next try.
const retryCommit = 100 * time.Millisecond

// maybeCommit commits when it is due: CommitInterval after the first thing that needs it, or at once when a processor asked, or when
// the uncommitted state has grown too large.
func (t *Thread) maybeCommit(now time.Time) error {
	need, asked := false, false
	var bytes int64
	for _, tk := range t.order {
		if tk.NeedsCommit() {
			need = true
			asked = asked || tk.CommitRequested()
			bytes += tk.Uncommitted()
		}
	}
	switch {
	case !need:
		t.due = time.Time{}
		return nil
	case t.due.IsZero():
		t.due = now.Add(t.cfg.CommitInterval)
	}
	if now.Before(t.due) && !asked && (t.cfg.Uncommitted <= 0 || bytes < t.cfg.Uncommitted) {
		return nil
	}
	return t.commitAll()
}

// commitAll commits every running task that needs it, all in one step: flush the caches, write everything, commit the positions
// (with exactly-once in the transaction that holds what was written), and only then make the state durable.
func (t *Thread) commitAll() error {
	ready := t.order[:0:0]
	for _, tk := range t.order {
		if tk.NeedsCommit() {
			ready = append(ready, tk)
		}
	}
	if len(ready) == 0 {
		t.due = time.Time{}
		if t.coll.InTransaction() {
			return t.coll.Commit(t.member.Metadata(), nil)
		}
		return nil
	}
	now := t.cfg.Task.Host.Now()
	for _, tk := range ready {
		if err := tk.PrepareCommit(now.UnixMilli()); err != nil {
			return err
		}
	}
	if err := t.coll.Flush(); err != nil {
		return err
	}
	offsets := map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, tk := range ready {
		for tp, o := range tk.Offsets() { // into a map again
			offsets[tp] = o
		}
	}
	if err := t.commitOffsets(offsets); err != nil {
		if t.postpone(err, now) {
			return nil
		}
		return err
	}
	t.retry = time.Time{}
	t.due = time.Time{}
	for _, tk := range ready {
		if err := tk.PostCommit(); err != nil {
			return err
		}
	}
	t.purge(now, offsets)
	t.emit("commit", trace.I("tasks", int64(len(ready))), trace.I("partitions", int64(len(offsets))))
	t.publish()
	return nil
}

func (t *Thread) commitOffsets(offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	if t.cfg.ExactlyOnce {
		return t.coll.Commit(t.member.Metadata(), offsets)
	}
	if len(offsets) == 0 {
		return nil
	}
	return t.member.Commit(t.ctx, offsets)
}

// postpone puts off an at-least-once commit that the group or the network would not take now. Nothing is lost by it: the positions are
// committed later, or by nobody, and then the records are processed again.
func (t *Thread) postpone(err error, now time.Time) bool {
	if t.cfg.ExactlyOnce {
		return false
	}
	switch {
	case errors.Is(err, broker.ErrRebalancing):
	case errors.Is(err, broker.ErrRetriable):
		if t.retry.IsZero() {
			t.retry = now
		}
		if now.Sub(t.retry) > t.cfg.TaskTimeout {
			return false
		}
	default:
		return false
	}
	t.log.Warn("streams: commit put off", "error", err)
	t.due = now.Add(retryCommit)
	return true
}
