package thread

import (
	"context"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Rows are what the stores of tasks hold, in the form of their changelogs: by task, then by store.
type Rows map[processor.TaskID]map[string][][2][]byte

// inspection is a question to the thread, which owns the stores.
type inspection struct {
	cond host.Cond
	done bool
	rows Rows
	err  error
}

// Inspect returns what the stores of the thread's running tasks hold between two turns of its loop. It may be called from any thread
// of the same process or, in the simulator, of another one.
func (t *Thread) Inspect(ctx context.Context) (Rows, error) {
	t.mu.Lock()
	q := &inspection{cond: t.cfg.Task.Host.NewCond(t.mu)}
	if t.over || t.member == nil {
		t.mu.Unlock()
		return nil, nil
	}
	t.asked = append(t.asked, q)
	t.mu.Unlock()
	t.wake()
	t.mu.Lock()
	defer t.mu.Unlock()
	for !q.done {
		if err := q.cond.Wait(ctx, time.Time{}); err != nil {
			return nil, err
		}
	}
	return q.rows, q.err
}

func (t *Thread) answer() {
	t.mu.Lock()
	asked := t.asked
	t.asked = nil
	t.mu.Unlock()
	for _, q := range asked {
		rows, err := t.rows()
		t.mu.Lock()
		q.rows, q.err, q.done = rows, err, true
		q.cond.Broadcast()
		t.mu.Unlock()
	}
}

func (t *Thread) rows() (Rows, error) {
	out := Rows{}
	for _, tk := range t.order {
		out[tk.ID()] = map[string][][2][]byte{}
		for _, h := range tk.Handles() {
			rows, err := h.Rows()
			if err != nil {
				return nil, err
			}
			out[tk.ID()][h.Name] = rows
		}
	}
	return out, nil
}
