package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Worker is a standalone Connect worker on a machine of its own, which has its name: kstreamlab connect standalone. Faults hit it as they hit the
// instances of applications.
type Worker struct {
	Name string
	// Config are the worker's properties. offset.storage.file.filename defaults to connect.offsets.
	Config map[string]string
	// Connectors are configurations, each with its name. They are started in this order, at each start of the worker.
	Connectors []map[string]string
	// Plugins are what connectors may be made of; nil: all of this module.
	Plugins func() *connect.Plugins
}

func (w *Worker) plugins() *connect.Plugins {
	if w.Plugins != nil {
		return w.Plugins()
	}
	return builtin.Plugins(file.Standard{})
}

// parse reads the worker's properties.
func (w *Worker) parse(p *connect.Plugins) (*worker.Config, error) {
	props := map[string]string{"offset.storage.file.filename": "connect.offsets"}
	maps.Copy(props, w.Config)
	return worker.ParseConfig(p, props)
}

// providers are the config providers that the worker's properties declare, of files on its machine.
func (w *Worker) providers(h host.Host, p *connect.Plugins) (*worker.Providers, error) {
	return worker.NewProviders(worker.Environment{FS: h.FS(), Host: h, Plugins: p}, w.Config)
}

// workerInstance is a worker on its machine.
type workerInstance struct {
	subject
	w  *Worker
	mu sync.Locker    // the two below are set by the worker's own thread
	cw *worker.Worker // of the running or last process; nil before it has started its connectors
	no error          // what kept it from that
}

func newWorkers(s *Scenario, p place) []*workerInstance {
	var out []*workerInstance
	for i := range s.Workers {
		w := &s.Workers[i]
		out = append(out, &workerInstance{subject: subject{name: w.Name, machine: p.machine(w.Name)}, w: w, mu: p.host().NewMutex()})
	}
	return out
}

// start starts a process of the worker, which starts the connectors.
func (i *workerInstance) start() error {
	plugins := i.w.plugins()
	cfg, err := i.w.parse(plugins)
	if err != nil {
		return err
	}
	h, cluster, err := i.machine.start()
	if err != nil {
		return err
	}
	i.host, i.dead, i.starts = h, false, i.starts+1
	i.set(nil, nil)
	h.Go("main", func(ctx context.Context) {
		store, err := worker.OpenOffsetFile(h, cfg.OffsetFile())
		if err != nil {
			i.set(nil, err)
			return
		}
		providers, err := i.w.providers(h, plugins)
		if err != nil {
			i.set(nil, err)
			return
		}
		w := worker.New(h, cluster, plugins, cfg, store)
		w.UseProviders(providers)
		for _, props := range i.w.Connectors {
			if err := w.StartConnector(ctx, maps.Clone(props)); err != nil {
				i.set(nil, fmt.Errorf("connector %s: %s", props["name"], data.Throwable(err)))
				return
			}
		}
		i.set(w, nil)
	})
	return nil
}

func (i *workerInstance) set(w *worker.Worker, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.cw, i.no = w, nil
	if !errors.Is(err, host.ErrKilled) {
		i.no = err
	}
}

// current is the running worker, or nil, and what has gone wrong at the start.
func (i *workerInstance) current() (*worker.Worker, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cw, cmp.Or(i.err, i.no)
}

// do carries out a step of the plan.
func (i *workerInstance) do(k faults.Kind) error { return i.carryOut(k, i.start) }

// running says that all connectors and tasks run, or which does not; a task that has failed is an error of its own.
func (r *Run) running(ctx context.Context, i *workerInstance) error {
	w, err := i.current()
	if err != nil {
		return &taskFailed{fmt.Sprintf("worker %s: %v", i.name, err)}
	}
	if w == nil {
		return fmt.Errorf("worker %s has not started its connectors yet", i.name)
	}
	return r.call(ctx, i.host, func(context.Context) error {
		for _, c := range w.Status() {
			for n, t := range append([]worker.TaskStatus{{State: c.State, Trace: c.Trace}}, c.Tasks...) {
				switch {
				case t.State == worker.Failed:
					return &taskFailed{fmt.Sprintf("worker %s: connector %s, task %d, has failed: %s", i.name, c.Name, n-1, firstLine(t.Trace))}
				case t.State != worker.Running:
					return fmt.Errorf("worker %s: connector %s, task %d, is %s", i.name, c.Name, n-1, t.State)
				}
			}
		}
		return nil
	})
}

type taskFailed struct{ text string }

func (e *taskFailed) Error() string { return e.text }

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// quietFor is how long nothing may be written before connectors count as done: sources tell nobody that they have no more.
func (r *Run) quietFor() time.Duration {
	if r.place.on() == Simulated {
		return 20 * time.Second
	}
	return 5 * time.Second
}

