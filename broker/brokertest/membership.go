package brokertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var membershipCases = []testcase{
	{"membership/five members share ten partitions", membershipFive},
	{"membership/every rebalance raises the generation", membershipGeneration},
	{"membership/one that left and came back has a new id", membershipNewID},
	{"membership/different subscriptions in one group", membershipSubscriptions},
	{"membership/topics that match are subscribed to, also when they come later", membershipMatches},
	{"membership/two groups read the same", membershipGroups},
	{"membership/a kept partition keeps its position", membershipPosition},
	{"membership/an eager member starts again at what is committed", membershipEagerPosition},
	{"membership/a static member whose session ended is replaced", membershipStaticGone},
	{"membership/a static member that leaves is gone at once", membershipStaticLeaves},
	{"membership/two static members restart one after the other", membershipRolling},
	{"membership/a member without a common protocol is refused", membershipProtocol},
	{"membership/a session time-out over the broker's limit is refused", membershipSession},
	{"membership/large user data", membershipUserData},
	{"membership/the leader's crash does not stop the group", membershipLeaderCrash},
	{"membership/a member that joins during a rebalance takes part", membershipMeanwhile},
	{"membership/Poll of a member returns at most max records", membershipMax},
	{"membership/Wakeup ends a member's Poll", membershipWakeup},
	{"membership/nothing is read twice without a crash", membershipOnce},
}

// share waits until the members own n partitions together, none of them twice, and none has more than one more than another.
func (e *Env) share(n int, ms ...*Member) {
	e.T.Helper()
	e.Eventually(fmt.Sprintf("%d members share %d partitions", len(ms), n), func() bool {
		seen := map[broker.TopicPartition]bool{}
		for _, m := range ms {
			owned := m.Owned()
			if len(owned) < n/len(ms) || len(owned) > (n+len(ms)-1)/len(ms) {
				return false
			}
			for _, at := range owned {
				seen[at] = true
			}
		}
		return len(seen) == n
	})
}

func membershipFive(e *Env) {
	topic := e.Topic("t", 10)
	var ms []*Member
	for i := range 5 {
		ms = append(ms, e.Join(fmt.Sprintf("m%d", i), memberOptions{topics: []string{topic}}))
	}
	e.share(10, ms...)
	for _, m := range ms {
		m.Leave()
	}
}

func membershipGeneration(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(2)
	last := int32(0)
	for range 4 {
		e.Eventually("a later generation", func() bool { return a.Metadata().Generation > last })
		last = a.Metadata().Generation
		a.Do(func(_ *Env, m broker.Member) { m.Rejoin("test") })
	}
	a.Leave()
}

func membershipNewID(e *Env) {
	topic := e.Topic("t", 1)
	seen := map[string]bool{}
	for range 3 {
		a := e.Join("a", memberOptions{topics: []string{topic}})
		a.Owns(1)
		e.Eventually("it has polled", func() bool { return a.Metadata().MemberID != "" })
		seen[a.Metadata().MemberID] = true
		a.Leave()
	}
	if len(seen) != 3 {
		e.Fatalf("the ids were %v", seen)
	}
}

func membershipSubscriptions(e *Env) {
	one, two := e.Topic("one", 2), e.Topic("two", 3)
	a := e.Join("a", memberOptions{topics: []string{one}})
	a.Owns(2)
	b := e.Join("b", memberOptions{topics: []string{one, two}})
	e.Eventually("the leader has seen all topics", func() bool {
		for _, p := range append(a.Plans(), b.Plans()...) {
			if len(p.Members) == 2 && p.Partitions[one] == 2 && p.Partitions[two] == 3 {
				return true
			}
		}
		return false
	})
	a.Leave()
	b.Owns(5)
	b.Leave()
}

func membershipMatches(e *Env) {
	one, other := e.Topic("some-one", 2), e.Topic("other", 1)
	matches := func(topic string) bool { return strings.HasPrefix(topic, strings.TrimSuffix(one, "one")) }
	a := e.Join("a", memberOptions{topics: []string{other}, matches: matches})
	a.Owns(3)
	b := e.Join("b", memberOptions{topics: []string{other}, matches: matches})
	e.share(3, a, b)
	later := e.Topic("some-later", 3)
	e.Topic("none", 4)
	e.share(6, a, b)
	e.Fill(tp(later, 1), 0, 5)
	e.Eventually("the new topic is read", func() bool { return len(a.Values())+len(b.Values()) == 5 })
	a.Leave()
	b.Leave()
}

func membershipGroups(e *Env) {
	topic := e.Topic("t", 2)
	e.Fill(tp(topic, 0), 0, 5)
	e.Fill(tp(topic, 1), 10, 5)
	a := e.Join("a", memberOptions{group: "g1", topics: []string{topic}})
	b := e.Join("b", memberOptions{group: "g2", topics: []string{topic}})
	e.Eventually("both have read everything", func() bool { return len(a.Values()) == 10 && len(b.Values()) == 10 })
	a.Leave()
	b.Leave()
}

