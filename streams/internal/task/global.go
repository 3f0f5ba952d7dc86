package task

import (
	"sync"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// GlobalID is the id of the task that feeds an instance's global stores: it is in no group, and has all partitions of its topics.
var GlobalID = processor.TaskID{Subtopology: 0, Partition: -1}

// GlobalConfig is the configuration of that task. globals is the topology's Globals. It waits for no partition, has no dead letters, and
// sees no global stores but its own.
func GlobalConfig(c *Config, globals *topology.Topology) *Config {
	out := *c
	out.Topology, out.MaxTaskIdle, out.Global = globals, -1, nil
	out.Handlers.DeadLetters, out.Handlers.Custom = "", Custom{}
	if custom := c.Handlers.Custom.Deserialization; custom != nil {
		out.Handlers.Custom.Deserialization = func(f *Failure) Answer { return Answer{Decision: custom(f).Decision} } // nothing is written there
	}
	return &out
}

// ReadOnly gives the task's stores to the tasks of other threads. Each access holds the lock, which whoever changes the stores must
// hold too.
func (t *Task) ReadOnly(lock sync.Locker) func(store string) *state.Handle {
	shared := map[string]*state.Handle{}
	for _, s := range t.stores {
		shared[s.Name] = s.ReadOnly(lock)
	}
	return func(store string) *state.Handle { return shared[store] }
}

// CommitAt makes the state durable, with the positions up to which each partition is in it.
func (t *Task) CommitAt() error {
	offsets := map[string]int64{}
	for _, q := range t.queues {
		if o := q.committable(); o >= 0 {
			offsets[partitionName(q)] = o
		}
	}
	if len(t.dbs) == 0 {
		return nil
	}
	// the first database has the positions; with stores in memory beside it the task starts again from the beginning
	for i, db := range t.dbs {
		mine := offsets
		if i > 0 {
			mine = nil
		}
		if err := db.Commit(mine); err != nil {
			return err
		}
	}
	t.dirty = false
	return t.syncStores()
}

// StartOver empties the stores and forgets the positions, durably: everything is to be read again.
func (t *Task) StartOver() error {
	for _, s := range t.stores {
		if err := t.Wipe(s.Name); err != nil {
			return err
		}
	}
	for _, q := range t.queues {
		q.position, q.end = broker.NoOffset, -1
		if len(t.dbs) > 0 {
			if err := t.dbs[0].Wipe(partitionName(q)); err != nil {
				return err
			}
		}
	}
	return nil
}

func partitionName(q *queue) string { return q.tp.String() }

// Kept are the positions of the last CommitAt, by partition; partitions without one are absent, and all are while a store is in memory.
func (t *Task) Kept() (map[string]int64, error) {
	out := map[string]int64{}
	if len(t.dbs) != 1 || t.cfg.OpenEngine == nil {
		return out, nil
	}
	for _, q := range t.queues {
		o, err := t.dbs[0].Offset(partitionName(q))
		if err != nil {
			return nil, err
		}
		if o >= 0 {
			out[partitionName(q)] = o
		}
	}
	return out, nil
}
