package worker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// connector is one connector with its thread.
type connector struct {
	*control
	w    *Worker
	name string
	raw  map[string]string // its properties, with placeholders
	launch

	reconfigure bool // the tasks are to be made anew
	tasks       []*control
	madeOf      taskOrigin // what the tasks were made of; the thread's own
	up          bool       // the instance was started; the thread's own
}

// launch is what a connector is started with. A reload replaces it, under the lock.
type launch struct {
	config   *ConnectorConfig
	instance connect.Connector
	reload   time.Time // when values of its properties end; zero: never
	about    []Metric  // its class, type and version
}

// taskOrigin is what tasks are made of: where it is the same, they need not be made anew.
type taskOrigin struct {
	connector map[string]string
	tasks     []map[string]string
}

func (o taskOrigin) equal(p taskOrigin) bool {
	return maps.Equal(o.connector, p.connector) && slices.EqualFunc(o.tasks, p.tasks, maps.Equal[map[string]string])
}

// newLaunch resolves and checks a connector's configuration, and makes an instance.
func (w *Worker) newLaunch(ctx context.Context, raw map[string]string) (l launch, err error) {
	props, ttl, err := w.providers.resolve(ctx, raw)
	if err != nil {
		return l, err
	}
	if l.instance, err = makeConnector(w.plugins, w.h, props); err != nil {
		return l, err
	}
	kind := kindOf(l.instance)
	if l.config, err = ParseConnector(w.plugins, kind, props); err != nil {
		return l, err
	}
	if err := checkOverrides(w.config, kind, props); err != nil {
		return l, err
	}
	if err := firstFault(l.instance, props); err != nil {
		return l, err
	}
	var version string
	if err := guarded("Connector.version", func() error { version = versionOf(l.instance); return nil }); err != nil {
		return l, err
	}
	l.about = []Metric{text(connectorGroup, "connector-class", w.plugins.FullName(kind, props[classKey])),
		text(connectorGroup, "connector-type", string(kind)), text(connectorGroup, "connector-version", version)}
	if ttl > 0 && l.config.Values.String(reloadKey) == reloadRestart {
		l.reload = w.h.Now().Add(ttl)
	}
	return l, nil
}

// firstFault is the first thing that the connector's own validation has to say.
func firstFault(c connect.Connector, props map[string]string) error {
	var values []*config.Value
	if err := guarded("Connector.validate", func() error { values = validated(c, props); return nil }); err != nil {
		return err
	}
	for _, v := range values {
		if len(v.Errors) > 0 {
			return data.ConfigException.Errorf("%s", v.Errors[0])
		}
	}
	return nil
}

func validated(c connect.Connector, props map[string]string) []*config.Value {
	if x, ok := c.(connect.ConfigValidator); ok {
		return x.Validate(config.PropsOf(props))
	}
	return c.Config().Validate(config.PropsOf(props))
}

// run is a connector's thread: it starts the connector and its tasks, and does what is wanted of them until the connector is to stop. A connector that
// fails leaves its tasks running, as Kafka's do.
func (c *connector) run(ctx context.Context) {
	var err error
	for {
		var next func(context.Context) error
		if next, err = c.next(ctx); err != nil || next == nil {
			break
		}
		if err = next(ctx); err != nil {
			if ctx.Err() != nil {
				break
			}
			c.fail(err)
		}
	}
	c.stopTasks(ctx)
	if e := c.stop(ctx); err == nil {
		err = e
	}
	if err == nil {
		err = c.failed()
	}
	c.end(err)
}

// next blocks until there is something to do, and returns it: nil where the connector is to end.
func (c *connector) next(ctx context.Context) (func(context.Context) error, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.target == Stopped:
			return nil, nil
		case !c.reload.IsZero() && c.target == Running && !c.clock.Now().Before(c.reload):
			return c.restart, nil
		case c.failure != nil:
			if c.state != Failed {
				c.change(Failed)
			}
		case c.target == Paused && c.state != Paused:
			return c.pause, nil
		case c.target == Running && c.state != Running:
			return c.startUp, nil
		case c.reconfigure && c.target == Running:
			c.reconfigure = false
			return c.makeTasks, nil
		}
		deadline := c.reload
		if c.target != Running {
			deadline = time.Time{}
		}
		if err := c.cond.Wait(ctx, deadline); err != nil {
			return nil, err
		}
	}
}

// fail makes the connector fail; the first failure is kept.
func (c *connector) fail(err error) {
	c.w.h.Log().Error("connect: the connector has failed", "connector", c.name, "error", data.StackTrace(err))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil {
		c.failure = err
	}
	c.change(Failed)
}