func membershipPosition(e *Env) {
	topic := e.Topic("t", 2)
	e.Fill(tp(topic, 0), 0, 10)
	e.Fill(tp(topic, 1), 100, 10)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	e.Eventually("everything is read", func() bool { return len(a.Values()) == 20 }) // and nothing is committed
	b := e.Join("b", memberOptions{topics: []string{topic}})
	e.share(2, a, b)
	kept := a.Owned()[0]
	e.Fill(kept, 50, 1)
	e.Eventually("the next record is read", func() bool { return len(a.Values()) > 20 })
	if v := a.Values(); v[20].value != "v50" {
		e.Fatalf("%v came after the rebalance", v[20])
	}
	a.Leave()
	b.Leave()
}

func membershipEagerPosition(e *Env) {
	topic := e.Topic("t", 1)
	e.Fill(tp(topic, 0), 0, 10)
	a := e.Join("a", memberOptions{topics: []string{topic}, eager: true})
	e.Eventually("everything is read", func() bool { return len(a.Values()) == 10 })
	a.Do(func(e *Env, m broker.Member) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(7, "")}), "commit")
		m.Rejoin("test")
	})
	e.Eventually("the rest is read again", func() bool { return len(a.Values()) == 13 })
	if v := a.Values(); v[10].value != "v7" {
		e.Fatalf("%v came first", v[10])
	}
	a.Leave()
}

func membershipStaticGone(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, instance: "i1", session: 2 * time.Second})
	a.Owns(2)
	b := e.Join("b", memberOptions{topics: []string{topic}, instance: "i2", session: 2 * time.Second})
	e.share(2, a, b)
	a.process.Crash()
	b.Owns(2)
	b.Leave()
}

func membershipStaticLeaves(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, instance: "i1", session: 40 * time.Second})
	a.Owns(2)
	b := e.Join("b", memberOptions{topics: []string{topic}, instance: "i2", session: 40 * time.Second})
	e.share(2, a, b)
	began := e.Main().Host().Now()
	a.Leave()
	b.Owns(2)
	if d := e.Main().Host().Now().Sub(began); d > 30*time.Second {
		e.Fatalf("it took %v", d)
	}
	b.Leave()
}

func membershipRolling(e *Env) {
	topic := e.Topic("t", 4)
	join := func(name, instance string) *Member {
		return e.Join(name, memberOptions{topics: []string{topic}, instance: instance, session: 20 * time.Second})
	}
	a, b := join("a", "i1"), join("b", "i2")
	e.share(4, a, b)
	a.Stop()
	a = join("a", "i1")
	e.share(4, a, b)
	b.Stop()
	b = join("b", "i2")
	e.share(4, a, b)
	a.Leave()
	b.Leave()
}

// renamed is an assignor under another name.
type renamed struct{ roundRobin }

func (*renamed) Name() string { return "another-test" }

func membershipProtocol(e *Env) {
	topic := e.Topic("t", 1)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(1)
	m, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{Group: a.group, Topics: []string{topic},
		Assignor: &renamed{roundRobin{&Member{name: "b"}}}, Listener: quiet{}, SessionTimeout: 2 * time.Second, HeartbeatInterval: 200 * time.Millisecond})
	e.Must(err, "join")
	defer m.Close()
	e.Is(e.failedPoll(m), "poll", broker.ErrFatal)
	a.Do(func(e *Env, m broker.Member) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(0, "")}), "commit")
	})
	a.Leave()
}

// failedPoll polls until Poll fails.
func (e *Env) failedPoll(m broker.Member) error {
	e.T.Helper()
	var failed error
	e.Eventually("Poll fails", func() bool {
		_, failed = m.Poll(e.Ctx, 1, 100*time.Millisecond)
		return failed != nil
	})
	return failed
}

func membershipSession(e *Env) {
	topic := e.Topic("t", 1)
	m, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{Group: e.Name("g"), Topics: []string{topic},
		Assignor: &roundRobin{&Member{name: "a"}}, Listener: quiet{}, SessionTimeout: 24 * time.Hour})
	e.Must(err, "join")
	defer m.Close()
	e.Is(e.failedPoll(m), "poll", broker.ErrFatal)
}

// bulky is an assignor with much to say.
type bulky struct{ roundRobin }

func (*bulky) UserData() []byte { return bytes.Repeat([]byte("data"), 25000) }

func (b *bulky) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	out := map[string]broker.Assignment{}
	for _, s := range g.Members {
		if len(s.UserData) != 100000 {
			return nil, errors.New("the user data came short")
		}
		out[s.MemberID] = broker.Assignment{UserData: s.UserData}
	}
	return out, nil
}

// assignedData keeps the user data of an assignment.
type assignedData struct {
	quiet
	data []byte
}

func (a *assignedData) Assigned(_ context.Context, full broker.Assignment, _ []broker.TopicPartition) {
	a.data = bytes.Clone(full.UserData)
}

