package thread

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// recover decides what an error of a turn means: nil when the thread goes on, the error when it is fatal.
//
//   - fenced, or expelled from the group (Kafka's TaskMigrated): all tasks are closed without a commit; the producer is replaced, and
//     the thread joins again.
//   - a transaction that failed or timed out, an interrupted rebalance (TaskCorrupted): the transaction is aborted and all tasks start again
//     from their last commit. What of it is in the changelog decides whether a commit whose answer was lost did happen.
//   - anything else is fatal.
func (t *Thread) recover(err error) error {
	if cause := context.Cause(t.ctx); cause != nil {
		return cause
	}
	switch {
	case errors.Is(err, host.ErrKilled):
		return err
	case errors.Is(err, broker.ErrFenced), errors.Is(err, broker.ErrUnknownMember):
		t.emit("task.migrated", trace.F("error", err.Error()))
		t.log.Warn("streams: the thread's tasks have migrated; joining again", "error", err)
		if err := t.closeAll(); err != nil {
			return err
		}
		if err := t.replaceProducer(); err != nil {
			return err
		}
		t.member.Rejoin("tasks migrated")
		return t.makeTasks()
	case errors.Is(err, broker.ErrAbortable), errors.Is(err, broker.ErrRebalancing), errors.Is(err, broker.ErrRetriable):
		t.emit("task.corrupted", trace.F("error", err.Error()))
		t.log.Warn("streams: the thread's tasks start again from their last commit", "error", err)
		if err := t.cfg.Task.Host.Sleep(t.ctx, retryCommit); err != nil {
			return err
		}
		return t.rollback()
	}
	return err
}

func (t *Thread) closeAll() error {
	var errs []error
	for _, id := range slices.SortedFunc(maps.Keys(t.tasks), processor.TaskID.Compare) {
		errs = append(errs, t.closeTask(t.tasks[id]))
	}
	t.order = nil
	return errors.Join(errs...)
}

// rollback aborts what is open and makes all tasks again from their last commit.
func (t *Thread) rollback() error {
	if err := t.closeAll(); err != nil {
		return err
	}
	if err := t.coll.Abort(); err != nil {
		if err := t.replaceProducer(); err != nil {
			return err
		}
	}
	return t.makeTasks()
}

func (t *Thread) replaceProducer() error {
	t.coll.Producer().Close()
	if err := t.newProducer(); err != nil {
		return fmt.Errorf("streams: after a fenced or failed transaction: %w", err)
	}
	return nil
}
