package worker

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
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
	// providers resolve placeholders; nil: none are.
	providers *Providers

	mu         sync.Locker
	connectors map[string]*connector

	connectorStarts, taskStarts *startups
}

// New returns a worker without connectors. Close the cluster after Stop. A nil host is the machine itself; the lab gives a simulated one.
func New(h host.Host, cluster broker.Cluster, plugins *connect.Plugins, c *Config, store OffsetStore) *Worker {
	if h == nil {
		h = host.NewMachine()
	}
	return &Worker{h: h, cluster: cluster, plugins: plugins, config: c, store: store, mu: h.NewMutex(), connectors: map[string]*connector{},
		connectorStarts: newStartups(h, c), taskStarts: newStartups(h, c)}
}

// UseProviders gives the worker the config providers that resolve placeholders in the properties of connectors. It is called before the first
// StartConnector, if at all; without providers placeholders stay as they are.
func (w *Worker) UseProviders(p *Providers) { w.providers = p }

// StartConnector checks a connector's configuration and starts it; what goes wrong later shows in its Status. Where config providers have given values for
// a time, the connector is started anew with new ones when that has passed, unless its config.action.reload is none. An error is a ConfigException or
// a ConnectException.
func (w *Worker) StartConnector(ctx context.Context, props map[string]string) error {
	return w.StartConnectorAs(ctx, props, Running)
}

// StartConnectorAs is StartConnector with a state to begin with: Running, or Paused, where nothing is started before SetPaused resumes the connector.
func (w *Worker) StartConnectorAs(ctx context.Context, props map[string]string, initial State) error {
	raw := maps.Clone(props)
	l, err := w.newLaunch(ctx, raw)
	if err != nil {
		return err
	}
	c := &connector{control: newControl(w.h, w.config, w.connectorStarts), w: w, name: l.config.Name(), raw: raw, launch: l}
	c.target = initial
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.connectors[c.name] != nil {
		return data.AlreadyExistsException.Errorf("Connector %s already exists", c.name)
	}
	w.connectors[c.name] = c
	w.h.Go("connect-"+c.name, c.run)
	return nil
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
	s := Status{Name: c.name, State: c.state, Trace: trace(c.failure)}
	source := c.config.Kind == connect.KindSource
	for i, t := range c.tasks {
		t.mu.Lock()
		if !t.since.IsZero() {
			t.change(t.state) // the time in this state counts too
		}
		s.Tasks = append(s.Tasks, TaskStatus{Task: i, State: t.state, Trace: trace(t.failure), Metrics: t.metrics.metrics(source, t.state, t.clock.Now())})
		t.mu.Unlock()
	}
	s.Metrics = append(taskCounts(s.Tasks), c.about...)
	s.Metrics = append(s.Metrics, text(connectorGroup, "status", strings.ToLower(string(c.state))))
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
