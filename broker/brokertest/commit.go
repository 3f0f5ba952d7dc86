package brokertest

import (
	"fmt"
	"maps"
	"slices"
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
	{"commit/metadata over the limit are refused", commitMetadataLimit},
	{"commit/the leader epoch is kept", commitEpoch},
	{"commit/may go back", commitBack},
	{"commit/of partitions that are not owned is accepted", commitForeign},
	{"commit/of a hundred partitions at once", commitHundred},
	{"commit/stays when the group is empty", commitStays},
	{"commit/goes with the group", commitDeletedGroup},
	{"commit/goes with the topic", commitDeletedTopic},
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
			e.committed(m, offsets{tp(topic, 0): want, tp(topic, 1): at(1, "x")})
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

// committed checks that exactly these positions are the committed ones of their partitions.
func (e *Env) committed(m broker.Member, want offsets) {
	e.T.Helper()
	found, err := m.Committed(e.Ctx, slices.SortedFunc(maps.Keys(want), broker.TopicPartition.Compare)...)
	e.Must(err, "committed")
	if !maps.Equal(found, want) {
		e.Fatalf("committed: %v instead of %v", found, want)
	}
}

// withCommits runs f on the thread of a member of group g, and returns what the administration then sees of the group.
func (e *Env) withCommits(partitions int32, f func(e *Env, m broker.Member, topic string)) offsets {
	e.T.Helper()
	e.withMember(partitions, f)
	found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, e.Name("g"))
	e.Must(err, "committed offsets")
	return found
}

func commitMetadataLimit(e *Env) {
	found := e.withCommits(1, func(e *Env, m broker.Member, topic string) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(1, strings.Repeat("m", 4096))}), "commit with 4096 bytes")
		e.Is(m.Commit(e.Ctx, offsets{tp(topic, 0): at(2, strings.Repeat("m", 4097))}), "commit with 4097 bytes", broker.ErrFatal)
	})
	for _, o := range found {
		if o.Offset != 1 {
			e.Fatalf("committed: %d", o.Offset)
		}
	}
}

func commitEpoch(e *Env) {
	found := e.withCommits(2, func(e *Env, m broker.Member, topic string) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): {Offset: 3, LeaderEpoch: 0, Metadata: "m"}, tp(topic, 1): at(4, "")}), "commit")
	})
	for at0, o := range found {
		if want := (broker.OffsetAndMetadata{Offset: 3, LeaderEpoch: 0, Metadata: "m"}); at0.Partition == 0 && o != want {
			e.Fatalf("%v instead of %v", o, want)
		}
		if at0.Partition == 1 && o != at(4, "") {
			e.Fatalf("%v", o)
		}
	}
}

func commitBack(e *Env) {
	found := e.withCommits(1, func(e *Env, m broker.Member, topic string) {
		for _, o := range []int64{9, 2, 1 << 40, 0} {
			e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(o, "")}), "commit")
			e.committed(m, offsets{tp(topic, 0): at(o, "")})
		}
	})
	if len(found) != 1 {
		e.Fatalf("committed: %v", found)
	}
}

func commitForeign(e *Env) {
	other := e.Topic("other", 1)
	found := e.withCommits(1, func(e *Env, m broker.Member, _ string) {
		e.Must(m.Commit(e.Ctx, offsets{tp(other, 0): at(5, "foreign")}), "commit")
	})
	if found[tp(other, 0)] != at(5, "foreign") {
		e.Fatalf("committed: %v", found)
	}
}

func commitHundred(e *Env) {
	found := e.withCommits(100, func(e *Env, m broker.Member, topic string) {
		all := offsets{}
		for i := range int32(100) {
			all[tp(topic, i)] = at(int64(i), fmt.Sprint(i))
		}
		e.Must(m.Commit(e.Ctx, all), "commit")
	})
	if len(found) != 100 {
		e.Fatalf("%d positions", len(found))
	}
	for at0, o := range found {
		if o != at(int64(at0.Partition), fmt.Sprint(at0.Partition)) {
			e.Fatalf("%v: %v", at0, o)
		}
	}
}

func commitStays(e *Env) {
	e.withCommits(1, func(e *Env, m broker.Member, topic string) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(3, "x")}), "commit")
	})
	e.Sleep(3 * time.Second)
	found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, e.Name("g"))
	e.Must(err, "committed offsets")
	if len(found) != 1 {
		e.Fatalf("committed: %v", found)
	}
}

func commitDeletedGroup(e *Env) {
	e.withCommits(1, func(e *Env, m broker.Member, topic string) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(3, "x")}), "commit")
	})
	e.Must(e.Cluster().Admin().DeleteGroup(e.Ctx, e.Name("g")), "delete the group")
	found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, e.Name("g"))
	e.Must(err, "committed offsets")
	if len(found) != 0 {
		e.Fatalf("committed: %v", found)
	}
}

func commitDeletedTopic(e *Env) {
	gone := e.Topic("gone", 1)
	e.withCommits(1, func(e *Env, m broker.Member, topic string) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(3, ""), tp(gone, 0): at(4, "")}), "commit")
	})
	e.Must(e.Cluster().Admin().DeleteTopics(e.Ctx, gone), "delete the topic")
	e.Eventually("the position is gone", func() bool {
		found, err := e.Cluster().Admin().CommittedOffsets(e.Ctx, e.Name("g"))
		e.Must(err, "committed offsets")
		return len(found) == 1
	})
}
