package scenarios

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"time"

	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams"
)

// instance is one instance of an application on its machine.
type instance struct {
	subject
	app  *App
	inst *streams.Instance // of the running or last process
}

// subject is what faults may hit: a program on its machine.
type subject struct {
	name    string
	machine machine
	host    host.Host
	dead    bool
	paused  bool
	starts  int
	err     error // of a start
}

// newInstances makes the instances of all applications, not started.
func newInstances(s *Scenario, p place) []*instance {
	var out []*instance
	for i := range s.Apps {
		a := &s.Apps[i]
		for n := range max(a.Instances, 1) {
			name := fmt.Sprintf("%s-%d", a.Name, n+1)
			out = append(out, &instance{subject: subject{name: name, machine: p.machine(name)}, app: a})
		}
	}
	return out
}

// names are those of all that faults may hit.
func (r *Run) names() (out []string) {
	for _, i := range r.instances {
		out = append(out, i.name)
	}
	for _, i := range r.workers {
		out = append(out, i.name)
	}
	return out
}

// hit carries out a step of the plan.
func (r *Run) hit(s faults.Step) {
	for _, i := range r.instances {
		if i.name != s.Instance {
			continue
		}
		if s.Kind == faults.Resume && r.place.on() != Simulated {
			// real time: the pause must outlast the session, or it is none
			if err := r.outlast(i); err != nil {
				i.err = err
			}
		}
		if err := i.do(s.Kind); err != nil {
			i.err = err
		}
	}
	for _, i := range r.workers {
		if i.name != s.Instance {
			continue
		}
		if err := i.do(s.Kind); err != nil {
			i.err = err
		}
	}
}

// ID is the application's application.id.
func (a *App) ID() string {
	if id := a.Config["application.id"]; id != "" {
		return id
	}
	return a.Name
}

func (a *App) parse(name string) (streams.Config, error) {
	props := maps.Clone(a.Config)
	if props == nil {
		props = map[string]string{}
	}
	props["application.id"] = a.ID()
	if props["client.id"] == "" {
		props["client.id"] = name
	}
	if props["state.dir"] == "" {
		props["state.dir"] = path.Join("/state", name)
	}
	cfg, err := streams.ParseConfig(props)
	cfg.MemoryEngine = !a.Pebble
	if err == nil && a.Configure != nil {
		a.Configure(&cfg)
	}
	return cfg, err
}

// start starts a process of the instance.
func (i *instance) start() error {
	cfg, err := i.app.parse(i.name)
	if err != nil {
		return err
	}
	h, cluster, err := i.machine.start()
	if err != nil {
		return err
	}
	i.dead, i.starts = false, i.starts+1
	inst := streams.NewInstance(i.app.Topology, cfg, cluster, h)
	i.inst, i.host = inst, h
	h.Go("main", func(ctx context.Context) {
		defer cluster.Close()
		if err := inst.Start(); err != nil {
			if !errors.Is(err, host.ErrKilled) {
				i.err = err
			}
			return
		}
		if err := inst.Wait(ctx); err != nil && !errors.Is(err, host.ErrKilled) {
			h.Log().Error("scenarios: an instance has ended", "instance", i.name, "error", err)
		}
	})
	return nil
}

// do carries out a step of the plan.
func (i *instance) do(k faults.Kind) error { return i.carryOut(k, i.start) }

func (i *subject) carryOut(k faults.Kind, start func() error) error {
	switch k {
	case faults.Crash:
		i.machine.kill()
		i.dead = true
	case faults.Restart:
		return start()
	case faults.Pause:
		i.machine.pause()
		i.paused = true
	case faults.Resume:
		i.machine.resume()
		i.paused = false
	}
	return nil
}

// up says whether the program should be working now.
func (i *subject) up() bool { return !i.dead && !i.paused && i.starts > 0 }

// failure is what ended the instance by itself, or nil.
func (i *instance) failure() error {
	if i.err != nil {
		return i.err
	}
	if i.inst == nil || i.dead {
		return nil
	}
	if err := i.inst.Err(); err != nil && !errors.Is(err, host.ErrKilled) {
		return err
	}
	return nil
}

// call runs f on a thread of another process and waits for it, since a process's threads wait for each other only.
func (r *Run) call(ctx context.Context, h host.Host, f func(ctx context.Context) error) error {
	lab := r.place.host()
	mu := lab.NewMutex()
	cond := lab.NewCond(mu)
	done := false
	var err error
	h.Go("lab", func(ctx context.Context) {
		e := f(ctx)
		mu.Lock()
		err, done = e, true
		cond.Broadcast()
		mu.Unlock()
	})
	mu.Lock()
	defer mu.Unlock()
	for !done {
		if werr := cond.Wait(ctx, time.Time{}); werr != nil {
			return werr
		}
	}
	return err
}