func (c *connector) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// startUp starts the instance, and the tasks, at first and after a pause.
func (c *connector) startUp(ctx context.Context) error {
	c.up = true // also where the start fails: it may have opened something
	if err := guarded("Connector.start", func() error { return c.instance.Start(ctx, c, c.config.Props) }); err != nil {
		return err
	}
	c.set(Running)
	return c.makeTasks(ctx)
}

// stop stops the instance, if it was started.
func (c *connector) stop(ctx context.Context) error {
	if !c.up {
		return nil
	}
	c.up = false
	return guarded("Connector.stop", func() error { c.instance.Stop(ctx); return nil })
}

// pause stops the instance; the tasks are paused by themselves.
func (c *connector) pause(ctx context.Context) error {
	err := c.stop(ctx)
	c.set(Paused)
	return err
}

// restart starts the connector anew because values of its properties have ended: Kafka's config.action.reload. Its tasks are made anew if anything of
// what they were made of is another.
func (c *connector) restart(ctx context.Context) error {
	c.w.h.Log().Info("connect: restarting the connector, because values of its config providers have ended", "connector", c.name)
	err := c.stop(ctx)
	l, e := c.w.newLaunch(ctx, c.raw)
	c.mu.Lock()
	c.failure, c.reload, c.started = nil, time.Time{}, false
	if e == nil {
		c.launch = l
	}
	c.mu.Unlock()
	if e != nil {
		return e
	}
	if err != nil {
		return err
	}
	return c.startUp(ctx)
}

// makeTasks asks the connector for its tasks' properties, and makes the tasks anew if they are others.
func (c *connector) makeTasks(ctx context.Context) error {
	most := int(c.config.Values.Int(tasksMaxKey))
	var all []map[string]string
	err := guarded("Connector.taskConfigs", func() (err error) {
		all, err = c.instance.TaskConfigs(most)
		return err
	})
	if err != nil {
		return err
	}
	if len(all) > most {
		const text = "The connector %s has generated %d tasks, which is greater than %d, the maximum number of tasks it is configured to create."
		err := tooManyTasks.Errorf(text, c.name, len(all), most)
		if c.config.Values.Bool(tasksEnforceKey) {
			return err
		}
		c.w.h.Log().Warn("connect: " + err.Message)
	}
	origin := taskOrigin{c.config.Props, cloneAll(all)}
	if c.tasks != nil && origin.equal(c.madeOf) {
		return nil
	}
	c.stopTasks(ctx)
	c.madeOf = origin
	tasks := make([]*control, 0, len(all))
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

const tooManyTasks data.Class = "org.apache.kafka.connect.runtime.TooManyTasksException"

func cloneAll(all []map[string]string) []map[string]string {
	out := make([]map[string]string, len(all))
	for i, m := range all {
		out[i] = maps.Clone(m)
	}
	return out
}

func (c *connector) startTask(i int, props map[string]string) *control {
	ctl := newControl(c.w.h, c.w.config, c.w.taskStarts)
	setup := &taskSetup{h: c.w.h, cluster: c.w.cluster, id: TaskID{c.name, i}, worker: c.w.config, config: c.config,
		props: taskProps(c.config, c.taskClass(), props), store: c.w.store, errors: ctl.metrics.errors}
	var run func(context.Context) error
	err := guarded("Connector.newTask", func() error {
		var task connect.Task
		switch x := c.instance.(type) {
		case connect.SourceConnector:
			s := x.NewTask()
			task, run = s, (&sourceTask{taskSetup: setup, control: ctl, task: s}).run
		case connect.SinkConnector:
			s := x.NewTask()
			task, run = s, (&sinkTask{taskSetup: setup, control: ctl, task: s}).run
		}
		setup.describe(ctl, c.about, task)
		return nil
	})
	if err != nil {
		run = func(context.Context) error { return err }
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
			c.w.h.Log().Error("connect: the task did not stop in time and is given up", "task", TaskID{c.name, i}.String())
			t.cancel()
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
	c.fail(err)
}

// Offsets reads what a source's tasks have committed.
func (c *connector) Offsets() connect.OffsetReader {
	c.mu.Lock()
	_, source := c.instance.(connect.SourceConnector)
	c.mu.Unlock()
	if !source {
		return nil
	}
	r, err := newOffsetReader(c.name, c.w.store)
	if err != nil {
		return nil
	}
	return r
}