func membershipUserData(e *Env) {
	topic := e.Topic("t", 1)
	listener := &assignedData{}
	m, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{Group: e.Name("g"), Topics: []string{topic},
		Assignor: &bulky{roundRobin{&Member{name: "a"}}}, Listener: listener, SessionTimeout: 2 * time.Second, HeartbeatInterval: 200 * time.Millisecond})
	e.Must(err, "join")
	defer m.Close()
	e.Eventually("the assignment", func() bool {
		_, err := m.Poll(e.Ctx, 1, 100*time.Millisecond)
		e.Must(err, "poll")
		return listener.data != nil
	})
	if !bytes.Equal(listener.data, bytes.Repeat([]byte("data"), 25000)) {
		e.Fatalf("%d bytes of user data came back", len(listener.data))
	}
	e.Must(m.Leave(e.Ctx), "leave")
}

func membershipLeaderCrash(e *Env) {
	topic := e.Topic("t", 6)
	var ms []*Member
	for _, name := range []string{"a", "b", "c"} {
		ms = append(ms, e.Join(name, memberOptions{topics: []string{topic}}))
	}
	e.share(6, ms...)
	leader, latest := 0, int32(-1)
	for i, m := range ms {
		for _, p := range m.Plans() {
			if p.Generation > latest {
				leader, latest = i, p.Generation
			}
		}
	}
	ms[leader].process.Crash()
	rest := append(append([]*Member{}, ms[:leader]...), ms[leader+1:]...)
	e.share(6, rest...)
	for _, m := range rest {
		m.Leave()
	}
}

func membershipMeanwhile(e *Env) {
	topic := e.Topic("t", 6)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(6)
	b := e.Join("b", memberOptions{topics: []string{topic}})
	c := e.Join("c", memberOptions{topics: []string{topic}})
	e.share(6, a, b, c)
	b.Stop() // and does not leave
	d := e.Join("d", memberOptions{topics: []string{topic}})
	e.share(6, a, c, d)
	for _, m := range []*Member{a, c, d} {
		m.Leave()
	}
}

// withGroup runs f with a member that is polled here.
func (e *Env) withGroup(topic string, f func(m broker.Member)) {
	e.T.Helper()
	m, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{Group: e.Name("g"), Topics: []string{topic},
		ConsumerConfig: broker.ConsumerConfig{Reset: broker.ResetEarliest},
		Assignor:       &roundRobin{&Member{name: "a"}}, Listener: quiet{}, SessionTimeout: 2 * time.Second, HeartbeatInterval: 200 * time.Millisecond})
	e.Must(err, "join")
	defer m.Close()
	e.Eventually("the group is there", func() bool {
		_, err := m.Poll(e.Ctx, 1, 0)
		e.Must(err, "poll")
		return m.Metadata().Generation > 0
	})
	f(m)
	e.Must(m.Leave(e.Ctx), "leave")
}

func membershipMax(e *Env) {
	topic := e.Topic("t", 2)
	e.withGroup(topic, func(m broker.Member) {
		e.Fill(tp(topic, 0), 0, 25)
		e.Fill(tp(topic, 1), 100, 25)
		for n := 0; n < 50; {
			batches, err := m.Poll(e.Ctx, 4, 20*time.Second)
			e.Must(err, "poll")
			came := len(e.gotten(batches))
			if came > 4 {
				e.Fatalf("%d records came", came)
			}
			n += came
		}
	})
}

func membershipWakeup(e *Env) {
	e.withGroup(e.Topic("t", 1), func(m broker.Member) {
		m.Wakeup()
		batches, err := m.Poll(e.Ctx, 1, -1)
		e.Must(err, "poll")
		if len(batches) != 0 {
			e.Fatalf("%v came", batches)
		}
	})
}

func membershipOnce(e *Env) {
	const n = 120
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}, onRevoked: commitPositions})
	a.Owns(4)
	p := e.Producer()
	defer p.Close()
	var b *Member
	for i := range n {
		e.Send(p, tp(topic, int32(i%4)), keyed(i, 1)...)
		if i == n/3 {
			b = e.Join("b", memberOptions{topics: []string{topic}, onRevoked: commitPositions})
			b.Owns(2)
		}
	}
	e.share(4, a, b)
	e.Eventually("everything is read", func() bool { return len(a.Values())+len(b.Values()) >= n })
	seen := map[string]bool{}
	for _, g := range append(a.Values(), b.Values()...) {
		if seen[g.value] {
			e.Fatalf("%v came twice", g)
		}
		seen[g.value] = true
	}
	a.Leave()
	b.Leave()
}

// commitPositions commits where a member is in the partitions that it must give up.
func commitPositions(e *Env, m broker.Member, tps []broker.TopicPartition) {
	at0 := offsets{}
	for _, tp := range tps {
		if position := m.Position(tp); position != broker.NoOffset {
			at0[tp] = at(position, "")
		}
	}
	if len(at0) > 0 {
		e.Must(m.Commit(e.Ctx, at0), "commit within Revoked")
	}
}
