package worker

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Worker runs the connectors of one process, and their tasks, a thread each. Its methods may be called from any thread.
type Worker struct {
	h       host.Host
	cluster broker.Cluster
	plugins *connect.Plugins
	config  *Config
	store   OffsetStore

	mu         sync.Locker
	connectors map[string]*connector

	connectorStarts, taskStarts *startups
}

// New returns a worker without connectors. Close the cluster after Stop.
func New(h host.Host, cluster broker.Cluster, plugins *connect.Plugins, c *Config, store OffsetStore) *Worker {
	return &Worker{h: h, cluster: cluster, plugins: plugins, config: c, store: store, mu: h.NewMutex(), connectors: map[string]*connector{},
		connectorStarts: newStartups(h, c), taskStarts: newStartups(h, c)}
}

// connector is one connector with its thread.
type connector struct {
	*control
	w           *Worker
	config      *ConnectorConfig
	instance    connect.Connector
	reconfigure bool // the tasks are to be made anew
	tasks       []*control
	sources     bool
}

// StartConnector checks a connector's configuration and starts it; what goes wrong later shows in its Status. The properties must be
// resolved. An error is a ConfigException or a ConnectException.
func (w *Worker) StartConnector(props map[string]string) error {
	instance, err := makeConnector(w.plugins, w.h, props)
	if err != nil {
		return err
	}
	kind := kindOf(instance)
	parsed, err := ParseConnector(w.plugins, kind, props)
	if err != nil {
		return err
	}
	if err := checkOverrides(w.config, kind, props); err != nil {
		return err
	}
	if err := firstFault(instance, props); err != nil {
		return err
	}
	c := &connector{control: newControl(w.h, w.config, w.connectorStarts), w: w, config: parsed, instance: instance, sources: kind == connect.KindSource}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.connectors[parsed.Name()] != nil {
		return data.AlreadyExistsException.Errorf("Connector %s already exists", parsed.Name())
	}
	w.connectors[parsed.Name()] = c
	w.h.Go("connect-"+parsed.Name(), c.run)
	return nil
}

// firstFault is the first thing that the connector's own validation has to say.
func firstFault(c connect.Connector, props map[string]string) error {
	values := c.Config().Validate(config.PropsOf(props))
	if x, ok := c.(connect.ConfigValidator); ok {
		values = x.Validate(config.PropsOf(props))
	}
	for _, v := range values {
		if len(v.Errors) > 0 {
			return data.ConfigException.Errorf("%s", v.Errors[0])
		}
	}
	return nil
}

// run is a connector's thread: it starts the connector and its tasks, and makes the tasks anew when the connector asks.
func (c *connector) run(ctx context.Context) {
	err := c.instance.Start(ctx, c, c.config.Props)
	if err == nil {
		c.control.set(Running)
		err = c.serve(ctx)
		c.stopTasks(ctx)
	}
	c.instance.Stop(ctx)
	if err != nil && ctx.Err() == nil {
		c.w.h.Log().Error("connect: the connector has failed", "connector", c.config.Name(), "error", data.StackTrace(err))
	}
	c.end(err)
}

func (c *connector) serve(ctx context.Context) error {
	for {
		if err := c.startTasks(); err != nil {
			return err
		}
		c.mu.Lock()
		for c.target != Stopped && !c.reconfigure && c.failure == nil {
			if err := c.cond.Wait(ctx, time.Time{}); err != nil {
				c.mu.Unlock()
				return err
			}
		}
		target, failure := c.target, c.failure
		c.reconfigure = false
		c.mu.Unlock()
		if target == Stopped || failure != nil {
			return failure
		}
		c.stopTasks(ctx)
	}
}

func (c *connector) startTasks() error {
	most := int(c.config.Values.Int(tasksMaxKey))
	all, err := c.instance.TaskConfigs(most)
	if err != nil {
		return err
	}
	if len(all) > most && c.config.Values.Bool(tasksEnforceKey) {
		return data.ConnectException.Errorf("The connector %s has generated %d tasks, which is greater than %d, the maximum number of tasks it is configured to create.",
			c.config.Name(), len(all), most)
	}
	var tasks []*control
	for i, props := range all {
		tasks = append(tasks, c.startTask(i, props))
	}
	c.mu.Lock()
	c.tasks = tasks
	target := c.target
	c.mu.Unlock()
	for _, t := range tasks {
		t.setTarget(target)
	}
	return nil
}

