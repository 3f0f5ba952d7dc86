package simulated_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/sim"
)

// app is one process with one member of the streams group "app": it counts what it reads, and commits after each poll.
type app struct {
	w     *world
	p     *sim.Process
	m     broker.StreamsMember
	name  string
	lines []string
	tasks broker.StreamsTasks
	got   []string
	owner map[broker.StreamsTask]string // shared: who has each active task now
	busy  time.Duration                 // how long a poll's records take
	leave bool
	err   error
}

func (a *app) Revoked(ctx context.Context, active []broker.StreamsTask) {
	a.lines = append(a.lines, fmt.Sprint("revoked ", active))
	for _, t := range active {
		delete(a.owner, t)
	}
}

func (a *app) Assigned(_ context.Context, tasks broker.StreamsTasks) {
	a.lines = append(a.lines, fmt.Sprint("assigned ", tasks.Active, tasks.Standby))
	a.tasks = tasks
	for _, t := range tasks.Active {
		if o := a.owner[t]; o != "" && o != a.name {
			a.w.t.Errorf("%s gets %s, which %s has", a.name, t, o)
		}
		a.owner[t] = a.name
	}
}

func (a *app) Lost(context.Context) {
	a.lines = append(a.lines, "lost")
	a.forget()
}

func (a *app) forget() {
	for _, t := range a.tasks.Active {
		if a.owner[t] == a.name {
			delete(a.owner, t)
		}
	}
	a.tasks = broker.StreamsTasks{}
}

func (a *app) Status(_ context.Context, status []broker.StreamsStatus) {
	for _, s := range status {
		a.lines = append(a.lines, s.Code.String())
	}
}

// wordCount is a topology of two sub-topologies with a repartition topic and a changelog between.
func wordCount() broker.StreamsTopology {
	return broker.StreamsTopology{Subtopologies: []broker.StreamsSubtopology{
		{ID: "0", SourceTopics: []string{"a"}, RepartitionSinks: []string{"r"}},
		{ID: "1", RepartitionSources: []broker.StreamsTopic{{Name: "r"}}, Changelogs: []broker.StreamsTopic{{Name: "c", Configs: map[string]string{"cleanup.policy": "compact"}}}},
	}}
}

type apps struct {
	w      *world
	owner  map[broker.StreamsTask]string
	starts map[string]int
}

func (as *apps) start(name string, change func(*broker.StreamsMemberConfig)) *app {
	a := &app{w: as.w, name: name, owner: as.owner}
	a.p = as.w.k.NewProcess(name, nil)
	cluster := as.w.m.Client(a.p).(broker.StreamsCluster)
	cfg := broker.StreamsMemberConfig{
		ConsumerConfig: broker.ConsumerConfig{Reset: broker.ResetEarliest}, Group: "app", ProcessID: name, Topology: wordCount(), Listener: a,
	}
	if change != nil {
		change(&cfg)
	}
	a.p.Go("stream", func(ctx context.Context) {
		if a.m, a.err = cluster.JoinStreamsGroup(ctx, cfg); a.err == nil {
			a.err = a.loop(ctx)
		}
	})
	return a
}

func (a *app) loop(ctx context.Context) error {
	for {
		batches, err := a.m.Poll(ctx, 10, -1)
		switch {
		case err != nil:
			return err
		case a.leave:
			a.forget()
			return a.m.Leave(ctx)
		}
		offsets := map[broker.TopicPartition]broker.OffsetAndMetadata{}
		for _, b := range batches {
			for _, r := range b.Records {
				a.got = append(a.got, string(r.Value))
			}
			offsets[b.TopicPartition] = broker.OffsetAndMetadata{Offset: b.Next, LeaderEpoch: -1}
		}
		if a.busy > 0 && len(batches) > 0 {
			if err := a.p.Sleep(ctx, a.busy); err != nil {
				return err
			}
		}
		if err := a.m.Commit(ctx, offsets); err != nil && !errors.Is(err, broker.ErrUnknownMember) && !errors.Is(err, broker.ErrRebalancing) {
			return err
		}
	}
}

func (a *app) kill() {
	a.p.Kill()
	a.forget()
}

