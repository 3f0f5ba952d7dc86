package streams

import (
	"context"
	"path"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/thread"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// startGlobal starts the global thread, which lets the stream threads start when the global stores are complete.
func (i *Instance) startGlobal(tc *task.Config, globals *topology.Topology) {
	tc.Global = func(store string) *state.Handle { return i.globals(store) }
	gc := task.GlobalConfig(tc, globals)
	if tc.OpenEngine != nil {
		gc.OpenEngine = func(processor.TaskID) (state.Engine, error) {
			return state.OpenPebble(path.Join(i.cfg.taskDir("global"), "pebble"), state.PebbleOptions{FS: i.h.FS(), Log: i.log, Cache: i.cache})
		}
	}
	name := i.cfg.ClientID + "-GlobalStreamThread"
	g := thread.NewGlobal(thread.GlobalConfig{Name: name, Task: gc, Cluster: i.cluster, Consumer: i.cfg.globalConsumer(name + "-consumer"),
		MaxPoll: i.cfg.MaxPollRecords, CommitInterval: i.cfg.CommitInterval, Ready: func(read func(string) *state.Handle) {
			i.globals = read
			i.startThreads()
		}})
	i.mu.Lock()
	i.global = g
	i.mu.Unlock()
	i.h.Go("global-stream-thread", func(ctx context.Context) { i.endedGlobal(g.Run(ctx)) })
}

// startThreads starts the stream threads, unless the instance is to stop already.
func (i *Instance) startThreads() {
	i.mu.Lock()
	if i.state != Rebalancing {
		i.mu.Unlock()
		return
	}
	i.alive = len(i.threads)
	i.mu.Unlock()
	for _, t := range i.threads {
		i.h.Go("stream-thread", func(ctx context.Context) { i.ended(t.Run(ctx)) })
	}
	if len(i.threads) == 0 {
		i.follow() // global stores are all that there is
	}
}

// endedGlobal takes note of the global thread's end. A failure ends the instance: nobody can take its place.
func (i *Instance) endedGlobal(err error) {
	i.mu.Lock()
	i.global = nil
	failed := err != nil && i.err == nil
	if failed {
		i.err = err
		i.move(PendingError)
	}
	last := i.alive == 0
	i.mu.Unlock()
	if failed {
		i.log.Error("streams: the global thread failed; the instance stops", "error", err)
		for _, t := range i.threads {
			t.Stop(true)
		}
	}
	if last {
		i.release()
	}
}
