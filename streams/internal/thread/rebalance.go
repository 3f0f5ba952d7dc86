package thread

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/assign"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
)

// listener keeps the callbacks of the group off the thread's own methods. They run inside Poll, on the thread.
type listener struct{ t *Thread }

func (l listener) Revoked(_ context.Context, tps []broker.TopicPartition) { l.t.keep(l.t.revoked(tps)) }

func (l listener) Assigned(_ context.Context, full broker.Assignment, _ []broker.TopicPartition) {
	l.t.keep(l.t.takeAssignment(full))
}

func (l listener) Lost(_ context.Context, tps []broker.TopicPartition) { l.t.keep(l.t.lost(tps)) }

// keep remembers the first failure of a callback for the loop.
func (t *Thread) keep(err error) {
	if err != nil && t.failure == nil {
		t.failure = err
	}
}

func tpList(tps []broker.TopicPartition) string {
	s := ""
	for i, tp := range tps {
		if i > 0 {
			s += ","
		}
		s += tp.String()
	}
	return s
}

func (t *Thread) owners(tps []broker.TopicPartition) []*task.Task {
	ids := map[processor.TaskID]bool{}
	for _, tp := range tps {
		if id, ok := t.byTP[tp]; ok {
			ids[id] = true
		}
	}
	var out []*task.Task
	for _, id := range slices.SortedFunc(maps.Keys(ids), processor.TaskID.Compare) {
		if tk := t.tasks[id]; tk != nil {
			out = append(out, tk)
		}
	}
	return out
}

// revoked gives tasks up: everything that needs a commit is committed first, then those tasks are closed.
func (t *Thread) revoked(tps []broker.TopicPartition) error {
	t.setState(PartitionsRevoked)
	t.emit("partitions.revoked", trace.F("partitions", tpList(tps)))
	gone := t.owners(tps)
	var err error
	if slices.ContainsFunc(gone, func(tk *task.Task) bool { return tk.Running() && tk.NeedsCommit() }) {
		err = t.commitAll()
	}
	for _, tk := range gone {
		t.forget(tk)
		err = errors.Join(err, t.closeTask(tk))
	}
	t.publish()
	return err
}

// lost gives tasks up that are someone else's already: nothing is committed for them. What they wrote in an open transaction must not
// be committed with what other tasks wrote, so with exactly-once all tasks start again from their last commit.
func (t *Thread) lost(tps []broker.TopicPartition) error {
	t.setState(PartitionsRevoked)
	t.emit("partitions.lost", trace.F("partitions", tpList(tps)))
	var err error
	for _, tk := range t.owners(tps) {
		t.forget(tk)
		err = errors.Join(err, t.closeTask(tk))
	}
	t.publish()
	if err == nil && t.cfg.ExactlyOnce {
		err = t.rollback()
	}
	return err
}

func (t *Thread) forget(tk *task.Task) {
	delete(t.assigned, tk.ID())
	for _, tp := range tk.Inputs() {
		delete(t.byTP, tp)
	}
}

// closeTask closes a task and takes it out of the thread; what it has not committed is gone.
func (t *Thread) closeTask(tk *task.Task) error {
	delete(t.tasks, tk.ID())
	t.order = slices.DeleteFunc(t.order, func(x *task.Task) bool { return x == tk })
	if !tk.Running() && t.updater != nil {
		if err := t.updater.Remove(t.ctx, tk); err != nil {
			return err
		}
	}
	return tk.Close()
}

// takeAssignment makes the tasks of an assignment that are not there yet.
func (t *Thread) takeAssignment(full broker.Assignment) error {
	t.setState(PartitionsAssigned)
	info, err := assign.DecodeAssignment(full.UserData)
	if err != nil {
		return err
	}
	if info.Code != assign.ErrNone {
		return t.refused(info.Code)
	}
	active, err := info.Tasks(full)
	if err != nil {
		return err
	}
	t.emit("partitions.assigned", trace.F("partitions", tpList(full.Partitions)))
	for _, id := range slices.SortedFunc(maps.Keys(active), processor.TaskID.Compare) {
		t.assigned[id] = active[id]
		for _, tp := range active[id] {
			t.byTP[tp] = id
		}
	}
	if info.NextRebalance == 0 {
		t.member.Rejoin("tasks are moving here")
	}
	return t.makeTasks()
}

// refused is what an error code in an assignment means for the thread.
func (t *Thread) refused(code int32) error {
	switch code {
	case assign.ErrMissingTopics:
		var names []string
		for _, topic := range t.cfg.Task.Topology.SourceTopics() {
			if !t.cfg.Task.Topology.IsRepartition(topic) {
				names = append(names, topic)
			}
		}
		have, err := t.cfg.Cluster.Admin().DescribeTopics(t.ctx, names...)
		if err != nil {
			return err
		}
		return &MissingTopics{slices.DeleteFunc(names, func(n string) bool { _, ok := have[n]; return ok })}
	case assign.ErrShutdownRequested:
		return errors.New("streams: a member of the group asked the whole application to shut down")
	}
	return fmt.Errorf("streams: the group's leader could not assign tasks (code %d): its log says why", code)
}

// MissingTopics is Kafka's MissingSourceTopicException.
type MissingTopics struct{ Topics []string }

func (e *MissingTopics) Error() string {
	return fmt.Sprintf("streams: source topics do not exist: %s: create them before the application starts", strings.Join(e.Topics, ", "))
}

// makeTasks makes those assigned tasks that are missing, pauses their inputs and has their state restored.
func (t *Thread) makeTasks() error {
	for _, id := range slices.SortedFunc(maps.Keys(t.assigned), processor.TaskID.Compare) {
		tps := t.assigned[id]
		if tk := t.tasks[id]; tk != nil {
			t.grow(tk, tps)
			continue
		}
		t.member.Pause(tps...)
		tk, err := task.New(t.cfg.Task, id, tps, t.budget, t.coll)
		if err != nil {
			return fmt.Errorf("streams: task %s: %w", id, err)
		}
		t.tasks[id] = tk
		t.updater.Add(tk)
	}
	t.publish()
	if len(t.order) == len(t.tasks) {
		t.setState(Running)
	}
	return nil
}

// reporter tells the assignor what the thread has.
type reporter struct{ t *Thread }

// Tasks are the running tasks and those being restored. It runs inside Poll, on the thread.
func (r reporter) Tasks() (running, restoring []processor.TaskID) {
	for _, id := range slices.SortedFunc(maps.Keys(r.t.tasks), processor.TaskID.Compare) {
		if r.t.tasks[id].Running() {
			running = append(running, id)
		} else {
			restoring = append(restoring, id)
		}
	}
	return running, restoring
}