func TestStreamsMember(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{StreamsStandbyReplicas: 1})
	w.run(func(ctx context.Context) {
		as := &apps{w: w, owner: map[broker.StreamsTask]string{}, starts: map[string]int{}}
		one := as.start("one", func(c *broker.StreamsMemberConfig) { c.Endpoint = "one:80" })
		w.sleep(ctx, 10*time.Second)
		w.topic(ctx, "a", 2)
		w.sleep(ctx, 20*time.Second)
		p := w.producer(ctx, "")
		for i := range 10 {
			w.put(ctx, p, tp("a", int32(i%2)), i, i+1)
		}
		w.sleep(ctx, time.Second)
		want := []string{"MISSING_SOURCE_TOPICS", "MISSING_INTERNAL_TOPICS", "assigned [0_0 0_1 1_0 1_1] []"}
		if !slices.Equal(one.lines, want) || len(one.got) != 10 {
			t.Fatalf("%q, %v", one.lines, one.got)
		}
		two := as.start("two", nil)
		w.sleep(ctx, 30*time.Second)
		if len(one.tasks.Active) != 2 || len(two.tasks.Active) != 2 || len(one.tasks.Standby)+len(two.tasks.Standby) != 2 {
			t.Fatalf("%+v, %+v", one.tasks, two.tasks)
		}
		g, err := w.c.(broker.StreamsCluster).DescribeStreamsGroup(ctx, "app")
		if err != nil || g.State != "STABLE" || len(g.Members) != 2 || fmt.Sprint(w.m.StreamsGroups()[0]) != fmt.Sprint(g) {
			t.Fatal(g, err)
		}
		if e := two.m.Endpoints(); len(e) != 1 || e[0].Endpoint != "one:80" || len(e[0].Active) != 2 {
			t.Fatalf("%+v", e)
		}
		lines := len(one.lines)
		w.must(w.m.MoveLeader(w.m.GroupPartition("app"), w.m.GroupCoordinator("app")%3+1))
		w.sleep(ctx, 10*time.Second)
		if len(one.lines) != lines || len(two.tasks.Active) != 2 {
			t.Fatalf("a failover of the coordinator moves tasks: %q, %q", one.lines, two.lines)
		}
		one.kill() // its session must end
		for i := range 10 {
			w.put(ctx, p, tp("a", int32(i%2)), 10+i, 11+i)
		}
		w.sleep(ctx, 70*time.Second)
		if len(two.tasks.Active) != 4 || len(two.tasks.Standby) != 0 || len(one.got)+len(two.got) != 20 {
			t.Fatalf("%+v, %v, %v: %q", two.tasks, one.got, two.got, two.lines)
		}
		two.quit()
		w.sleep(ctx, time.Second)
		if g, err := w.c.(broker.StreamsCluster).DescribeStreamsGroup(ctx, "app"); err != nil || g.State != "EMPTY" {
			t.Fatal(g, err)
		}
		got, err := w.c.Admin().CommittedOffsets(ctx, "app")
		if err != nil || got[tp("a", 0)].Offset != 10 || got[tp("a", 1)].Offset != 10 {
			t.Fatal(got, err)
		}
	})
}

// quit has the app leave in good order.
func (a *app) quit() {
	a.leave = true
	a.m.Wakeup()
}

func TestStreamsMemberPollsTooLate(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		as := &apps{w: w, owner: map[broker.StreamsTask]string{}, starts: map[string]int{}}
		short := func(c *broker.StreamsMemberConfig) { c.RebalanceTimeout = 20 * time.Second }
		one, two := as.start("one", short), as.start("two", short)
		w.sleep(ctx, 30*time.Second)
		if len(one.tasks.Active) != 2 || len(two.tasks.Active) != 2 {
			t.Fatalf("%+v, %+v", one.tasks, two.tasks)
		}
		slow, other := one, two
		if !slices.Contains(slow.tasks.Active, broker.StreamsTask{Subtopology: "0", Partition: 0}) {
			slow, other = two, one
		}
		slow.busy = 2 * time.Minute
		p := w.producer(ctx, "")
		w.put(ctx, p, tp("a", 0), 0, 1)
		w.sleep(ctx, 10*time.Second)
		slow.forget() // what it has is not its own any more, only it does not know
		w.sleep(ctx, 50*time.Second)
		if len(other.tasks.Active) != 4 || !slices.Contains(other.got, "0") {
			t.Fatalf("the other has %+v, %v", other.tasks, other.got)
		}
		slow.busy = 0
		w.sleep(ctx, 3*time.Minute)
		if !slices.Contains(slow.lines, "lost") || len(slow.tasks.Active) != 2 || slow.err != nil {
			t.Fatalf("%q, %+v, %v", slow.lines, slow.tasks, slow.err)
		}
	})
}

