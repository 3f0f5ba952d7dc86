package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
)

// Expectation is what must hold at the end of a run. Those that there are: WindowedCounts, LateDrops, ExactlyOnce,
// StoreEqualsChangelog, CaughtUp, SameWithoutFaults, Rows.
type Expectation interface {
	// Name is the expectation in the scenario file, with what it is about.
	Name() string
	check(ctx context.Context, r *Run) (Finding, error)
}

// Finding is what came of an expectation.
type Finding struct {
	Name     string
	Pass     bool
	Figures  string   // one line: what was looked at
	Problems []string // of a failed one: what was expected and found, and where
	More     int      // problems beyond those listed
}

// maxProblems is how many problems a finding lists.
const maxProblems = 10

// finding collects problems.
func finding(e Expectation) *Finding { return &Finding{Name: e.Name(), Pass: true} }

func (f *Finding) problem(format string, args ...any) {
	f.Pass = false
	if len(f.Problems) < maxProblems {
		f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
	} else {
		f.More++
	}
}

// CaughtUp expects that at the end all faults are over, every task is assigned to exactly one running instance, and the application has
// committed up to the end of everything that it reads.
type CaughtUp struct {
	App    string
	Within time.Duration // after the last record; default 10 min
}

// Name implements Expectation.
func (e CaughtUp) Name() string { return "caught-up " + e.App }

func (e CaughtUp) check(_ context.Context, r *Run) (Finding, error) {
	f := finding(e)
	if _, ok := r.Scenario.app(e.App); !ok {
		return *f, &UsageError{fmt.Sprintf("no application %q in this scenario", e.App)}
	}
	if r.stuck != nil {
		f.problem("after %s: %v", r.settled.Round(time.Millisecond), r.stuck)
		return *f, nil
	}
	within := ""
	if e.Within > 0 {
		within = fmt.Sprintf(" of %s allowed", e.Within)
		if r.place.on() == Simulated && r.settled > e.Within {
			f.problem("caught up %s after the last record, later than the %s allowed", r.settled, e.Within)
		}
	}
	tasks := 0
	for _, i := range r.instances {
		if i.app.Name == e.App && i.up() {
			tasks += len(i.inst.Tasks())
		}
	}
	f.Figures = fmt.Sprintf("%d tasks running, caught up %s after the last record%s", tasks, r.settled.Round(time.Millisecond), within)
	return *f, nil
}

// ExactlyOnce expects of a topic of growing counts that a committed reader sees each key's values rise with every record: a count that was
// taken twice, or fell back, shows as one that does not.
type ExactlyOnce struct{ Topic string }

// Name implements Expectation.
func (e ExactlyOnce) Name() string { return "exactly-once " + e.Topic }

func (e ExactlyOnce) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	logs, err := r.Log(ctx, e.Topic)
	if err != nil {
		return *f, err
	}
	spec, _ := r.Scenario.topic(e.Topic)
	records, keys := 0, map[string]int64{}
	owner := map[string]int32{}
	for _, l := range logs {
		for _, rec := range l.records {
			records++
			n, err := number(spec, rec.Value)
			if err != nil {
				return *f, fmt.Errorf("topic %s partition %d offset %d: %w", e.Topic, l.tp.Partition, rec.Offset, err)
			}
			k := string(rec.Key)
			if p, ok := owner[k]; ok && p != l.tp.Partition {
				f.problem("key %s is in partitions %d and %d", r.keyText(spec, rec.Key), p, l.tp.Partition)
			}
			owner[k] = l.tp.Partition
			if before, ok := keys[k]; ok && n <= before {
				f.problem("key %s at partition %d offset %d: expected more than %d, found %d", r.keyText(spec, rec.Key), l.tp.Partition, rec.Offset, before, n)
			}
			keys[k] = n
		}
	}
	f.Figures = fmt.Sprintf("%d committed updates of %d keys, each higher than the one before", records, len(keys))
	if !f.Pass {
		f.Figures = fmt.Sprintf("%d committed updates of %d keys", records, len(keys))
	}
	return *f, nil
}

// StoreEqualsChangelog expects that what every task's store holds is what replaying its changelog gives.
type StoreEqualsChangelog struct{ App, Store string }

// Name implements Expectation.
func (e StoreEqualsChangelog) Name() string { return "store-equals-changelog " + e.App + "/" + e.Store }

func (e StoreEqualsChangelog) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	app, ok := r.Scenario.app(e.App)
	if !ok {
		return *f, &UsageError{fmt.Sprintf("no application %q in this scenario", e.App)}
	}
	logs, err := r.Log(ctx, app.ID()+"-"+e.Store+"-changelog")
	if err != nil {
		return *f, err
	}
	held := map[int32]map[string]string{}
	for _, i := range r.instances {
		if i.app != app || !i.up() {
			continue
		}
		var rows streams.Rows
		err := r.call(ctx, i.host, func(ctx context.Context) (err error) {
			rows, err = i.inst.Inspect(ctx)
			return err
		})
		if err != nil {
			return *f, err
		}
		for id, stores := range rows {
			if list, ok := stores[e.Store]; ok {
				held[id.Partition] = rowMap(list)
			}
		}
	}
	total, records := 0, 0
	for _, l := range logs {
		want, err := app.Topology.Replay(e.Store, l.records)
		if err != nil {
			return *f, err
		}
		records += len(l.records)
		total += len(want)
		e.compare(f, l.tp.Partition, rowMap(want), held[l.tp.Partition])
	}
	f.Figures = fmt.Sprintf("%d rows in %d partitions, replayed from %d changelog records", total, len(logs), records)
	return *f, nil
}

func (e StoreEqualsChangelog) compare(f *Finding, partition int32, want, have map[string]string) {
	if have == nil {
		f.problem("partition %d: no running task has the store", partition)
		return
	}
	for _, k := range sortedKeys(want) {
		switch v, ok := have[k]; {
		case !ok:
			f.problem("partition %d key 0x%x: expected 0x%x, found nothing in the store", partition, k, want[k])
		case v != want[k]:
			f.problem("partition %d key 0x%x: expected 0x%x, found 0x%x", partition, k, want[k], v)
		}
	}
	for _, k := range sortedKeys(have) {
		if _, ok := want[k]; !ok {
			f.problem("partition %d key 0x%x: expected nothing, found 0x%x in the store", partition, k, have[k])
		}
	}
}