func (c *connector) startTask(i int, props map[string]string) *control {
	ctl := newControl(c.w.h, c.w.config, c.w.taskStarts)
	setup := &taskSetup{h: c.w.h, cluster: c.w.cluster, id: TaskID{c.config.Name(), i}, worker: c.w.config, config: c.config,
		props: taskProps(c.config, props), store: c.w.store, errors: ctl.metrics.errors}
	var run func(context.Context) error
	switch x := c.instance.(type) {
	case connect.SourceConnector:
		run = (&sourceTask{taskSetup: setup, control: ctl, task: x.NewTask()}).run
	case connect.SinkConnector:
		run = (&sinkTask{taskSetup: setup, control: ctl, task: x.NewTask()}).run
	}
	c.w.h.Go("connect-"+setup.id.String(), func(ctx context.Context) { runTask(ctx, setup, ctl, run) })
	return ctl
}

// stopTasks stops all tasks and waits, as long as the worker allows.
func (c *connector) stopTasks(ctx context.Context) {
	c.mu.Lock()
	tasks := c.tasks
	c.mu.Unlock()
	deadline := c.w.h.Now().Add(c.w.config.ShutdownTimeout())
	for _, t := range tasks {
		t.setTarget(Stopped)
	}
	for i, t := range tasks {
		if ended, err := t.wait(ctx, c.w.h, deadline); err == nil && !ended {
			c.w.h.Log().Error("connect: the task did not stop in time", "task", TaskID{c.config.Name(), i}.String())
		}
	}
}

// RequestTaskReconfiguration makes the tasks anew, later.
func (c *connector) RequestTaskReconfiguration() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.target == Stopped {
		return data.ConnectException.Errorf("The connector has been shut down")
	}
	c.reconfigure = true
	c.cond.Broadcast()
	return nil
}

// RaiseError makes the connector fail.
func (c *connector) RaiseError(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = err
	c.cond.Broadcast()
}

// Offsets reads what a source's tasks have committed.
func (c *connector) Offsets() connect.OffsetReader {
	if !c.sources {
		return nil
	}
	r, err := newOffsetReader(c.config.Name(), c.w.store)
	if err != nil {
		return nil
	}
	return r
}

// TaskStatus is what a task does.
type TaskStatus struct {
	Task    int
	State   State
	Trace   string // of a failed one
	Metrics []Metric
}

// Status is what a connector does.
type Status struct {
	Name    string
	State   State
	Trace   string // of a failed one
	Tasks   []TaskStatus
	Metrics []Metric
}

// Status tells what the connectors do, by name.
func (w *Worker) Status() []Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Status
	for _, name := range slices.Sorted(maps.Keys(w.connectors)) {
		out = append(out, w.connectors[name].status())
	}
	return out
}

func (c *connector) status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Status{Name: c.config.Name(), State: c.state, Trace: trace(c.failure)}
	for i, t := range c.tasks {
		t.mu.Lock()
		if !t.since.IsZero() {
			t.change(t.state) // the time in this state counts too
		}
		s.Tasks = append(s.Tasks, TaskStatus{Task: i, State: t.state, Trace: trace(t.failure), Metrics: t.metrics.metrics(c.sources, t.clock.Now())})
		t.mu.Unlock()
	}
	s.Metrics = taskCounts(s.Tasks)
	return s
}

func trace(err error) string {
	if err == nil {
		return ""
	}
	return data.StackTrace(err)
}

// SetPaused pauses or resumes a connector's tasks. An unknown connector is a NotFoundException.
func (w *Worker) SetPaused(name string, paused bool) error {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	if c == nil {
		return data.NotFoundException.Errorf("Connector %s not found", name)
	}
	target := Running
	if paused {
		target = Paused
	}
	c.setTarget(target)
	c.mu.Lock()
	tasks := c.tasks
	c.mu.Unlock()
	for _, t := range tasks {
		t.setTarget(target)
	}
	return nil
}

// RemoveConnector stops a connector, waits for it and forgets it. An unknown connector is a NotFoundException.
func (w *Worker) RemoveConnector(ctx context.Context, name string) error {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	if c == nil {
		return data.NotFoundException.Errorf("Connector %s not found", name)
	}
	c.setTarget(Stopped)
	if _, err := c.wait(ctx, w.h, w.h.Now().Add(2*w.config.ShutdownTimeout())); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.connectors, name)
	return nil
}

// Stop stops all connectors and waits for them, at most twice as long as their tasks may take.
func (w *Worker) Stop(ctx context.Context) {
	w.mu.Lock()
	names := slices.Sorted(maps.Keys(w.connectors))
	all := make([]*connector, len(names))
	for i, name := range names {
		all[i] = w.connectors[name]
	}
	w.mu.Unlock()
	deadline := w.h.Now().Add(2 * w.config.ShutdownTimeout())
	for _, c := range all {
		c.setTarget(Stopped)
	}
	for _, c := range all {
		if _, err := c.wait(ctx, w.h, deadline); err != nil {
			return
		}
	}
}
