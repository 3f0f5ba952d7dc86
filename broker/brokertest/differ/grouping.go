package differ

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// member is a group member whose partitions are paused but while they are read.
type member struct {
	broker.Member
	name, group string
	topics      []string
	owned       []broker.TopicPartition
	now, last   broker.GroupMetadata // at rest after the last rebalance, and before it
}

func (m *member) Revoked(_ context.Context, tps []broker.TopicPartition) { m.drop(tps) }
func (m *member) Lost(_ context.Context, tps []broker.TopicPartition)    { m.drop(tps) }

func (m *member) drop(tps []broker.TopicPartition) {
	m.owned = slices.DeleteFunc(m.owned, func(tp broker.TopicPartition) bool { return slices.Contains(tps, tp) })
}

func (m *member) Assigned(_ context.Context, full broker.Assignment, _ []broker.TopicPartition) {
	m.owned = slices.Clone(full.Partitions)
	m.Pause(m.owned...)
}

// byName gives the i-th partition of each topic to the i-th subscriber, by the names in the user data.
type byName struct {
	name        string
	cooperative bool
	asked       int
}

func (a *byName) Name() string {
	if a.cooperative {
		return "by-name"
	}
	return "by-name-eager"
}

func (a *byName) Cooperative() bool { return a.cooperative }

// UserData are different each time: a group that has a member's subscription already need not rebalance.
func (a *byName) UserData() []byte {
	a.asked++
	return fmt.Appendf(nil, "%s %d", a.name, a.asked)
}

// named is the name in a subscription's user data.
func named(s broker.Subscription) string {
	name, _, _ := strings.Cut(string(s.UserData), " ")
	return name
}

func (a *byName) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	members := slices.Clone(g.Members)
	slices.SortFunc(members, func(x, y broker.Subscription) int { return strings.Compare(named(x), named(y)) })
	out, owner := map[string]broker.Assignment{}, map[broker.TopicPartition]string{}
	subscribers := map[string][]string{}
	for _, s := range members {
		out[s.MemberID] = broker.Assignment{}
		for _, tp := range s.Owned {
			owner[tp] = s.MemberID
		}
		for _, topic := range s.Topics {
			subscribers[topic] = append(subscribers[topic], s.MemberID)
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(g.Partitions)) {
		for i := range g.Partitions[topic] {
			tp := broker.TopicPartition{Topic: topic, Partition: i}
			to := subscribers[topic][int(i)%len(subscribers[topic])]
			if was := owner[tp]; a.cooperative && was != "" && was != to {
				continue
			}
			next := out[to]
			next.Partitions = append(next.Partitions, tp)
			out[to] = next
		}
	}
	return out, nil
}

// join joins a group, as in "join m1 g1 a,b cooperative", and waits until the group is at rest. All members of a group follow the
// protocol of the first.
func (p *player) join(args []string) string {
	if p.members[args[0]] != nil || p.pending(args[1]) {
		return "not now"
	}
	if len(p.inGroup(args[1])) > 0 && args[3] != p.protocol(args[1]) {
		args = slices.Clone(args)
		args[3] = p.protocol(args[1])
	}
	m := &member{name: args[0], group: args[1]}
	for _, t := range strings.Split(args[2], ",") {
		if p.topics[t] > 0 {
			m.topics = append(m.topics, p.unique+t)
		}
	}
	if len(m.topics) == 0 {
		return "no topic"
	}
	made, err := p.process.Cluster().JoinGroup(p.ctx, broker.MemberConfig{
		ConsumerConfig: broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest, MaxWait: 50 * time.Millisecond, ClientID: args[3]},
		Group:          p.unique + args[1], Topics: m.topics, Assignor: &byName{name: m.name, cooperative: args[3] == "cooperative"}, Listener: m,
		SessionTimeout: 30 * time.Second, HeartbeatInterval: 50 * time.Millisecond, RebalanceTimeout: time.Minute,
	})
	if err != nil {
		return class(err)
	}
	m.Member = made
	p.members[m.name] = m
	p.protocols()[args[1]] = args[3]
	return p.rest(args[1])
}

// inGroup are the members of a group, by name.
func (p *player) inGroup(group string) []*member {
	var out []*member
	for _, name := range slices.Sorted(maps.Keys(p.members)) {
		if p.members[name].group == group {
			out = append(out, p.members[name])
		}
	}
	return out
}

func (p *player) protocols() map[string]string {
	if p.protocolOf == nil {
		p.protocolOf = map[string]string{}
	}
	return p.protocolOf
}

func (p *player) protocol(group string) string { return p.protocols()[group] }

// target is what each member of a group must own.
func (p *player) target(ms []*member) map[*member][]broker.TopicPartition {
	out := map[*member][]broker.TopicPartition{}
	for _, topic := range slices.Sorted(maps.Keys(p.topics)) {
		var subscribers []*member
		for _, m := range ms {
			if slices.Contains(m.topics, p.unique+topic) {
				subscribers = append(subscribers, m)
			}
		}
		for i, tp := range p.partitions(topic) {
			if len(subscribers) > 0 {
				m := subscribers[i%len(subscribers)]
				out[m] = append(out[m], tp)
			}
		}
	}
	return out
}

