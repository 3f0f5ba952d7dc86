package scenarios

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams"
)

// Bounds on how long the lab waits for what must happen by itself: virtual time in the simulator, else real.
const (
	startWithin = 5 * time.Minute
	settleEvery = 200 * time.Millisecond
)

// Run is one run of a scenario, as expectations see it: the cluster and the instances as they are at the end, still running. Its methods
// are called on the lab's thread.
type Run struct {
	Scenario  *Scenario
	place     place
	o         Options
	seed      uint64
	no        int
	began     time.Time // wall clock
	instances []*instance
	workers   []*workerInstance
	admin     broker.Admin
	steps     []faults.Step
	sent      int
	settled   time.Duration // how long it took after the last record until all was caught up
	stuck     error         // what was not, at the bound
	tables    map[string]*Table
	logs      map[string][]partitionLog
	// undisturbed are the logs that the same scenario leaves without faults, for the topics that are compared with them.
	undisturbed map[string][]partitionLog
	ends        map[broker.TopicPartition]int64 // of all topics when they were last seen to grow
	grown       time.Time                       // and when
}

// result is what a run leaves.
type result struct {
	hash     string
	virtual  time.Duration
	wall     time.Duration
	findings []Finding
	tables   map[string]*Table
	steps    []faults.Step
	records  int
}

// once runs a scenario once.
func once(s *Scenario, o Options, seed uint64, no int, undisturbed map[string][]partitionLog) (res *result, err error) {
	p, err := newPlace(s, o, seed)
	if err != nil {
		return nil, err
	}
	defer p.close()
	r := &Run{Scenario: s, place: p, o: o, seed: seed, no: no, began: time.Now(), tables: map[string]*Table{}, logs: map[string][]partitionLog{},
		undisturbed: undisturbed}
	res = &result{}
	start := p.host().Now()
	var end time.Time
	err = p.run(func(ctx context.Context) error {
		defer func() { end = p.host().Now() }()
		return r.main(ctx, res)
	})
	if err != nil {
		return nil, err
	}
	res.hash, res.wall, res.virtual = p.end(), time.Since(r.began), end.Sub(start)
	res.steps, res.records = r.steps, r.sent
	return res, nil
}

func (r *Run) progress(phase string) {
	if r.o.Progress != nil {
		r.o.Progress(Progress{Seed: r.seed, Run: r.no, Phase: phase, Records: r.sent, Of: r.Scenario.events(), Virtual: r.place.host().Now(), Wall: time.Since(r.began)})
	}
}

func (r *Run) main(ctx context.Context, res *result) error {
	r.admin = r.place.cluster().Admin()
	r.progress("start")
	if err := r.makeTopics(ctx); err != nil {
		return err
	}
	r.instances, r.workers = newInstances(r.Scenario, r.place), newWorkers(r.Scenario, r.place)
	if err := r.plan(); err != nil {
		return err
	}
	for _, i := range r.instances {
		if err := i.start(); err != nil {
			return fmt.Errorf("instance %s: %w", i.name, err)
		}
	}
	for _, i := range r.workers {
		if err := i.start(); err != nil {
			return fmt.Errorf("worker %s: %w", i.name, err)
		}
	}
	if err := r.await(ctx, startWithin, r.assigned); err != nil {
		return fmt.Errorf("the applications do not start: %w", err)
	}
	if err := r.feed(ctx); err != nil {
		return err
	}
	r.progress("settle")
	r.place.finish()
	began := r.place.host().Now()
	r.stuck = r.await(ctx, r.within(), r.caughtUp)
	r.settled = r.place.host().Now().Sub(began)
	r.progress("check")
	for _, e := range r.Scenario.Expect {
		f, err := e.check(ctx, r)
		if err != nil {
			return fmt.Errorf("expectation %s: %w", e.Name(), err)
		}
		res.findings = append(res.findings, f)
	}
	res.findings = append(res.findings, r.failures(ctx)...)
	for _, t := range r.o.Export {
		if _, err := r.Table(ctx, t); err != nil {
			return err
		}
	}
	res.tables = r.tables
	return r.stop(ctx)
}