func TestStreamsShutdownAndErrors(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		as := &apps{w: w, owner: map[broker.StreamsTask]string{}, starts: map[string]int{}}
		one, two := as.start("one", nil), as.start("two", nil)
		w.sleep(ctx, 10*time.Second)
		odd := as.start("odd", func(c *broker.StreamsMemberConfig) { c.Topology = broker.StreamsTopology{Epoch: 7} })
		w.sleep(ctx, 20*time.Second)
		w.wantCode(odd.err, "STREAMS_INVALID_TOPOLOGY")
		two.m.Shutdown()
		w.sleep(ctx, 10*time.Second)
		for _, a := range []*app{one, two} {
			if !slices.Contains(a.lines, "SHUTDOWN_APPLICATION") {
				t.Fatalf("%s: %q", a.name, a.lines)
			}
			a.quit()
		}
		w.sleep(ctx, time.Second)
		if _, err := w.c.(broker.StreamsCluster).JoinStreamsGroup(ctx, broker.StreamsMemberConfig{Group: "app"}); !errors.Is(err, broker.ErrFatal) {
			t.Fatalf("a member without a process: %v", err)
		}
		classic, err := w.c.JoinGroup(ctx, broker.MemberConfig{Group: "app", Topics: []string{"a"}, Assignor: spread{}})
		w.must(err)
		if _, err := classic.Poll(ctx, 1, 10*time.Second); err != nil {
			t.Fatalf("an empty streams group is free for a classic one: %v", err)
		}
		again := as.start("again", nil)
		w.sleep(ctx, 10*time.Second)
		w.wantCode(again.err, "GROUP_ID_NOT_FOUND")
	})
}

// TestStreamsStaticMember restarts a static member within its session: its tasks wait for it.
func TestStreamsStaticMember(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		as := &apps{w: w, owner: map[broker.StreamsTask]string{}, starts: map[string]int{}}
		static := func(c *broker.StreamsMemberConfig) {
			c.InstanceID, c.ProcessID = "i-"+c.ProcessID[:1], "p-"+c.ProcessID[:1]
		}
		one, two := as.start("1", static), as.start("2", static)
		w.sleep(ctx, 30*time.Second)
		before := len(one.lines)
		had := fmt.Sprint(two.tasks)
		two.quit()
		w.sleep(ctx, 20*time.Second)
		back := as.start("2 again", static)
		w.sleep(ctx, 20*time.Second)
		if fmt.Sprint(back.tasks) != had || len(one.lines) != before {
			t.Fatalf("had %s, has %+v; the other: %q", had, back.tasks, one.lines)
		}
		back.quit()
		w.sleep(ctx, time.Minute)
		if len(one.tasks.Active) != 4 {
			t.Fatalf("%+v", one.tasks)
		}
	})
}

// TestStreamsGroupUnderFaults kills, pauses and restarts members over a bad network and moving coordinators. No two members that the
// group has not given up have one task, and in the end everything is assigned and read. Paused members are left out of the check: they
// do not know yet what they have lost.
func TestStreamsGroupUnderFaults(t *testing.T) {
	read := 0
	for seed := range *seeds {
		w := streamsUnderFaults(t, seed, &read)
		w.k.Close()
		if t.Failed() {
			return
		}
	}
	if read == 0 {
		t.Error("nothing was read")
	}
	a, b := streamsUnderFaults(t, 5, &read), streamsUnderFaults(t, 5, &read)
	if a.trace.Hash() != b.trace.Hash() || a.k.Digest() != b.k.Digest() {
		t.Error("the same seed gives two traces")
	}
}

func streamsUnderFaults(t *testing.T, seed uint64, read *int) *world {
	w := newWorld(t, seed, simulated.Config{StreamsStandbyReplicas: int(seed % 3)})
	rng := w.k.Rand("streams")
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 4)
		badNetwork(w)
		as := &apps{w: w, owner: map[broker.StreamsTask]string{}, starts: map[string]int{}}
		live := map[string]*app{}
		names := []string{"one", "two", "three"}
		for _, name := range names {
			live[name] = as.start(name, nil)
		}
		p, err := w.c.NewProducer(ctx, broker.ProducerConfig{DeliveryTimeout: time.Hour})
		w.must(err)
		sent := 0
		for range 60 {
			for range 5 {
				w.must(p.Send(ctx, tp("a", int32(sent%4)), values(sent, sent+1), nil))
				sent++
			}
			w.sleep(ctx, time.Duration(rng.IntN(8000))*time.Millisecond)
			name := names[rng.IntN(3)]
			switch rng.IntN(6) {
			case 0:
				live[name].kill()
				w.sleep(ctx, time.Duration(rng.IntN(60))*time.Second)
				live[name] = restarted(as, live[name])
			case 1:
				_ = w.m.MoveLeader(w.m.GroupPartition("app"), 1+rng.IntN(3))
			case 2:
				_ = w.m.MoveLeader(tp("a", int32(rng.IntN(4))), 1+rng.IntN(3))
			}
		}
		w.must(p.Flush(ctx))
		w.sleep(ctx, 5*time.Minute)
		n := 0
		for _, name := range names {
			a := live[name]
			n += len(a.tasks.Active)
			*read += len(a.got)
			if a.err != nil || len(a.tasks.Active) < 2 {
				t.Errorf("seed %d: %s has %v, %v", seed, name, a.tasks.Active, a.err)
			}
		}
		got, err := w.c.Admin().CommittedOffsets(ctx, "app")
		for part := range int32(4) {
			if got[tp("a", part)].Offset != int64(sent/4) || err != nil {
				t.Errorf("seed %d: committed %v, %v", seed, got[tp("a", part)], err)
			}
		}
		if g := w.m.StreamsGroups()[0]; n != 8 || g.State != "STABLE" {
			t.Errorf("seed %d: %d tasks assigned; the group is %+v", seed, n, g)
		}
	})
	return w
}

