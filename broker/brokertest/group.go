package brokertest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var groupCases = []testcase{
	{"group/one member gets everything", groupOne},
	{"group/two members share", groupTwo},
	{"group/a member that leaves hands over at once", groupLeave},
	{"group/a crashed member hands over when its session ends", groupCrash},
	{"group/Close does not leave", groupClose},
	{"group/cooperative: only what moves is revoked", groupCooperative},
	{"group/eager: everything is revoked first", groupEager},
	{"group/user data go both ways, and are asked at each join", groupUserData},
	{"group/the leader sees what members own", groupOwned},
	{"group/Assigned comes once per generation, also without a change", groupRejoin},
	{"group/an expelled member is told it lost everything", groupLost},
	{"group/Pause within Assigned holds", groupPause},
	{"group/Seek within Assigned holds", groupSeek},
	{"group/starts at the committed position, or at the reset", groupStart},
	{"group/nothing committed and no policy is an error", groupNoPolicy},
	{"group/a busy member stays in its group", groupBusy},
	{"group/a blocked Poll returns after a rebalance", groupBlocked},
	{"group/Assign is refused", groupAssign},
	{"group/a static member comes back to what it had", groupStatic},
	{"group/a second of the same instance fences the first", groupInstance},
	{"group/three members, one topic more partitions than members", groupThree},
	{"group/a topic that comes later is assigned", groupLateTopic},
}

func groupOne(e *Env) {
	topic := e.Topic("t", 4)
	m := e.Join("a", memberOptions{topics: []string{topic}})
	m.Owns(4)
	if g := m.Metadata(); g.Group != m.group || g.MemberID == "" || g.Generation < 1 {
		e.Eventually("the metadata are those of a member", func() bool {
			g := m.Metadata()
			return g.Group == m.group && g.MemberID != "" && g.Generation >= 1
		})
	}
	m.Leave()
}

func groupTwo(e *Env) {
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(4)
	b := e.Join("b", memberOptions{topics: []string{topic}})
	a.Owns(2)
	b.Owns(2)
	all := append(a.Owned(), b.Owned()...)
	slices.SortFunc(all, broker.TopicPartition.Compare)
	if len(slices.Compact(all)) != 4 {
		e.Fatalf("the members own %v and %v", a.Owned(), b.Owned())
	}
	a.Leave()
	b.Leave()
}

func groupLeave(e *Env) {
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}, session: 40 * time.Second})
	a.Owns(4)
	b := e.Join("b", memberOptions{topics: []string{topic}})
	b.Owns(2)
	a.Owns(2)
	a.Leave()
	b.Owns(4)
	b.Leave()
}

func groupCrash(e *Env) {
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(4)
	b := e.Join("b", memberOptions{topics: []string{topic}})
	b.Owns(2)
	a.Owns(2)
	a.process.Crash()
	b.Owns(4)
	b.Leave()
}

func groupClose(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, session: 3 * time.Second})
	a.Owns(2)
	a.Stop()
	d, err := e.Cluster().Admin().DescribeGroup(e.Ctx, a.group)
	e.Must(err, "describe group")
	if len(d.Members) != 1 {
		e.Fatalf("the group has %d members right after Close", len(d.Members))
	}
	e.Eventually("the session ends", func() bool {
		d, err := e.Cluster().Admin().DescribeGroup(e.Ctx, a.group)
		e.Must(err, "describe group")
		return len(d.Members) == 0
	})
}

func groupCooperative(e *Env) {
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(4)
	b := e.Join("b", memberOptions{topics: []string{topic}})
	a.Owns(2)
	b.Owns(2)
	revoked := 0
	for _, ev := range a.Events() {
		if strings.HasPrefix(ev, "revoked") {
			revoked += strings.Count(ev, "t-")
		}
		if strings.HasPrefix(ev, "lost") {
			e.Fatalf("something was lost: %v", a.Events())
		}
	}
	if revoked != 2 {
		e.Fatalf("%d partitions were revoked: %v", revoked, a.Events())
	}
	a.Leave()
	b.Leave()
}

func groupEager(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, eager: true})
	a.Owns(2)
	b := e.Join("b", memberOptions{topics: []string{topic}, eager: true})
	b.Owns(1)
	a.Owns(1)
	if ev := a.Events(); len(ev) < 3 || ev[0] != "assigned t-0 t-1" || ev[1] != "revoked t-0 t-1" || !strings.HasPrefix(ev[2], "assigned t-") {
		e.Fatalf("the events were %q", ev)
	}
	a.Leave()
	b.Leave()
}

func groupUserData(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(2)
	if data := string(a.Full().UserData); !strings.HasPrefix(data, "for a asked 1 in ") {
		e.Fatalf("the assignment's user data are %q", data)
	}
	before := a.Metadata().Generation
	a.Do(func(_ *Env, m broker.Member) { m.Rejoin("test") })
	e.Eventually("the next generation", func() bool { return a.Metadata().Generation > before })
	e.Eventually("user data of the second join", func() bool {
		return strings.HasPrefix(string(a.Full().UserData), "for a asked 2 in ")
	})
	a.Leave()
}

