package brokertest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// memberOptions say how a member joins; zero values are the suite's defaults.
type memberOptions struct {
	process   Process // default: one of its own
	group     string  // default "g"
	topics    []string
	matches   func(topic string) bool
	eager     bool
	instance  string
	session   time.Duration // default 2 s
	rebalance time.Duration // default 10 s
	noReset   bool          // no reset policy; otherwise earliest
	// callbacks, beside those that record
	onAssigned func(e *Env, m broker.Member, full broker.Assignment, added []broker.TopicPartition)
	onRevoked  func(e *Env, m broker.Member, tps []broker.TopicPartition)
}

// Member is a group member on a thread of its own that polls all the time. What happens to it is recorded; its methods are for
// the case's thread.
type Member struct {
	e       *Env
	name    string
	group   string
	process Process
	opts    memberOptions
	thread  *Thread
	stop    atomic.Bool

	mu     sync.Mutex // held for moments only: threads take turns in the simulator, but not elsewhere
	orders []func(e *Env, m broker.Member)
	owned  []broker.TopicPartition
	events []string
	values []got
	full   broker.Assignment
	group0 broker.GroupMetadata
	failed error // what Poll returned
	plans  []broker.GroupSubscription
	asked  int
}

// Join starts a member.
func (e *Env) Join(name string, o memberOptions) *Member {
	e.T.Helper()
	if o.process == nil {
		o.process = e.Start(name)
	}
	if o.group == "" {
		o.group = "g"
	}
	if o.session == 0 {
		o.session = 2 * time.Second
	}
	if o.rebalance == 0 {
		o.rebalance = 10 * time.Second
	}
	m := &Member{e: e, name: name, group: e.Name(o.group), process: o.process, opts: o}
	m.thread = e.Go(o.process, name, m.run)
	return m
}

func (m *Member) run(e *Env) {
	listener := &recorder{m: m, e: e}
	reset := broker.ResetEarliest
	if m.opts.noReset {
		reset = broker.ResetNone
	}
	bm, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{
		ConsumerConfig: broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: reset, ClientID: m.name,
			Properties: map[string]string{"metadata.max.age.ms": "1000"}},
		Group: m.group, InstanceID: m.opts.instance, Topics: m.opts.topics, Matches: m.opts.matches,
		Assignor: &roundRobin{m}, Listener: listener,
		SessionTimeout: m.opts.session, HeartbeatInterval: m.opts.session / 10, RebalanceTimeout: m.opts.rebalance,
	})
	e.Must(err, "join group")
	defer bm.Close()
	listener.b = bm // no callback runs before the first Poll
	for !m.stop.Load() && e.Ctx.Err() == nil {
		for _, order := range m.taken() {
			order(e, bm)
		}
		batches, err := bm.Poll(e.Ctx, 100, 20*time.Millisecond)
		came := e.gotten(batches)
		m.mu.Lock()
		m.values = append(m.values, came...)
		m.group0 = bm.Metadata()
		m.failed = err
		m.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (m *Member) taken() []func(*Env, broker.Member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	orders := m.orders
	m.orders = nil
	return orders
}

// Do runs f on the member's thread, between two polls, and waits for it.
func (m *Member) Do(f func(e *Env, m broker.Member)) {
	m.e.T.Helper()
	done := m.Order(f)
	m.e.Eventually(m.name+" does it", func() bool { return done() || m.thread.Done() })
	if m.e.T.Failed() {
		panic(failure{})
	}
}

// Order lets f run on the member's thread, between two polls; done says whether it has.
func (m *Member) Order(f func(e *Env, m broker.Member)) (ended func() bool) {
	var done atomic.Bool
	m.mu.Lock()
	m.orders = append(m.orders, func(e *Env, bm broker.Member) {
		defer done.Store(true)
		f(e, bm)
	})
	m.mu.Unlock()
	return done.Load
}

// Stop ends the thread and closes the member, without leaving the group.
func (m *Member) Stop() {
	m.e.T.Helper()
	m.stop.Store(true)
	m.thread.Wait()
}

// Leave leaves the group, and ends the thread.
func (m *Member) Leave() {
	m.e.T.Helper()
	m.Do(func(e *Env, bm broker.Member) {
		e.Must(bm.Leave(e.Ctx), "leave")
		m.stop.Store(true)
	})
	m.thread.Wait()
}

// Owned are its partitions.
func (m *Member) Owned() []broker.TopicPartition {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.owned)
}

