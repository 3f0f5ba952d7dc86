package assign_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/assign"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// admin is a cluster's topics, in memory.
type admin struct {
	broker.Admin
	topics map[string]int32
	made   []broker.NewTopic
	// failures are returned by the next calls of CreateTopics.
	failures []error
	// leaderless are how many more times DescribeTopics finds partitions without a leader.
	leaderless int
}

func (a *admin) DescribeTopics(_ context.Context, names ...string) (map[string]broker.TopicDescription, error) {
	out := map[string]broker.TopicDescription{}
	for _, n := range names {
		if count, ok := a.topics[n]; ok {
			d := broker.TopicDescription{Name: n, Partitions: make([]broker.PartitionDescription, count)}
			if a.leaderless > 0 {
				d.Partitions[0].Leader = -1
			}
			out[n] = d
		}
	}
	a.leaderless--
	return out, nil
}

func (a *admin) CreateTopics(_ context.Context, topics ...broker.NewTopic) error {
	if len(a.failures) > 0 {
		err := a.failures[0]
		a.failures = a.failures[1:]
		return err
	}
	for _, t := range topics {
		a.topics[t.Name] = t.Partitions
		a.made = append(a.made, t)
	}
	return nil
}

// thread is one member of the group.
type thread struct {
	id                 string
	a                  *assign.Assignor
	owned              []broker.TopicPartition
	generation         int32
	running, restoring []processor.TaskID
}

// Tasks implements assign.Reporter.
func (m *thread) Tasks() (running, restoring []processor.TaskID) { return m.running, m.restoring }

// group is a consumer group that plays the cooperative protocol.
type group struct {
	cfg        assign.Config
	admin      *admin
	partitions map[string]int32 // of source topics
	members    []*thread
	generation int32
	log        *strings.Builder
	// restoring: tasks that are new on a member stay in restoration until the next round.
	restoring bool
}

func newGroup(top *topology.Topology, partitions map[string]int32) *group {
	g := &group{admin: &admin{topics: map[string]int32{}}, partitions: partitions, log: &strings.Builder{}}
	h := host.NewLive(context.Background(), host.LiveConfig{Name: "test", Log: slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))})
	g.cfg = assign.Config{ApplicationID: "app", Topology: top, Admin: g.admin, Host: h, ReplicationFactor: -1}
	return g
}

// join adds the threads of a process; its name's first byte is its process id.
func (g *group) join(process string, threads int) {
	for range threads {
		n := 1
		for slices.ContainsFunc(g.members, func(m *thread) bool { return m.id == fmt.Sprintf("%s-%d", process, n) }) {
			n++
		}
		m := &thread{id: fmt.Sprintf("%s-%d", process, n), generation: -1}
		cfg := g.cfg
		copy(cfg.ProcessID[:], process)
		m.a = assign.New(cfg, m)
		g.members = append(g.members, m)
	}
	slices.SortFunc(g.members, func(a, b *thread) int { return strings.Compare(a.id, b.id) })
}

// leave takes members out whose id has this prefix.
func (g *group) leave(prefix string) {
	g.members = slices.DeleteFunc(g.members, func(m *thread) bool { return strings.HasPrefix(m.id, prefix) })
}

// result is what one rebalance did.
type result struct {
	info  map[string]*assign.Assignment
	parts map[string][]broker.TopicPartition
	tasks map[string]map[processor.TaskID][]broker.TopicPartition
	again bool // somebody gave something up, or was told to come back
	moved int  // tasks that somebody had and has no more
}