func groupOwned(e *Env) {
	topic := e.Topic("t", 3)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(3)
	a.Do(func(_ *Env, m broker.Member) { m.Rejoin("test") })
	e.Eventually("two plans", func() bool { return len(a.Plans()) >= 2 })
	plans := a.Plans()
	first, second := plans[0], plans[1]
	if s := first.Members[0]; len(s.Owned) != 0 || s.Generation != -1 || fmt.Sprint(s.Topics) != fmt.Sprint([]string{topic}) {
		e.Fatalf("the first subscription is %+v", s)
	}
	if s := second.Members[0]; len(s.Owned) != 3 || s.Generation != first.Generation || second.Generation <= first.Generation {
		e.Fatalf("the second subscription, after generation %d, is %+v", first.Generation, s)
	}
	if first.Partitions[topic] != 3 {
		e.Fatalf("the partition counts are %v", first.Partitions)
	}
	a.Leave()
}

func groupRejoin(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(2)
	for i := 2; i <= 3; i++ {
		a.Do(func(_ *Env, m broker.Member) { m.Rejoin("test") })
		e.Eventually("the next Assigned", func() bool { return len(a.Events()) >= i })
	}
	e.Sleep(300 * time.Millisecond)
	if ev := a.Events(); fmt.Sprint(ev) != "[assigned t-0 t-1 assigned assigned]" {
		e.Fatalf("the events were %q", ev)
	}
	a.Leave()
}

func groupLost(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, rebalance: 1500 * time.Millisecond})
	a.Owns(2)
	gone := a.Metadata()
	b := e.Join("b", memberOptions{topics: []string{topic}, rebalance: 1500 * time.Millisecond})
	a.Do(func(e *Env, _ broker.Member) { e.Sleep(6 * time.Second) }) // the group does not wait that long
	b.Owns(1)
	e.Eventually("a has been told and is back", func() bool {
		ev := a.Events()
		return slices.Contains(ev, "lost t-0 t-1") && len(a.Owned()) == 1
	})
	if now := a.Metadata(); now.Generation <= gone.Generation {
		e.Fatalf("the generation is %d after %d", now.Generation, gone.Generation)
	}
	a.Leave()
	b.Leave()
}

func groupPause(e *Env) {
	topic := e.Topic("t", 2)
	e.Fill(tp(topic, 0), 0, 5)
	e.Fill(tp(topic, 1), 100, 5)
	a := e.Join("a", memberOptions{topics: []string{topic},
		onAssigned: func(_ *Env, m broker.Member, _ broker.Assignment, added []broker.TopicPartition) {
			m.Pause(tp(topic, 0))
		}})
	e.Eventually("the other partition is read", func() bool { return len(a.Values()) == 5 })
	e.Sleep(300 * time.Millisecond)
	for _, g := range a.Values() {
		if g.Partition == 0 {
			e.Fatalf("a paused partition gave %v", g)
		}
	}
	a.Do(func(_ *Env, m broker.Member) { m.Resume(tp(topic, 0)) })
	e.Eventually("it is read after Resume", func() bool { return len(a.Values()) == 10 })
	a.Leave()
}

func groupSeek(e *Env) {
	topic := e.Topic("t", 1)
	e.Fill(tp(topic, 0), 0, 10)
	a := e.Join("a", memberOptions{topics: []string{topic},
		onAssigned: func(_ *Env, m broker.Member, _ broker.Assignment, added []broker.TopicPartition) {
			for _, at := range added {
				m.Seek(at, 7)
			}
		}})
	e.Eventually("the rest is read", func() bool { return len(a.Values()) == 3 })
	if v := a.Values(); v[0].value != "v7" {
		e.Fatalf("%v came first", v[0])
	}
	a.Leave()
}

func groupStart(e *Env) {
	topic := e.Topic("t", 2)
	e.Fill(tp(topic, 0), 0, 10)
	e.Fill(tp(topic, 1), 100, 10)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	e.Eventually("everything is read", func() bool { return len(a.Values()) == 20 })
	a.Do(func(e *Env, m broker.Member) {
		e.Must(m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): {Offset: 8, LeaderEpoch: -1}}), "commit")
	})
	a.Leave()
	b := e.Join("b", memberOptions{topics: []string{topic}})
	e.Eventually("the rest is read", func() bool { return len(b.Values()) == 12 })
	for _, g := range b.Values() {
		if g.Partition == 0 && g.offset < 8 {
			e.Fatalf("%v came again", g)
		}
	}
	b.Leave()
}

func groupNoPolicy(e *Env) {
	topic := e.Topic("t", 1)
	a := e.Join("a", memberOptions{topics: []string{topic}, noReset: true})
	e.Eventually("Poll fails", func() bool { return a.Failed() != nil })
	e.Is(a.Failed(), "poll", broker.ErrNoOffset)
}

