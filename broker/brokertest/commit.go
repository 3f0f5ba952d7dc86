package brokertest

import (
	"fmt"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var commitCases = []testcase{
	{"commit/Committed returns what was committed, with metadata", commitRound},
	{"commit/partitions without a position are absent", commitAbsent},
	{"commit/within Revoked is accepted", commitRevoked},
	{"commit/of a member that was expelled is refused", commitExpelled},
	{"commit/of an old generation is refused", commitOld},
	{"commit/groups do not see each other's", commitGroups},
	{"commit/before the first rebalance is refused", commitEarly},
	{"commit/while another member joins is accepted or refused as a rebalance", commitRebalancing},
}

func at(offset int64, metadata string) broker.OffsetAndMetadata {
	return broker.OffsetAndMetadata{Offset: offset, LeaderEpoch: -1, Metadata: metadata}
}

func commitRound(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(2)
	a.Do(func(e *Env, m broker.Member) {
		for _, want := range []broker.OffsetAndMetadata{at(3, ""), at(5, "é\x00metadata"), at(4, strings.Repeat("m", 3000))} {
			e.Must(m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): want, tp(topic, 1): at(1, "x")}), "commit")
			found, err := m.Committed(e.Ctx, tp(topic, 0), tp(topic, 1))
			e.Must(err, "committed")
			if found[tp(topic, 0)] != want || found[tp(topic, 1)] != at(1, "x") {
				e.Fatalf("committed: %v instead of %v", found, want)
			}
		}
	})
	found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, a.group)
	e.Must(err, "committed offsets")
	if len(found) != 2 || found[tp(topic, 0)].Offset != 4 {
		e.Fatalf("the administration sees %v", found)
	}
	a.Leave()
}

func commitAbsent(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(2)
	a.Do(func(e *Env, m broker.Member) {
		e.Must(m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 1): at(0, "")}), "commit")
		found, err := m.Committed(e.Ctx, tp(topic, 0), tp(topic, 1))
		e.Must(err, "committed")
		if len(found) != 1 || found[tp(topic, 1)] != at(0, "") {
			e.Fatalf("committed: %v", found)
		}
	})
	found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, e.Name("nosuch"))
	e.Must(err, "committed offsets of a group that does not exist")
	if len(found) != 0 {
		e.Fatalf("a group that does not exist has %v", found)
	}
	a.Leave()
}

func commitRevoked(e *Env) {
	topic := e.Topic("t", 2)
	for _, eager := range []bool{false, true} {
		group := fmt.Sprintf("eager-%v", eager)
		a := e.Join("a", memberOptions{group: group, topics: []string{topic}, eager: eager,
			onRevoked: func(e *Env, m broker.Member, tps []broker.TopicPartition) {
				offsets := map[broker.TopicPartition]broker.OffsetAndMetadata{}
				for _, t := range tps {
					offsets[t] = at(42, "revoked")
				}
				e.Must(m.Commit(e.Ctx, offsets), "commit within Revoked")
			}})
		a.Owns(2)
		b := e.Join("b", memberOptions{group: group, topics: []string{topic}, eager: eager})
		b.Owns(1)
		a.Owns(1)
		b.Do(func(e *Env, m broker.Member) {
			moved := b.Owned()[0]
			found, err := m.Committed(e.Ctx, moved)
			e.Must(err, "committed")
			if found[moved] != at(42, "revoked") {
				e.Fatalf("the new owner of %v sees %v", moved, found)
			}
		})
		a.Leave()
		b.Leave()
	}
}

func commitExpelled(e *Env) {
	topic := e.Topic("t", 1)
	a := e.Join("a", memberOptions{topics: []string{topic}, rebalance: 1500 * time.Millisecond})
	a.Owns(1)
	b := e.Join("b", memberOptions{topics: []string{topic}, rebalance: 1500 * time.Millisecond})
	a.Do(func(e *Env, m broker.Member) {
		e.Sleep(6 * time.Second) // the group does not wait that long
		err := m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): at(1, "")})
		e.Is(err, "commit", broker.ErrUnknownMember)
	})
	e.Eventually("someone owns the partition", func() bool { return len(a.Owned())+len(b.Owned()) == 1 })
	a.Leave()
	b.Leave()
}

func commitOld(e *Env) {
	topic := e.Topic("t", 1)
	to := tp(e.Topic("out", 1), 0)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(1)
	old := broker.GroupMetadata{}
	a.Do(func(_ *Env, m broker.Member) { old = m.Metadata(); m.Rejoin("test") })
	e.Eventually("the next generation", func() bool { return a.Metadata().Generation > old.Generation })
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, to, keyed(0, 1)...)
	err := p.SendOffsets(e.Ctx, old, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): at(1, "")})
	e.Is(err, "offsets of an old generation", broker.ErrUnknownMember, broker.ErrRebalancing)
	e.abort(p)
	a.Leave()
}

func commitGroups(e *Env) {
	topic := e.Topic("t", 1)
	for i, group := range []string{"g1", "g2"} {
		a := e.Join(group, memberOptions{group: group, topics: []string{topic}})
		a.Owns(1)
		a.Do(func(e *Env, m broker.Member) {
			e.Must(m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): at(int64(i), group)}), "commit")
		})
		a.Leave()
	}
	for i, group := range []string{"g1", "g2"} {
		found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, e.Name(group))
		e.Must(err, "committed offsets")
		if found[tp(topic, 0)] != at(int64(i), group) {
			e.Fatalf("%s has %v", group, found)
		}
	}
}

func commitEarly(e *Env) {
	topic := e.Topic("t", 1)
	m, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{Group: e.Name("g"), Topics: []string{topic},
		Assignor: &roundRobin{&Member{name: "a"}}, Listener: quiet{}})
	e.Must(err, "join")
	defer m.Close()
	err = m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): at(1, "")})
	e.Is(err, "commit", broker.ErrRebalancing, broker.ErrUnknownMember)
}

func commitRebalancing(e *Env) {
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(4)
	b := e.Join("b", memberOptions{topics: []string{topic}})
	for range 40 {
		a.Do(func(e *Env, m broker.Member) {
			err := m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): at(1, "")})
			if err != nil {
				e.Is(err, "commit", broker.ErrRebalancing)
			}
		})
	}
	a.Owns(2)
	b.Owns(2)
	for _, ev := range a.Events() {
		if strings.HasPrefix(ev, "lost") {
			e.Fatalf("commits cost the membership: %q", a.Events())
		}
	}
	a.Leave()
	b.Leave()
}
