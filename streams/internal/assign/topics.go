package assign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// plan is what there is to hand out.
type plan struct {
	tasks    []processor.TaskID // sorted
	inputs   map[processor.TaskID][]broker.TopicPartition
	stateful map[processor.TaskID]bool
}

// plan counts partitions, makes the internal topics, and lists the tasks. What goes wrong is logged here, on the leader; the members get
// the code.
func (a *Assignor) plan(ctx context.Context, group broker.GroupSubscription) (*plan, int32) {
	log := a.cfg.Host.Log()
	counts := maps.Clone(group.Partitions)
	if counts == nil {
		counts = map[string]int32{}
	}
	top, err := a.cfg.Topology.Resolve(a.outside(counts))
	if err != nil {
		log.Error("streams: assignment failed", "error", err)
		return nil, ErrAssignment
	}
	resolved := *a
	resolved.cfg.Topology = top
	return resolved.planned(ctx, counts)
}

// outside are the topics that are not the application's own.
func (a *Assignor) outside(counts map[string]int32) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(counts)), func(t string) bool { return a.cfg.Topology.IsInternal(t, a.cfg.ApplicationID) })
}

// planned is plan for a topology whose sources are known.
func (a *Assignor) planned(ctx context.Context, counts map[string]int32) (*plan, int32) {
	log := a.cfg.Host.Log()
	var missing []string
	for _, t := range a.cfg.Topology.SourceTopics() {
		if !a.cfg.Topology.IsRepartition(t) && counts[t] == 0 {
			missing = append(missing, t)
		}
	}
	if len(missing) > 0 {
		log.Error("streams: source topics do not exist: create them before the application starts", "topics", missing)
		return nil, ErrMissingTopics
	}
	err := a.countRepartitions(counts)
	if err == nil {
		err = a.copartitioned(counts)
	}
	if err == nil {
		err = a.makeTopics(ctx, a.repartitionTopics(counts))
	}
	p := a.tasks(counts)
	if err == nil {
		err = a.makeTopics(ctx, a.changelogTopics(p))
	}
	if err != nil {
		log.Error("streams: assignment failed", "error", err)
		return nil, ErrAssignment
	}
	return p, ErrNone
}

func (a *Assignor) name(topic string) string {
	if a.cfg.Topology.IsRepartition(topic) {
		return a.cfg.ApplicationID + "-" + topic
	}
	return topic
}

// countRepartitions finds how many partitions each repartition topic has: as fixed by the user, or the most of any source, as far as they
// are known, of the sub-topologies that write it. Going on with what is known is what lets the two halves of a foreign-key join, each of
// which writes what the other reads, be counted; copartitioned corrects them. Kafka's RepartitionTopics goes in the same order.
func (a *Assignor) countRepartitions(counts map[string]int32) error {
	for _, r := range a.cfg.Topology.Repartitions {
		if counts[a.name(r.Topic)] = r.Partitions; r.Partitions == 0 {
			delete(counts, a.name(r.Topic))
		}
	}
	for {
		unknown, progress := "", false
		for _, s := range a.cfg.Topology.Subs {
			for _, t := range s.Sources {
				if counts[a.name(t)] != 0 {
					continue
				}
				c := a.upstream(t, counts)
				if c == 0 {
					unknown = t
					continue
				}
				counts[a.name(t)], progress = c, true
			}
		}
		switch {
		case unknown == "":
			return nil
		case !progress && a.cfg.Topology.HasPatterns():
			return nil // they match nothing yet: what lies below has no tasks
		case !progress:
			return fmt.Errorf("streams: cannot find out the number of partitions of repartition topic %s: it depends on itself", unknown)
		}
	}
}

// upstream is the most partitions of the sources of those that write a topic; 0 while none is known.
func (a *Assignor) upstream(topic string, counts map[string]int32) int32 {
	var most int32
	for _, s := range a.cfg.Topology.Subs {
		if !slices.Contains(s.Sinks, topic) {
			continue
		}
		for _, src := range s.Sources {
			most = max(most, counts[a.name(src)])
		}
	}
	return most
}

// copartitioned gives topics that are joined or cogrouped equally many partitions, as far as they are ours to make, and fails where that
// cannot be: Kafka's CopartitionedTopicsEnforcer.
func (a *Assignor) copartitioned(counts map[string]int32) error {
	for _, g := range a.cfg.Topology.Copartition {
		lead := a.lead(g, counts)
		for _, t := range g {
			n := counts[a.name(t)]
			if a.fixed(t) && n != counts[a.name(lead)] {
				return fmt.Errorf("streams: invalid topology: topics %s and %s are joined, but have %d and %d partitions: they must have equally many",
					lead, t, counts[a.name(lead)], n)
			}
		}
		for _, t := range g {
			counts[a.name(t)] = counts[a.name(lead)]
		}
	}
	return nil
}

// lead is the topic of a group that the others must follow: one that is not ours, else one whose partitions the user has fixed, else that
// with the most.
func (a *Assignor) lead(group []string, counts map[string]int32) string {
	rank := func(t string) int64 {
		switch {
		case !a.cfg.Topology.IsRepartition(t):
			return 2 << 32
		case a.fixed(t):
			return 1 << 32
		}
		return int64(counts[a.name(t)])
	}
	return slices.MaxFunc(group, func(x, y string) int { return cmp.Compare(rank(x), rank(y)) })
}