// Owns waits until it has n partitions.
func (m *Member) Owns(n int) {
	m.e.T.Helper()
	m.e.Eventually(fmt.Sprintf("%s owns %d partitions; it owns %v", m.name, n, m.Owned()), func() bool { return len(m.Owned()) == n })
}

// Events are what happened to it: "assigned t-0 t-1", "revoked t-0", "lost", without the names' prefix.
func (m *Member) Events() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.events)
}

// Metadata is the membership as it was after the last Poll.
func (m *Member) Metadata() broker.GroupMetadata {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.group0
}

// Full is the assignment that it was given last.
func (m *Member) Full() broker.Assignment {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.full
}

// Plans are what it was asked to assign, as the leader.
func (m *Member) Plans() []broker.GroupSubscription {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.plans)
}

// Values are what it has read.
func (m *Member) Values() []got {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.values)
}

// Failed is the error with which Poll ended the thread.
func (m *Member) Failed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

// recorder is the member's listener.
type recorder struct {
	m *Member
	e *Env // of the member's thread
	b broker.Member
}

func (r *recorder) note(what string, tps []broker.TopicPartition, owned []broker.TopicPartition) {
	prefix := r.e.Name("")
	for _, tp := range tps {
		what += " " + strings.TrimPrefix(tp.String(), prefix)
	}
	r.m.mu.Lock()
	r.m.events = append(r.m.events, what)
	r.m.owned = owned
	r.m.mu.Unlock()
}

func (r *recorder) Revoked(_ context.Context, tps []broker.TopicPartition) {
	if f := r.m.opts.onRevoked; f != nil {
		f(r.e, r.b, tps)
	}
	r.note("revoked", tps, minus(r.m.Owned(), tps))
}

func (r *recorder) Assigned(_ context.Context, full broker.Assignment, added []broker.TopicPartition) {
	r.m.mu.Lock()
	r.m.full = broker.Assignment{Partitions: slices.Clone(full.Partitions), UserData: slices.Clone(full.UserData)}
	r.m.mu.Unlock()
	if f := r.m.opts.onAssigned; f != nil {
		f(r.e, r.b, full, added)
	}
	r.note("assigned", added, slices.Clone(full.Partitions))
}

func (r *recorder) Lost(_ context.Context, tps []broker.TopicPartition) {
	r.note("lost", tps, minus(r.m.Owned(), tps))
}

func minus(a, b []broker.TopicPartition) []broker.TopicPartition {
	return slices.DeleteFunc(slices.Clone(a), func(tp broker.TopicPartition) bool { return slices.Contains(b, tp) })
}

// roundRobin gives the i-th partition to the member i modulo n; a cooperative one holds a partition back until its owner has let
// it go. The user data say who sent them.
type roundRobin struct{ m *Member }

func (a *roundRobin) Name() string      { return "roundrobin-test" }
func (a *roundRobin) Cooperative() bool { return !a.m.opts.eager }

func (a *roundRobin) UserData() []byte {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	a.m.asked++
	return fmt.Appendf(nil, "%s asked %d", a.m.name, a.m.asked)
}

func (a *roundRobin) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	a.m.mu.Lock()
	a.m.plans = append(a.m.plans, g)
	a.m.mu.Unlock()
	owners := map[broker.TopicPartition]string{}
	out := map[string]broker.Assignment{}
	for _, s := range g.Members {
		out[s.MemberID] = broker.Assignment{UserData: fmt.Appendf(nil, "for %s in %d", s.UserData, g.Generation)}
		for _, tp := range s.Owned {
			owners[tp] = s.MemberID
		}
	}
	i := 0
	for _, topic := range slices.Sorted(maps.Keys(g.Partitions)) {
		for p := range g.Partitions[topic] {
			to := g.Members[i%len(g.Members)].MemberID
			i++
			if owner := owners[tp(topic, p)]; a.Cooperative() && owner != "" && owner != to {
				continue
			}
			got := out[to]
			got.Partitions = append(got.Partitions, tp(topic, p))
			out[to] = got
		}
	}
	return out, nil
}