// rest polls all members of a group in turn until each has what it must have, in one generation.
func (p *player) rest(group string) string {
	ms := p.inGroup(group)
	target := p.target(ms)
	var failed error
	calm := 0
	rested := p.eventually(func() bool {
		good := true
		for _, m := range ms {
			if _, failed = m.Poll(p.ctx, 1, 3*time.Millisecond); failed != nil {
				return true
			}
			good = good && slices.Equal(m.owned, target[m]) && m.Metadata().Generation == ms[0].Metadata().Generation && m.Metadata().Generation > 0
		}
		calm++
		if !good {
			calm = 0
		}
		return calm > 20
	})
	if failed != nil {
		return class(failed)
	}
	var out []string
	for _, m := range ms {
		if g := m.Metadata(); g.Generation != m.now.Generation {
			m.last, m.now = m.now, g
		}
		out = append(out, m.name+"["+p.list(m.owned)+"]")
	}
	return fmt.Sprintf("%s at rest %v", strings.Join(out, " "), rested)
}

func (p *player) list(tps []broker.TopicPartition) string {
	var out []string
	for _, tp := range tps {
		out = append(out, p.short(tp))
	}
	return strings.Join(out, " ")
}

func (p *player) leave(args []string) string {
	m := p.members[args[0]]
	if m == nil {
		return absent
	}
	if p.pending(m.group) {
		return "not now"
	}
	err := m.Leave(p.ctx)
	m.Close()
	delete(p.members, m.name)
	p.eventually(func() bool { // a coordinator that has just crashed hears of it when the session ends
		d, err := p.admin().DescribeGroup(p.ctx, p.unique+m.group)
		return err == nil && len(d.Members) <= len(p.inGroup(m.group))
	})
	if err != nil || len(p.inGroup(m.group)) == 0 {
		return class(err)
	}
	return p.rest(m.group)
}

func (p *player) rejoin(args []string) string {
	m := p.members[args[0]]
	if m == nil {
		return absent
	}
	if p.pending(m.group) {
		return "not now"
	}
	before := m.Metadata().Generation
	m.Rejoin("asked for")
	next := p.eventually(func() bool {
		for _, o := range p.inGroup(m.group) {
			if _, err := o.Poll(p.ctx, 1, 3*time.Millisecond); err != nil {
				return true
			}
		}
		return m.Metadata().Generation > before
	})
	return fmt.Sprintf("next %v, %s", next, p.rest(m.group))
}

func (p *player) readMember(args []string) string {
	m := p.members[args[0]]
	if m == nil {
		return absent
	}
	if p.pending(m.group) {
		return "not now"
	}
	m.Resume(m.owned...)
	came, err := p.drain(m.Member, broker.ReadCommitted, m.owned, -1)
	m.Pause(m.owned...)
	if err != nil {
		return class(err)
	}
	return came
}

func (p *player) commitOffset(args []string) string {
	m := p.members[args[0]]
	if m == nil {
		return absent
	}
	at := broker.OffsetAndMetadata{Offset: number(args[2]), LeaderEpoch: -1, Metadata: args[3]}
	return class(m.Commit(p.ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{p.tp(args[1]): at}))
}

func (p *player) committed(args []string) string {
	m := p.members[args[0]]
	if m == nil {
		return absent
	}
	if p.pending(m.group) {
		return "not now"
	}
	found, err := m.Committed(p.ctx, p.tp(args[1]))
	return p.positions(found, err)
}

func (p *player) offsets(args []string) string {
	if p.pending(args[0]) {
		return "not now"
	}
	found, err := p.admin().CommittedOffsets(p.ctx, p.unique+args[0])
	return p.positions(found, err)
}

func (p *player) positions(found map[broker.TopicPartition]broker.OffsetAndMetadata, err error) string {
	if err != nil {
		return class(err)
	}
	var out []string
	for _, tp := range slices.SortedFunc(maps.Keys(found), broker.TopicPartition.Compare) {
		out = append(out, fmt.Sprintf("%s=%d %q", p.short(tp), found[tp].Offset, found[tp].Metadata))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (p *player) group(args []string) string {
	d, err := p.admin().DescribeGroup(p.ctx, p.unique+args[0])
	if err != nil {
		return class(err)
	}
	var assigned []broker.TopicPartition
	for _, m := range d.Members {
		assigned = append(assigned, m.Assigned...)
	}
	slices.SortFunc(assigned, broker.TopicPartition.Compare)
	state := d.State
	if state == "Empty" {
		state = "Dead" // how long an empty group without positions is remembered is no promise
	}
	return fmt.Sprintf("%s, %d members, %s", state, len(d.Members), p.list(assigned))
}

// sendOffsets adds a group's position to a transaction in which something was written, as in "sendoffsets p1 m1 a-0 3 now". "stale"
// is with the generation before the last rejoin.
func (p *player) sendOffsets(args []string) string {
	pr, m := p.producers[args[0]], p.members[args[1]]
	if pr == nil || m == nil {
		return absent
	}
	if len(pr.written) == 0 || p.pending(m.group) {
		return "not now"
	}
	as := m.Metadata()
	if args[4] == "stale" {
		if m.last.Generation == 0 {
			return "not stale"
		}
		as = m.last
	}
	at := broker.OffsetAndMetadata{Offset: number(args[3]), LeaderEpoch: -1}
	err := pr.SendOffsets(p.ctx, as, map[broker.TopicPartition]broker.OffsetAndMetadata{p.tp(args[2]): at})
	if err == nil {
		pr.groups[m.group] = true
	}
	return class(err)
}
