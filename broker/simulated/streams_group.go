package simulated

import (
	"cmp"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// streamsGroup is a streams group (KIP-1071) at its coordinator. What the log says of it comes first; the rest is soft, and made anew
// by the heartbeats after a failover.
type streamsGroup struct {
	epoch       int32
	topics      []topicCount // that the epoch was made with
	topology    *broker.StreamsTopology
	targetEpoch int32
	members     []*streamsMate // sorted by id

	configured *configuredTopology
	shutdown   string // the member that has asked for the application's end
	endpoints  int32  // counts changes of who has what
	delay      *sim.Timer
	assigned   time.Time // when the target was last computed
	created    string    // why internal topics could not be created; empty: they could
}

// streamsMate is a member as the coordinator has it.
type streamsMate struct {
	streamsMemberRecord
	current streamsCurrentRecord
	target  broker.StreamsTasks

	seen    time.Time
	session *sim.Timer
	revoke  *sim.Timer // by when it must have given up what it is to give up
	offsets []broker.StreamsTaskOffset
}

// The kinds of records of a streams group.
type (
	// streamsEpochRecord is a group's epoch, with the topics it was made with; gone ends the group's existence as a streams group.
	streamsEpochRecord struct {
		group  string
		epoch  int32
		topics []topicCount
		gone   bool
	}
	streamsTopologyRecord struct {
		group    string
		topology broker.StreamsTopology
	}
	// streamsMemberRecord is what a member has said of itself.
	streamsMemberRecord struct {
		group, member                       string
		gone                                bool
		instance, process, client, endpoint string
		tags                                map[string]string
		rebalanceTimeout                    time.Duration
		topologyEpoch                       int32
	}
	// streamsTargetRecord is the target assignment of an epoch, of all members.
	streamsTargetRecord struct {
		group   string
		epoch   int32
		members []string
		targets []broker.StreamsTasks
	}
	// streamsCurrentRecord is how far a member has come towards its target.
	streamsCurrentRecord struct {
		group, member   string
		epoch, previous int32
		state           streamsMemberState
		assigned        broker.StreamsTasks
		revoking        broker.StreamsTasks // to be given up by it
	}
)

// streamsMemberState is a member's reconciliation state, with Kafka's names.
type streamsMemberState int8

const (
	streamsStable streamsMemberState = iota
	streamsUnrevoked
	streamsUnreleased
)

func (s streamsMemberState) String() string {
	return [...]string{"STABLE", "UNREVOKED_TASKS", "UNRELEASED_TASKS"}[s]
}

// The member epochs that say something else.
const (
	joinEpoch        = int32(0)
	leaveEpoch       = int32(-1)
	leaveStaticEpoch = int32(-2)
)

// state is the group's, in Kafka's spelling.
func (s *streamsGroup) state() string {
	switch {
	case len(s.members) == 0:
		return "EMPTY"
	case s.topology == nil || s.configured == nil || !s.configured.ready():
		return "NOT_READY"
	case s.epoch > s.targetEpoch:
		return "ASSIGNING"
	case slices.ContainsFunc(s.members, func(m *streamsMate) bool { return m.current.state != streamsStable || m.current.epoch != s.targetEpoch }):
		return "RECONCILING"
	}
	return "STABLE"
}

func (s *streamsGroup) find(id string) (int, bool) {
	return slices.BinarySearchFunc(s.members, id, func(m *streamsMate, id string) int { return cmp.Compare(m.member, id) })
}

func (s *streamsGroup) member(id string) *streamsMate {
	if i, found := s.find(id); found {
		return s.members[i]
	}
	return nil
}

func (s *streamsGroup) static(instance string) *streamsMate {
	for _, m := range s.members {
		if instance != "" && m.instance == instance {
			return m
		}
	}
	return nil
}

// busy says that a task may not be given to m yet: another process has it active, or m's own process has it in another role or at another
// member.
func (s *streamsGroup) busy(m *streamsMate, t broker.StreamsTask, active bool) bool {
	return slices.ContainsFunc(s.members, func(o *streamsMate) bool {
		if o == m {
			return false
		}
		isActive := hasTask(o.current.assigned.Active, t) || hasTask(o.current.revoking.Active, t)
		return active && isActive || o.process == m.process && (isActive || o.holdsCopy(t))
	})
}

func (m *streamsMate) holdsCopy(t broker.StreamsTask) bool {
	for _, x := range []broker.StreamsTasks{m.current.assigned, m.current.revoking} {
		if hasTask(x.Standby, t) || hasTask(x.Warmup, t) {
			return true
		}
	}
	return false
}

// next is the member's state one step nearer to its target. owned is what it says that it has; nil: it did not say.
func (s *streamsGroup) next(m *streamsMate, owned *broker.StreamsTasks) streamsCurrentRecord {
	cur := m.current
	switch cur.state {
	case streamsStable:
		if cur.epoch == s.targetEpoch {
			return cur
		}
		return s.step(m, cur.epoch, owned)
	case streamsUnrevoked:
		if owned == nil || !noTasks(eachRole(*owned, cur.revoking, bothTasks)) {
			return cur
		}
		return s.step(m, cur.epoch+1, owned)
	}
	return s.step(m, cur.epoch, owned)
}

func (s *streamsGroup) step(m *streamsMate, epoch int32, owned *broker.StreamsTasks) streamsCurrentRecord {
	cur := m.current
	keep := eachRole(cur.assigned, m.target, bothTasks)
	revoke := eachRole(cur.assigned, m.target, minusTasks)
	want := eachRole(m.target, keep, minusTasks)
	free := broker.StreamsTasks{
		Active:  filterTasks(want.Active, func(t broker.StreamsTask) bool { return !s.busy(m, t, true) }),
		Standby: filterTasks(want.Standby, func(t broker.StreamsTask) bool { return !s.busy(m, t, false) }),
		Warmup:  filterTasks(want.Warmup, func(t broker.StreamsTask) bool { return !s.busy(m, t, false) }),
	}
	next := streamsCurrentRecord{group: cur.group, member: cur.member, epoch: s.targetEpoch, previous: cur.epoch, state: streamsStable}
	if !noTasks(revoke) && (owned == nil || !noTasks(eachRole(*owned, revoke, bothTasks))) {
		next.epoch, next.state, next.assigned, next.revoking = epoch, streamsUnrevoked, keep, revoke
		if epoch == cur.epoch {
			next.previous = cur.previous
		}
		return next
	}
	next.assigned = eachRole(keep, free, mergeTasks)
	if !within(want, free) {
		next.state = streamsUnreleased
	}
	if next.epoch == cur.epoch {
		next.previous = cur.previous
	}
	return next
}

// replayStreams applies a streams group's record; false: it is another kind.
func (c *groupCoordinator) replayStreams(record any) bool {
	switch r := record.(type) {
	case streamsEpochRecord:
		g := c.group(r.group)
		if r.gone {
			g.streams = nil
			return true
		}
		s := g.asStreams()
		s.epoch, s.topics = r.epoch, r.topics
	case streamsTopologyRecord:
		c.group(r.group).asStreams().topology = &r.topology
	case streamsMemberRecord:
		c.replayMember(c.group(r.group), r)
	case streamsTargetRecord:
		s := c.group(r.group).asStreams()
		s.targetEpoch = r.epoch
		for i, id := range r.members {
			if m := s.member(id); m != nil {
				m.target = r.targets[i]
			}
		}
	case streamsCurrentRecord:
		if m := c.group(r.group).asStreams().member(r.member); m != nil {
			m.current = r
		}
	default:
		return false
	}
	return true
}

func (g *group) asStreams() *streamsGroup {
	if g.streams == nil {
		g.streams = &streamsGroup{}
	}
	return g.streams
}

func (c *groupCoordinator) replayMember(g *group, r streamsMemberRecord) {
	s := g.asStreams()
	i, found := s.find(r.member)
	switch {
	case r.gone && found:
		s.members[i].halt()
		s.members = slices.Delete(s.members, i, i+1)
		if len(s.members) == 0 {
			g.emptySince = c.m.k.Now()
		}
	case r.gone:
	case found:
		s.members[i].streamsMemberRecord = r
	default:
		m := &streamsMate{streamsMemberRecord: r, current: streamsCurrentRecord{group: r.group, member: r.member}}
		s.members = slices.Insert(s.members, i, m)
	}
}

// halt ends a member's timers.
func (m *streamsMate) halt() {
	for _, t := range []*sim.Timer{m.session, m.revoke} {
		if t != nil {
			t.Stop()
		}
	}
}

// records are those that lead a fresh state to this one.
func (s *streamsGroup) records(group string) []any {
	out := []any{streamsEpochRecord{group: group, epoch: s.epoch, topics: s.topics}}
	if s.topology != nil {
		out = append(out, streamsTopologyRecord{group, *s.topology})
	}
	target := streamsTargetRecord{group: group, epoch: s.targetEpoch}
	for _, m := range s.members {
		out = append(out, m.streamsMemberRecord)
		target.members, target.targets = append(target.members, m.member), append(target.targets, m.target)
	}
	out = append(out, target)
	for _, m := range s.members {
		out = append(out, m.current)
	}
	return out
}