// workersDone: all connectors run, nothing was written to any topic for a while, and the sinks have committed all of theirs.
func (r *Run) workersDone(ctx context.Context) error {
	if len(r.workers) == 0 {
		return nil
	}
	for _, i := range r.workers {
		if !i.up() {
			continue
		}
		if err := r.running(ctx, i); err != nil {
			return err
		}
		for _, props := range i.w.Connectors {
			if err := r.sinkDone(ctx, props); err != nil {
				return fmt.Errorf("worker %s: connector %s %w", i.name, props["name"], err)
			}
		}
	}
	return r.quiet(ctx)
}

// sinkDone: what the connector reads is committed to its end. Sources have no topics to read.
func (r *Run) sinkDone(ctx context.Context, props map[string]string) error {
	if props["topics"] == "" {
		return nil
	}
	topics := strings.Split(props["topics"], ",")
	for n := range topics {
		topics[n] = strings.TrimSpace(topics[n])
	}
	tps, err := r.partitions(ctx, topics...)
	if err != nil {
		return err
	}
	ends, err := r.admin.EndOffsets(ctx, broker.ReadUncommitted, tps...)
	if err != nil {
		return err
	}
	have, err := r.admin.CommittedOffsets(ctx, "connect-"+props["name"])
	if err != nil {
		return err
	}
	for _, tp := range tps {
		if end := ends[tp]; end > 0 && have[tp].Offset < end {
			return fmt.Errorf("has committed %s up to offset %d of %d", tp, have[tp].Offset, end)
		}
	}
	return nil
}

// quiet: no topic of the scenario has grown for a while.
func (r *Run) quiet(ctx context.Context) error {
	var names []string
	for _, t := range r.Scenario.Topics {
		names = append(names, t.Name)
	}
	tps, err := r.partitions(ctx, names...)
	if err != nil {
		return err
	}
	ends, err := r.admin.EndOffsets(ctx, broker.ReadUncommitted, tps...)
	if err != nil {
		return err
	}
	now := r.place.host().Now()
	if r.ends == nil || !maps.Equal(ends, r.ends) {
		r.ends, r.grown = ends, now
	}
	if since := now.Sub(r.grown); since < r.quietFor() {
		return fmt.Errorf("topics have grown %s ago", since.Round(time.Millisecond))
	}
	return nil
}

// appendLine appends a line to a file of a machine, durably: it is there for whoever reads it, whatever happens to the worker.
func appendLine(fs vfs.FS, name string, line []byte) error {
	f, err := fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(append(slices.Clone(line), '\n'), info.Size())
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil && info.Size() == 0 {
		err = syncRoot(fs)
	}
	return errors.Join(err, f.Close())
}

// syncRoot makes the creation of files durable.
func syncRoot(fs vfs.FS) error {
	d, err := fs.OpenDir("")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// FileLines expects a file on a worker's machine to have every line of a workload that was appended to another file there: nothing is lost. A line may
// come again after a fault, since connectors write at least once.
type FileLines struct {
	Worker, File string
	// Of is the file of the workload.
	Of string
	// Line is what becomes of a line; ok is false for one that is dropped. Nil: it stays as it is.
	Line func(line string) (text string, ok bool)
	// Once: no line may come twice.
	Once bool
}

// Name implements Expectation.
func (e FileLines) Name() string { return "file-lines " + e.Worker + ":" + e.File }

func (e FileLines) check(_ context.Context, r *Run) (Finding, error) {
	f := finding(e)
	n := slices.IndexFunc(r.workers, func(i *workerInstance) bool { return i.name == e.Worker })
	if n < 0 {
		return *f, &UsageError{fmt.Sprintf("no worker %q in this scenario", e.Worker)}
	}
	have, err := readLines(r.workers[n].machine.fs(), e.File)
	if err != nil {
		return *f, fmt.Errorf("%s on %s: %w", e.File, e.Worker, err)
	}
	wanted, dropped, again := 0, 0, 0
	known := map[string]bool{}
	for _, line := range r.Scenario.lines(e.Worker, e.Of) {
		text, ok := line, true
		if e.Line != nil {
			text, ok = e.Line(line)
		}
		if !ok {
			dropped++
			continue
		}
		wanted++
		known[text] = true
		switch n := have[text]; {
		case n == 0:
			f.problem("line %q is not there", text)
		case n > 1:
			if again++; e.Once {
				f.problem("line %q is there %d times", text, n)
			}
		}
	}
	for _, text := range slices.Sorted(maps.Keys(have)) {
		if !known[text] {
			f.problem("line %q should not be there", text)
		}
	}
	f.Figures = fmt.Sprintf("%d lines, %d of them more than once, and %d dropped on the way", wanted, again, dropped)
	return *f, nil
}

// lines are those that the workload appends to a file.
func (s *Scenario) lines(name, file string) (out []string) {
	for _, w := range s.Workload {
		if w.Worker == name && w.File == file {
			for _, e := range w.Records {
				out = append(out, string(e.Record.Value))
			}
		}
	}
	return out
}

// readLines counts the lines of a file.
func readLines(fs vfs.FS, name string) (map[string]int, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for line := range strings.Lines(string(text)) {
		out[strings.TrimSuffix(line, "\n")]++
	}
	return out, nil
}