// plan draws the faults, and has them come at their moments.
func (r *Run) plan() error {
	steps, err := faults.Plan(r.Scenario.Faults, r.names(), host.SplitRand(r.seed, "faults"))
	if err != nil {
		return err
	}
	r.steps = steps
	var at []time.Time
	for _, s := range steps {
		at = append(at, s.At)
	}
	r.place.schedule(at, func(n int) {
		s := steps[n]
		r.place.host().Emit(trace.Event{Kind: "fault", Fields: []trace.Field{trace.F("what", string(s.Kind)), trace.F("instance", s.Instance)}})
		r.hit(s)
	})
	return nil
}

func (r *Run) outlast(i *instance) error {
	cfg, err := i.app.parse(i.name)
	if err != nil {
		return err
	}
	h := r.place.host()
	return h.Sleep(r.place.(*live).lab.Context(), cfg.SessionTimeout+3*time.Second)
}

func (r *Run) makeTopics(ctx context.Context) error {
	var list []broker.NewTopic
	var names []string
	for _, t := range r.Scenario.Topics {
		list = append(list, broker.NewTopic{Name: t.Name, Partitions: t.Partitions, ReplicationFactor: t.Replication, Configs: t.Config})
		names = append(names, t.Name)
	}
	if r.o.On == Kafka {
		if err := r.clear(ctx, names); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	if err := r.admin.CreateTopics(ctx, list...); err != nil {
		return err
	}
	// brokers learn of new topics one after the other, and an application that finds none of its topics ends
	return r.await(ctx, time.Minute, func(ctx context.Context) error {
		_, err := r.partitions(ctx, names...)
		return err
	})
}

// clear refuses to run into topics and groups that are there already on a real cluster, or, when asked to, deletes them.
func (r *Run) clear(ctx context.Context, topics []string) error {
	all := slices.Clone(topics)
	for _, a := range r.Scenario.Apps {
		for _, s := range a.Topology.Stores() {
			all = append(all, a.ID()+"-"+s+"-changelog")
		}
		for _, t := range a.Topology.InputTopics(a.ID()) {
			if !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	have, err := r.admin.DescribeTopics(ctx, all...)
	if err != nil {
		return err
	}
	found := slices.Sorted(maps.Keys(have))
	if len(found) > 0 && !r.o.Recreate {
		return &UsageError{fmt.Sprintf("topics of this scenario exist on the cluster already: %v: delete them, or run with --recreate, which deletes them and the applications' groups", found)}
	}
	if len(found) > 0 {
		if err := r.admin.DeleteTopics(ctx, found...); err != nil {
			return err
		}
	}
	for _, a := range r.Scenario.Apps {
		if g, err := r.admin.DescribeGroup(ctx, a.ID()); err == nil && g.State != "Dead" {
			if !r.o.Recreate {
				return &UsageError{fmt.Sprintf("the group %s of this scenario exists on the cluster already (%s): delete it, or run with --recreate", a.ID(), g.State)}
			}
			// members of a run that was cut short are there until their sessions end
			err := r.await(ctx, time.Minute, func(ctx context.Context) error { return r.admin.DeleteGroup(ctx, a.ID()) })
			if err != nil {
				return err
			}
		}
	}
	return r.await(ctx, time.Minute, func(ctx context.Context) error {
		have, err := r.admin.DescribeTopics(ctx, all...)
		if err == nil && len(have) > 0 {
			err = fmt.Errorf("topics are still being deleted: %v", slices.Sorted(maps.Keys(have)))
		}
		return err
	})
}

// feed writes the workload, in order of arrival over all topics.
func (r *Run) feed(ctx context.Context) error {
	if r.Scenario.events() == 0 {
		return nil
	}
	p, err := r.place.cluster().NewProducer(ctx, broker.ProducerConfig{ClientID: "lab"})
	if err != nil {
		return err
	}
	defer p.Close()
	at := make([]int, len(r.Scenario.Workload))
	lastShown := time.Now()
	for {
		w := r.nextWorkload(at)
		if w < 0 {
			return p.Flush(ctx)
		}
		load := &r.Scenario.Workload[w]
		e := &load.Records[at[w]]
		at[w]++
		if err := r.place.arrive(ctx, time.UnixMilli(e.Arrival)); err != nil {
			return err
		}
		if load.Worker != "" {
			if err := r.appendTo(load, e); err != nil {
				return err
			}
			r.sent++
			continue
		}
		t, ok := r.Scenario.topic(load.Topic)
		if !ok {
			return &UsageError{fmt.Sprintf("workload: topic %q is not among the scenario's topics", load.Topic)}
		}
		tp := broker.TopicPartition{Topic: t.Name, Partition: t.partition(e, at[w]-1)}
		if err := p.Send(ctx, tp, []broker.Record{e.Record}, nil); err != nil {
			return err
		}
		r.sent++
		if r.sent%64 == 0 && time.Since(lastShown) > 250*time.Millisecond {
			lastShown = time.Now()
			r.progress("feed")
		}
	}
}

// appendTo appends a line to a file of a worker's machine.
func (r *Run) appendTo(load *Workload, e *Event) error {
	for _, i := range r.workers {
		if i.name == load.Worker {
			return appendLine(i.machine.fs(), load.File, e.Record.Value)
		}
	}
	return &UsageError{fmt.Sprintf("workload: worker %q is not among the scenario's workers", load.Worker)}
}

func (r *Run) nextWorkload(at []int) int {
	best := -1
	for w := range r.Scenario.Workload {
		recs := r.Scenario.Workload[w].Records
		if at[w] < len(recs) && (best < 0 || recs[at[w]].Arrival < r.Scenario.Workload[best].Records[at[best]].Arrival) {
			best = w
		}
	}
	return best
}

// await looks until what says nil, or until the time is up; then it returns what it said last.
func (r *Run) await(ctx context.Context, within time.Duration, what func(context.Context) error) error {
	h := r.place.host()
	deadline := h.Now().Add(within)
	for {
		for _, i := range r.instances {
			if err := i.failure(); err != nil {
				return fmt.Errorf("instance %s failed: %w", i.name, err)
			}
		}
		for _, i := range r.workers {
			if _, err := i.current(); err != nil {
				return fmt.Errorf("worker %s failed: %w", i.name, err)
			}
		}
		err := what(ctx)
		if err == nil || h.Now().After(deadline) {
			return err
		}
		if err := h.Sleep(ctx, settleEvery); err != nil {
			return err
		}
	}
}

// assigned: every instance that should work is running, and every task is running on exactly one of them.
func (r *Run) assigned(ctx context.Context) error {
	for _, i := range r.instances {
		if !i.up() {
			continue
		}
		if s := i.inst.State(); s != streams.Running {
			return fmt.Errorf("instance %s is %s", i.name, s)
		}
	}
	for a := range r.Scenario.Apps {
		if err := r.tasksOf(ctx, &r.Scenario.Apps[a]); err != nil {
			return err
		}
	}
	for _, i := range r.workers {
		if i.up() {
			if err := r.running(ctx, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Run) tasksOf(ctx context.Context, app *App) error {
	owner := map[streams.TaskID]string{}
	for _, i := range r.instances {
		if i.app != app || !i.up() {
			continue
		}
		for _, t := range i.inst.Tasks() {
			if o, ok := owner[t.ID]; ok {
				return fmt.Errorf("task %s of %s is on %s and on %s", t.ID, app.Name, o, i.name)
			}
			owner[t.ID] = i.name
			if !t.Running {
				return fmt.Errorf("task %s of %s is not running on %s yet", t.ID, app.Name, i.name)
			}
		}
	}
	topics, err := r.admin.DescribeTopics(ctx, app.Topology.InputTopics(app.ID())...)
	if err != nil {
		return err
	}
	for _, id := range app.Topology.Tasks(app.ID(), func(topic string) int32 { return int32(len(topics[topic].Partitions)) }) {
		if _, ok := owner[id]; !ok {
			return fmt.Errorf("task %s of %s is on no instance", id, app.Name)
		}
	}
	return nil
}

// caughtUp: all faults are over, everything is assigned, no rebalance is under way, and every application has committed up to the end of
// what it reads.
func (r *Run) caughtUp(ctx context.Context) error {
	if !r.place.settled() {
		return errors.New("faults are still to come")
	}
	if err := r.assigned(ctx); err != nil {
		return err
	}
	for i := range r.Scenario.Apps {
		a := &r.Scenario.Apps[i]
		if err := r.groupStable(ctx, a); err != nil {
			return err
		}
		if err := r.committedToTheEnd(ctx, a); err != nil {
			return err
		}
	}
	return r.workersDone(ctx)
}

// groupStable: all threads of the instances that should work are members of the application's group, and it is not rebalancing.
func (r *Run) groupStable(ctx context.Context, a *App) error {
	threads := 0
	for _, i := range r.instances {
		if i.app == a && i.up() {
			threads += i.inst.Threads()
		}
	}
	g, err := r.admin.DescribeGroup(ctx, a.ID())
	if err != nil {
		return err
	}
	if threads > 0 && (g.State != "Stable" || len(g.Members) != threads) {
		return fmt.Errorf("the group of %s is %s with %d members, and %d threads should be in it", a.Name, g.State, len(g.Members), threads)
	}
	return nil
}

func (r *Run) committedToTheEnd(ctx context.Context, a *App) error {
	tps, err := r.partitions(ctx, a.Topology.InputTopics(a.ID())...)
	if err != nil {
		return err
	}
	ends, err := r.admin.EndOffsets(ctx, broker.ReadUncommitted, tps...)
	if err != nil {
		return err
	}
	have, err := r.admin.CommittedOffsets(ctx, a.ID())
	if err != nil {
		return err
	}
	for _, tp := range tps {
		if end := ends[tp]; end > 0 && have[tp].Offset < end {
			return fmt.Errorf("application %s has committed %s up to offset %d of %d", a.Name, tp, have[tp].Offset, end)
		}
	}
	return nil
}

func (r *Run) partitions(ctx context.Context, topics ...string) ([]broker.TopicPartition, error) {
	d, err := r.admin.DescribeTopics(ctx, topics...)
	if err != nil {
		return nil, err
	}
	var tps []broker.TopicPartition
	for _, t := range topics {
		if _, ok := d[t]; !ok {
			return nil, fmt.Errorf("topic %s does not exist", t)
		}
		for p := range d[t].Partitions {
			tps = append(tps, broker.TopicPartition{Topic: t, Partition: int32(p)})
		}
	}
	return tps, nil
}

// within is how long the applications may take to catch up: the longest that an expectation allows.
func (r *Run) within() time.Duration {
	d := time.Duration(0)
	for _, e := range r.Scenario.Expect {
		if c, ok := e.(CaughtUp); ok {
			d = max(d, c.Within)
		}
	}
	if d == 0 {
		d = 10 * time.Minute
	}
	if r.place.on() != Simulated {
		d = min(d, 3*time.Minute)
	}
	return d
}

// failures are findings about the instances that have ended by themselves: no scenario expects that.
func (r *Run) failures(ctx context.Context) (out []Finding) {
	for _, i := range r.instances {
		if err := i.failure(); err != nil {
			out = append(out, Finding{Name: "instance " + i.name, Figures: "it has ended by itself", Problems: []string{err.Error()}})
		}
	}
	for _, i := range r.workers {
		if !i.up() {
			continue
		}
		if err, ok := errors.AsType[*taskFailed](r.running(ctx, i)); ok {
			out = append(out, Finding{Name: "worker " + i.name, Figures: "something in it has failed", Problems: []string{err.Error()}})
		}
	}
	return out
}

// stop ends the instances cleanly.
func (r *Run) stop(ctx context.Context) error {
	r.progress("stop")
	for _, i := range r.instances {
		if i.up() && i.failure() == nil {
			i.inst.Stop(true)
		}
	}
	for _, i := range r.instances {
		if i.up() && i.failure() == nil {
			if err := r.call(ctx, i.host, i.inst.Wait); err != nil {
				return fmt.Errorf("instance %s: stop: %w", i.name, err)
			}
		}
	}
	for _, i := range r.workers {
		if w, _ := i.current(); i.up() && w != nil {
			err := r.call(ctx, i.host, func(ctx context.Context) error {
				w.Stop(ctx)
				return nil
			})
			if err != nil {
				return fmt.Errorf("worker %s: stop: %w", i.name, err)
			}
		}
	}
	return nil
}