// fixed says whether the number of a topic's partitions is not the leader's to choose.
func (a *Assignor) fixed(topic string) bool {
	for _, r := range a.cfg.Topology.Repartitions {
		if r.Topic == topic {
			return r.Partitions > 0
		}
	}
	return true
}

func (a *Assignor) tasks(counts map[string]int32) *plan {
	p := &plan{inputs: map[processor.TaskID][]broker.TopicPartition{}, stateful: map[processor.TaskID]bool{}}
	for _, s := range a.cfg.Topology.Subs {
		var most int32
		for _, src := range s.Sources {
			most = max(most, counts[a.name(src)])
		}
		logged := slices.ContainsFunc(s.Stores, func(st *state.Spec) bool { return st.Logging || st.Source != "" })
		for n := range most {
			id := processor.TaskID{Subtopology: s.ID, Partition: n}
			p.tasks = append(p.tasks, id)
			p.stateful[id] = logged
			for _, src := range s.Sources {
				if n < counts[a.name(src)] {
					p.inputs[id] = append(p.inputs[id], broker.TopicPartition{Topic: a.name(src), Partition: n})
				}
			}
		}
	}
	slices.SortFunc(p.tasks, processor.TaskID.Compare)
	return p
}

func (a *Assignor) repartitionTopics(counts map[string]int32) []broker.NewTopic {
	var out []broker.NewTopic
	for _, r := range a.cfg.Topology.Repartitions {
		if counts[a.name(r.Topic)] == 0 {
			continue
		}
		c := map[string]string{"cleanup.policy": "delete", "segment.bytes": "52428800", "retention.ms": "-1", "message.timestamp.type": "CreateTime"}
		maps.Copy(c, a.cfg.TopicConfigs)
		out = append(out, broker.NewTopic{Name: a.name(r.Topic), Partitions: counts[a.name(r.Topic)], ReplicationFactor: a.cfg.ReplicationFactor, Configs: c})
	}
	return out
}

func (a *Assignor) changelogTopics(p *plan) []broker.NewTopic {
	parts := map[int32]int32{}
	for _, id := range p.tasks {
		parts[id.Subtopology]++
	}
	var out []broker.NewTopic
	for _, s := range a.cfg.Topology.Subs {
		for _, st := range s.Stores {
			if st.Logging && parts[s.ID] > 0 { // a pattern may match nothing yet
				out = append(out, broker.NewTopic{Name: a.cfg.ApplicationID + "-" + st.Name + "-changelog", Partitions: parts[s.ID],
					ReplicationFactor: a.cfg.ReplicationFactor, Configs: st.ChangelogConfig(a.cfg.TopicConfigs, a.cfg.AdditionalRetention)})
			}
		}
	}
	return out
}

// makeTopics makes those that are missing, checks the others, and waits until all have leaders.
func (a *Assignor) makeTopics(ctx context.Context, want []broker.NewTopic) error {
	if len(want) == 0 {
		return nil
	}
	var names []string
	for _, t := range want {
		names = append(names, t.Name)
	}
	for try := 0; ; try++ {
		ready, progress, err := a.tryTopics(ctx, want, names)
		switch {
		case ready:
			return nil
		case err != nil && (!errors.Is(err, broker.ErrRetriable) || try >= topicTries):
			return err
		case try >= topicTries:
			return fmt.Errorf("streams: internal topics %v have no leaders after 30 s", names)
		case progress:
			continue
		}
		if err := a.cfg.Host.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// topicTries is how often the leader looks, every 100 ms, whether the internal topics are there.
const topicTries = 300

// tryTopics looks once. progress says that topics were made, and that it is worth looking again at once.
func (a *Assignor) tryTopics(ctx context.Context, want []broker.NewTopic, names []string) (ready, progress bool, err error) {
	have, err := a.cfg.Admin.DescribeTopics(ctx, names...)
	if err != nil {
		return false, false, fmt.Errorf("streams: describe internal topics: %w", err)
	}
	missing, ready, err := compare(want, have)
	if err != nil || ready || len(missing) == 0 {
		return ready, false, err
	}
	err = a.cfg.Admin.CreateTopics(ctx, missing...)
	if errors.Is(err, broker.ErrTopicExists) {
		return false, false, nil // made a moment ago, by this leader or the one before; the metadata will show it
	}
	if err != nil {
		return false, false, fmt.Errorf("streams: create internal topics: %w", err)
	}
	for _, t := range missing {
		a.cfg.Host.Emit(trace.Event{Kind: "internal-topic.create", Fields: []trace.Field{trace.F("topic", t.Name), trace.I("partitions", int64(t.Partitions))}})
	}
	return false, true, nil
}

func compare(want []broker.NewTopic, have map[string]broker.TopicDescription) (missing []broker.NewTopic, ready bool, err error) {
	ready = true
	for _, t := range want {
		d, ok := have[t.Name]
		if !ok {
			missing = append(missing, t)
			ready = false
			continue
		}
		if n := int32(len(d.Partitions)); n != t.Partitions {
			return nil, false, fmt.Errorf("streams: existing internal topic %s has %d partitions, but the topology needs %d: reset the application (delete its internal topics), or give it back its partitions",
				t.Name, n, t.Partitions)
		}
		for _, p := range d.Partitions {
			ready = ready && p.Leader >= 0
		}
	}
	return missing, ready, nil
}
