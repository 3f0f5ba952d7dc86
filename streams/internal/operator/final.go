package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// windowing is what an aggregation over windows has beside its store.
type windowing struct {
	ctx    *processor.RecordContext
	time   *int64 // its stream time, committed with the task
	finals finals
}

func (w *windowing) start(t processor.Task, node string) {
	w.ctx, w.time = t.Context(), t.Metadata(TimeKey+node, -1)
}

// finals decides when an aggregation with emission on window close looks for closed windows: when its close time has moved on, and not
// more often than the task's interval. The close time of the last emission is committed under the store's name, as in Kafka.
type finals struct {
	on       bool
	last     *int64 // -1: nothing was emitted yet
	next     int64  // wall clock
	interval int64
	task     processor.Task
}

func (f *finals) init(t processor.Task, store string) {
	f.on, f.task, f.interval = true, t, t.EmitInterval()
	f.last = t.Metadata(store, -1)
}

// due says whether to look, now that windows before closed are.
func (f *finals) due(closed int64) bool {
	now := f.task.WallClock()
	if now < f.next {
		return false
	}
	f.next = now + f.interval
	return *f.last == -1 || *f.last < closed
}