// rebalance lets the first member lead, and every member follow.
func (g *group) rebalance() (*result, error) {
	g.generation++
	counts := map[string]int32{}
	for _, all := range []map[string]int32{g.partitions, g.admin.topics} {
		for t, n := range all {
			counts[t] = n
		}
	}
	sub := broker.GroupSubscription{Generation: g.generation, Partitions: counts}
	for _, m := range g.members {
		sub.Members = append(sub.Members, broker.Subscription{MemberID: m.id, Owned: m.owned, Generation: m.generation, UserData: m.a.UserData()})
	}
	out, err := g.members[0].a.Assign(context.Background(), sub)
	if err != nil {
		return nil, err
	}
	r := &result{info: map[string]*assign.Assignment{}, parts: map[string][]broker.TopicPartition{}, tasks: map[string]map[processor.TaskID][]broker.TopicPartition{}}
	if len(out) != len(g.members) {
		return nil, fmt.Errorf("%d assignments for %d members", len(out), len(g.members))
	}
	for _, m := range g.members {
		if err := g.follow(m, out[m.id], r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (g *group) follow(m *thread, full broker.Assignment, r *result) error {
	info, err := assign.DecodeAssignment(full.UserData)
	if err != nil {
		return err
	}
	r.info[m.id], r.parts[m.id] = info, full.Partitions
	if info.Code != assign.ErrNone {
		return nil
	}
	tasks, err := info.Tasks(full)
	if err != nil {
		return err
	}
	r.tasks[m.id] = tasks
	for _, tp := range m.owned {
		if !slices.Contains(full.Partitions, tp) {
			r.again = true
		}
	}
	for _, id := range m.running {
		if tasks[id] == nil {
			r.moved++
		}
	}
	r.again = r.again || info.NextRebalance == 0
	m.owned, m.generation = full.Partitions, g.generation
	before := append(slices.Clone(m.running), m.restoring...)
	m.running, m.restoring = nil, nil
	for _, id := range slices.SortedFunc(maps.Keys(tasks), processor.TaskID.Compare) {
		if g.restoring && !slices.Contains(before, id) {
			m.restoring = append(m.restoring, id)
		} else {
			m.running = append(m.running, id)
		}
	}
	return nil
}

// settle rebalances until nobody asks for another; it returns how many rounds that took.
func (g *group) settle() (*result, int, error) {
	for n := 1; ; n++ {
		r, err := g.rebalance()
		if err != nil || !r.again {
			return r, n, err
		}
		if n == 20 {
			return r, n, fmt.Errorf("no end of rebalances")
		}
	}
}

// build makes a topology out of lines:
//
//	sub <sources,> [-> <sinks,>] [stores <names,>]
//	repartition <topic> [partitions]
//	copartition <source topic> <source topic>...
func build(text string) (*topology.Topology, error) {
	b := topology.NewBuilder()
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		switch f[0] {
		case "sub":
			subtopology(b, i, f)
		case "repartition":
			r := topology.Repartition{Topic: f[1]}
			if len(f) > 2 {
				fmt.Sscan(f[2], &r.Partitions)
			}
			b.AddRepartition(r)
		case "copartition":
			var nodes []string
			for _, t := range f[1:] {
				nodes = append(nodes, "source-"+t)
			}
			b.Copartition(nodes...)
		}
	}
	return b.Build()
}

func subtopology(b *topology.Builder, i int, f []string) {
	var sources, sinks, stores []string
	sources = strings.Split(f[1], ",")
	for j := 2; j+1 < len(f); j += 2 {
		list := strings.Split(f[j+1], ",")
		if f[j] == "->" {
			sinks = list
		} else {
			stores = list
		}
	}
	var parents []string
	for _, s := range sources {
		n := &topology.Node{Kind: topology.SourceNode, Name: "source-" + s, Topics: []string{s}}
		if pattern, ok := strings.CutPrefix(s, "/"); ok {
			var err error
			if n.Pattern, err = topology.NewPattern(pattern); err != nil {
				b.Fail(err)
			}
			n.Topics = nil
		}
		b.Add(n)
		parents = append(parents, "source-"+s)
	}
	p := fmt.Sprint("processor-", i)
	b.Add(&topology.Node{Kind: topology.ProcessorNode, Name: p, Parents: parents})
	for _, s := range sinks {
		b.Add(&topology.Node{Kind: topology.SinkNode, Name: fmt.Sprint("sink-", i, "-", s), Parents: []string{p}, Topic: s})
	}
	for _, s := range stores {
		name, window := strings.CutPrefix(s, "window:")
		spec := &state.Spec{Name: name, Logging: true, Kind: state.TimestampedKeyValue}
		if window {
			spec.Kind, spec.Retention = state.TimestampedWindow, 7_200_000
		}
		b.AddStore(spec, p)
	}
}

func mustBuild(t testing.TB, text string) *topology.Topology {
	t.Helper()
	top, err := build(text)
	if err != nil {
		t.Fatal(err)
	}
	return top
}