// restarted starts an app's next incarnation.
func restarted(as *apps, old *app) *app {
	name := old.name
	for i := 2; ; i++ {
		if next := fmt.Sprintf("%s %d", name, i); as.starts[next] == 0 {
			as.starts[next]++
			a := as.start(next, nil)
			a.name = name
			return a
		}
	}
}

// TestStreamsCoordinatorCrashesAfterEachRecord crashes the group's coordinator after each record that it appends, before and after it is
// replicated, while members come, give tasks up and go: the group always ends where it ends undisturbed.
func TestStreamsCoordinatorCrashesAfterEachRecord(t *testing.T) {
	for _, after := range []time.Duration{0, 1100 * time.Microsecond} {
		for n := 0; ; n++ {
			w := newWorld(t, 1, simulated.Config{StreamsStandbyReplicas: 1})
			count, what := w.m.CrashAfterRecord("__consumer_offsets", n, after)
			w.run(func(ctx context.Context) {
				w.topic(ctx, "a", 2)
				as := &apps{w: w, owner: map[broker.StreamsTask]string{}, starts: map[string]int{}}
				one, two := as.start("one", nil), as.start("two", nil)
				w.sleep(ctx, 30*time.Second)
				three := as.start("three", nil)
				p := w.producer(ctx, "")
				for i := range 4 {
					w.put(ctx, p, tp("a", int32(i%2)), i, i+1)
					w.sleep(ctx, 10*time.Second)
				}
				one.quit()
				w.sleep(ctx, 2*time.Minute)
				g := w.m.StreamsGroups()
				if len(g) != 1 || g[0].State != "STABLE" || len(g[0].Members) != 2 || len(two.tasks.Active) != 2 || len(three.tasks.Active) != 2 {
					t.Errorf("record %d (%s), after %s: %+v, %+v, %+v", n, *what, after, g, two.tasks, three.tasks)
				}
				got, err := w.c.Admin().CommittedOffsets(ctx, "app")
				if err != nil || got[tp("a", 0)].Offset != 2 || got[tp("a", 1)].Offset != 2 {
					t.Errorf("record %d (%s), after %s: committed %v, %v", n, *what, after, got, err)
				}
			})
			w.k.Close()
			if t.Failed() || n >= *count {
				break
			}
		}
	}
}

// TestTransactionsOfStreamsMembers fences offsets in transactions by the member epoch.
func TestTransactionsOfStreamsMembers(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		as := &apps{w: w, owner: map[broker.StreamsTask]string{}}
		one := as.start("one", nil)
		w.sleep(ctx, 20*time.Second)
		p := w.producer(ctx, "x")
		send := func(change func(*broker.GroupMetadata)) error {
			g := one.m.Metadata()
			change(&g)
			w.must(p.Begin())
			return p.SendOffsets(ctx, g, map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a", 0): {Offset: 7, LeaderEpoch: -1}})
		}
		w.wantCode(send(func(g *broker.GroupMetadata) { g.Generation++ }), "STALE_MEMBER_EPOCH")
		w.must(p.Abort(ctx))
		w.wantCode(send(func(g *broker.GroupMetadata) { g.MemberID = "nobody" }), "UNKNOWN_MEMBER_ID")
		w.must(p.Abort(ctx))
		w.must(send(func(*broker.GroupMetadata) {}))
		w.must(p.Commit(ctx))
		w.sleep(ctx, time.Second)
		if got, err := w.c.Admin().CommittedOffsets(ctx, "app"); err != nil || got[tp("a", 0)].Offset != 7 {
			t.Fatal(got, err)
		}
		before := one.m.Metadata()
		if !w.m.ForceRebalance("app") || !w.m.ExpireSession("app", before.MemberID) || w.m.ExpireSession("app", before.MemberID) {
			t.Fatal("forced or expired not what is there")
		}
		w.sleep(ctx, 20*time.Second)
		if one.m.Metadata().Generation <= before.Generation || !slices.Contains(one.lines, "lost") || len(one.tasks.Active) != 2 {
			t.Fatalf("%+v, was %+v: %q", one.m.Metadata(), before, one.lines)
		}
	})
}