func groupBusy(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, session: time.Second})
	a.Owns(2)
	a.Do(func(e *Env, _ broker.Member) { e.Sleep(3 * time.Second) })
	e.Sleep(300 * time.Millisecond)
	if ev := a.Events(); len(ev) != 1 {
		e.Fatalf("the events were %q", ev)
	}
	a.Do(func(e *Env, m broker.Member) {
		e.Must(m.Commit(e.Ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{tp(topic, 0): {Offset: 0, LeaderEpoch: -1}}), "commit")
	})
	a.Leave()
}

func groupBlocked(e *Env) {
	topic := e.Topic("t", 1)
	var returned atomic.Int32
	th := e.Go(e.Start("a"), "a", func(e *Env) {
		m, err := e.Cluster().JoinGroup(e.Ctx, broker.MemberConfig{Group: e.Name("g"), Topics: []string{topic},
			ConsumerConfig: broker.ConsumerConfig{Reset: broker.ResetEarliest},
			Assignor:       &roundRobin{&Member{name: "a"}}, Listener: quiet{}, SessionTimeout: 2 * time.Second, HeartbeatInterval: 200 * time.Millisecond})
		e.Must(err, "join")
		defer m.Close()
		batches, err := m.Poll(e.Ctx, 10, -1)
		if err != nil || len(batches) != 0 {
			e.Fatalf("the Poll of the first rebalance: %v, %v", batches, err)
		}
		if g := m.Metadata(); g.Generation < 1 {
			e.Fatalf("the membership after it: %+v", g)
		}
		returned.Add(1)
		e.Must(m.Leave(e.Ctx), "leave")
	})
	th.Wait()
	if returned.Load() != 1 {
		e.Fatalf("Poll did not return")
	}
}

func groupAssign(e *Env) {
	topic := e.Topic("t", 1)
	a := e.Join("a", memberOptions{topics: []string{topic}})
	a.Owns(1)
	a.Do(func(e *Env, m broker.Member) {
		e.Is(m.Assign(e.Ctx, map[broker.TopicPartition]int64{tp(topic, 0): 0}), "assign", broker.ErrFatal)
	})
	a.Leave()
}

func groupStatic(e *Env) {
	topic := e.Topic("t", 4)
	a := e.Join("a", memberOptions{topics: []string{topic}, instance: "i1", session: 20 * time.Second})
	a.Owns(4)
	b := e.Join("b", memberOptions{topics: []string{topic}, instance: "i2", session: 20 * time.Second})
	a.Owns(2)
	b.Owns(2)
	had, events := a.Owned(), len(b.Events())
	a.Stop()
	again := e.Join("a2", memberOptions{topics: []string{topic}, instance: "i1", session: 20 * time.Second})
	again.Owns(2)
	if fmt.Sprint(again.Owned()) != fmt.Sprint(had) {
		e.Fatalf("it came back to %v, and had %v", again.Owned(), had)
	}
	if len(b.Events()) != events {
		e.Fatalf("the other member was rebalanced: %q", b.Events())
	}
	again.Leave()
	b.Leave()
}

func groupInstance(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, instance: "i1"})
	a.Owns(2)
	b := e.Join("b", memberOptions{topics: []string{topic}, instance: "i1"})
	b.Owns(2)
	e.Eventually("the first one's Poll fails", func() bool { return a.Failed() != nil })
	e.Is(a.Failed(), "poll", broker.ErrFenced)
	b.Leave()
}

func groupThree(e *Env) {
	topic := e.Topic("t", 7)
	var ms []*Member
	for _, name := range []string{"a", "b", "c"} {
		ms = append(ms, e.Join(name, memberOptions{topics: []string{topic}}))
	}
	shared := func(n int) func() bool {
		return func() bool {
			seen := map[broker.TopicPartition]bool{}
			for _, m := range ms[:n] {
				owned := m.Owned()
				if len(owned) < 7/n || len(owned) > (7+n-1)/n {
					return false
				}
				for _, at := range owned {
					seen[at] = true
				}
			}
			return len(seen) == 7
		}
	}
	e.Eventually("all three share", shared(3))
	ms[2].Leave()
	e.Eventually("the other two share", shared(2))
	ms[1].Leave()
	e.Eventually("the last has everything", shared(1))
	ms[0].Leave()
}

func groupLateTopic(e *Env) {
	there := e.Topic("a", 1)
	later := e.Name("b")
	a := e.Join("a", memberOptions{topics: []string{there, later}})
	a.Owns(1)
	if n := len(a.Plans()); n == 0 || len(a.Plans()[0].Partitions) != 1 {
		e.Fatalf("the plans were %+v", a.Plans())
	}
	e.Topic("b", 2)
	a.Owns(3)
	a.Leave()
}
