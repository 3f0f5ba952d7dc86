package simulated

import (
	"cmp"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// groupState is a classic group's state, with Kafka's names.
type groupState int8

const (
	groupEmpty groupState = iota
	groupPreparing
	groupCompleting
	groupStable
	groupDead
)

func (s groupState) String() string {
	return [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"}[s]
}

// group is one consumer group at its coordinator: membership (soft state but for what groupRecord keeps), and committed offsets.
type group struct {
	id           string
	state        groupState
	generation   int32
	protocolType string
	protocol     string
	leader       string
	members      []*groupMember // sorted by id
	statics      []staticMember // sorted by instance id
	pending      []string       // member ids handed out and not yet used
	emptySince   time.Time
	persisted    *groupRecord // what the log says

	rebalance  *sim.Timer // ends the join phase, or the sync phase
	initial    bool       // the join phase is the delayed first one
	joinUntil  time.Time  // the latest end of a delayed join phase
	newMembers bool       // someone has joined during the delay: it is extended

	streams *streamsGroup // nil: a classic group

	offsets   map[broker.TopicPartition]*committedOffset
	offsetTPs []broker.TopicPartition // the keys of offsets, sorted
	expiry    *sim.Timer
}

// empty says that the group has no members of either kind.
func (g *group) empty() bool {
	return g.state == groupEmpty && (g.streams == nil || len(g.streams.members) == 0)
}

type staticMember struct{ instance, member string }

// committedOffset is a group's position in one partition: the last committed one and those that wait for the end of a transaction.
type committedOffset struct {
	has     bool
	value   broker.OffsetAndMetadata
	at      time.Time
	place   int64           // of its record among the coordinator's: a transaction's offset that was written before it does not replace it
	pending []pendingOffset // by producer id
}

type pendingOffset struct {
	producer int64
	epoch    int16
	value    broker.OffsetAndMetadata
	at       time.Time
	place    int64
}

// groupProtocol is one assignor that a member offers, with its subscription.
type groupProtocol struct {
	name     string
	metadata any // a *subscription for consumers; opaque here
}

// groupMember is one member. Its last heartbeat is a number that the session timer looks at when it fires.
type groupMember struct {
	id, instance, client, host string
	protocols                  []groupProtocol
	sessionTimeout             time.Duration
	rebalanceTimeout           time.Duration
	assignment                 any
	seen                       time.Time
	session                    *sim.Timer
	joining                    func(*joinGroupResponse) // a JoinGroup that waits
	syncing                    func(*syncGroupResponse) // a SyncGroup that waits
}

func (g *group) member(id string) *groupMember {
	i, found := g.find(id)
	if !found {
		return nil
	}
	return g.members[i]
}

func (g *group) find(id string) (int, bool) {
	return slices.BinarySearchFunc(g.members, id, func(m *groupMember, id string) int { return cmp.Compare(m.id, id) })
}

func (g *group) addMember(m *groupMember) {
	i, _ := g.find(m.id)
	g.members = slices.Insert(g.members, i, m)
	if m.instance != "" {
		j, found := g.findStatic(m.instance)
		if found {
			g.statics[j].member = m.id
		} else {
			g.statics = slices.Insert(g.statics, j, staticMember{m.instance, m.id})
		}
	}
	if g.leader == "" {
		g.leader = m.id
	}
}

func (g *group) removeMember(m *groupMember) {
	if i, found := g.find(m.id); found {
		g.members = slices.Delete(g.members, i, i+1)
	}
	if j, found := g.findStatic(m.instance); found && g.statics[j].member == m.id {
		g.statics = slices.Delete(g.statics, j, j+1)
	}
	if m.session != nil {
		m.session.Stop()
	}
	if g.leader == m.id {
		g.leader = ""
		if len(g.members) > 0 {
			g.leader = g.members[0].id
		}
	}
}

func (g *group) findStatic(instance string) (int, bool) {
	return slices.BinarySearchFunc(g.statics, instance, func(s staticMember, i string) int { return cmp.Compare(s.instance, i) })
}

// staticID is the member id that an instance id has now; empty: none.
func (g *group) staticID(instance string) string {
	if j, found := g.findStatic(instance); found && instance != "" {
		return g.statics[j].member
	}
	return ""
}

// check validates a member's request. A static member whose instance id belongs to another member id is fenced.
func (g *group) check(member, instance string, generation int32) code {
	if instance != "" {
		switch id := g.staticID(instance); {
		case id == "":
			return codeUnknownMember
		case id != member:
			return codeFencedInstance
		}
	}
	switch {
	case g.member(member) == nil:
		return codeUnknownMember
	case generation != g.generation:
		return codeIllegalGeneration
	}
	return codeNone
}

// rebalanceTimeout is the longest of the members'.
func (g *group) rebalanceTimeout() time.Duration {
	var d time.Duration
	for _, m := range g.members {
		d = max(d, m.rebalanceTimeout)
	}
	return d
}

// supports says whether a member's protocols have one that all members know.
func (g *group) supports(protocolType string, ps []groupProtocol, except *groupMember) bool {
	if len(g.members) == 0 || len(g.members) == 1 && g.members[0] == except {
		return protocolType != "" && len(ps) > 0
	}
	if g.protocolType != protocolType {
		return false
	}
	return slices.ContainsFunc(ps, func(p groupProtocol) bool {
		for _, m := range g.members {
			if m != except && m.offer(p.name) == nil {
				return false
			}
		}
		return true
	})
}

func (m *groupMember) offer(protocol string) *groupProtocol {
	for i := range m.protocols {
		if m.protocols[i].name == protocol {
			return &m.protocols[i]
		}
	}
	return nil
}

// choose elects the protocol: each member votes for the first it offers that all know.
func (g *group) choose() string {
	best, most := "", 0
	for _, p := range g.members[0].protocols {
		votes := 0
		for _, m := range g.members {
			if m.vote(g) == p.name {
				votes++
			}
		}
		if votes > most {
			best, most = p.name, votes
		}
	}
	return best
}

func (m *groupMember) vote(g *group) string {
	for _, p := range m.protocols {
		if !slices.ContainsFunc(g.members, func(o *groupMember) bool { return o.offer(p.name) == nil }) {
			return p.name
		}
	}
	return ""
}

// offset returns the entry of a partition, made when it is missing.
func (g *group) offset(tp broker.TopicPartition) *committedOffset {
	o := g.offsets[tp]
	if o == nil {
		o = &committedOffset{}
		g.offsets[tp] = o
		i, _ := slices.BinarySearchFunc(g.offsetTPs, tp, broker.TopicPartition.Compare)
		g.offsetTPs = slices.Insert(g.offsetTPs, i, tp)
	}
	return o
}

func (g *group) dropOffset(tp broker.TopicPartition) {
	delete(g.offsets, tp)
	if i, found := slices.BinarySearchFunc(g.offsetTPs, tp, broker.TopicPartition.Compare); found {
		g.offsetTPs = slices.Delete(g.offsetTPs, i, i+1)
	}
}
