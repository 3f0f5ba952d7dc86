package simulated_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// spread deals partitions in turn; cooperative, it holds back what another member still owns.
type spread struct {
	cooperative bool
	data        string
}

func (a spread) Name() string      { return "spread" }
func (a spread) Cooperative() bool { return a.cooperative }
func (a spread) UserData() []byte  { return []byte(a.data) }

func (a spread) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	owner := map[broker.TopicPartition]string{}
	out := map[string]broker.Assignment{}
	for _, m := range g.Members {
		for _, tp := range m.Owned {
			owner[tp] = m.MemberID
		}
		out[m.MemberID] = broker.Assignment{UserData: slices.Concat([]byte("for "), m.UserData)}
	}
	n := 0
	for _, topic := range g.Members[0].Topics {
		for i := range g.Partitions[topic] {
			id := g.Members[n%len(g.Members)].MemberID
			n++
			p := tp(topic, i)
			if o := owner[p]; a.cooperative && o != "" && o != id {
				continue
			}
			as := out[id]
			as.Partitions = append(as.Partitions, p)
			out[id] = as
		}
	}
	return out, nil
}

// diary writes down what a listener is told, and commits on Revoked when it has a member.
type diary struct {
	lines   []string
	owned   []broker.TopicPartition
	userdat string
}

func (d *diary) note(what string, tps []broker.TopicPartition) {
	s := what
	for _, p := range tps {
		s += fmt.Sprintf(" %d", p.Partition)
	}
	d.lines = append(d.lines, s)
}

func (d *diary) Revoked(_ context.Context, tps []broker.TopicPartition) { d.note("revoked", tps) }
func (d *diary) Lost(_ context.Context, tps []broker.TopicPartition) {
	d.note("lost", tps)
	d.owned = nil
}
func (d *diary) Assigned(_ context.Context, full broker.Assignment, added []broker.TopicPartition) {
	d.note("assigned", added)
	d.owned, d.userdat = full.Partitions, string(full.UserData)
}

// worker is a process with one member that polls until it is stopped, and commits what it has polled.
type worker struct {
	p      *sim.Process
	d      diary
	m      broker.Member
	got    map[string]int
	err    error
	commit bool
}

func (w *world) worker(name string, cfg broker.MemberConfig) *worker {
	wk := &worker{p: w.k.NewProcess(name, nil), got: map[string]int{}, commit: true}
	c := w.m.Client(wk.p)
	cfg.Group, cfg.Topics, cfg.Listener, cfg.ClientID = "g", []string{"a"}, &wk.d, name
	cfg.Reset = broker.ResetEarliest
	wk.p.Go("poll", func(ctx context.Context) {
		wk.m, wk.err = c.JoinGroup(ctx, cfg)
		for wk.err == nil && ctx.Err() == nil {
			wk.err = wk.poll(ctx)
		}
	})
	return wk
}

func (wk *worker) poll(ctx context.Context) error {
	batches, err := wk.m.Poll(ctx, 100, -1)
	if err != nil {
		return err
	}
	offsets := map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, b := range batches {
		for _, r := range b.Records {
			wk.got[string(r.Value)]++
		}
		offsets[b.TopicPartition] = broker.OffsetAndMetadata{Offset: b.Next, LeaderEpoch: -1}
	}
	if len(offsets) > 0 && wk.commit {
		_ = wk.m.Commit(ctx, offsets) // a rebalance may be in the way: the records come again
	}
	return nil
}

func (w *world) sleep(ctx context.Context, d time.Duration) { w.must(w.main.Sleep(ctx, d)) }

func TestGroupSharesAndRebalances(t *testing.T) {
	for _, cooperative := range []bool{false, true} {
		t.Run(fmt.Sprintf("cooperative=%v", cooperative), func(t *testing.T) {
			w := newWorld(t, 3, simulated.Config{})
			w.run(func(ctx context.Context) {
				w.topic(ctx, "a", 4)
				cfg := broker.MemberConfig{Assignor: spread{cooperative, "hello"}}
				one := w.worker("one", cfg)
				w.sleep(ctx, 10*time.Second)
				if len(one.d.owned) != 4 || one.d.userdat != "for hello" {
					t.Fatalf("one has %v, %q", one.d.owned, one.d.userdat)
				}
				two := w.worker("two", cfg)
				w.sleep(ctx, 10*time.Second)
				if len(one.d.owned) != 2 || len(two.d.owned) != 2 {
					t.Fatalf("one has %v, two %v; %v", one.d.owned, two.d.owned, one.d.lines)
				}
				p := w.producer(ctx, "")
				for i := range 4 {
					w.must(p.Send(ctx, tp("a", int32(i)), values(i, i+1), nil))
				}
				w.must(p.Flush(ctx))
				w.sleep(ctx, time.Second)
				if len(one.got) != 2 || len(two.got) != 2 {
					t.Fatalf("one got %v, two %v", one.got, two.got)
				}
				two.p.Kill()
				w.sleep(ctx, 70*time.Second)
				if len(one.d.owned) != 4 {
					t.Fatalf("after a crash one has %v; %v", one.d.owned, one.d.lines)
				}
				if len(one.got) != 2 || one.err != nil {
					t.Fatalf("one got %v again, %v", one.got, one.err)
				}
			})
		})
	}
}

func TestZombieMemberLosesAndRejoins(t *testing.T) {
	w := newWorld(t, 3, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		cfg := broker.MemberConfig{Assignor: spread{cooperative: true}}
		one, two := w.worker("one", cfg), w.worker("two", cfg)
		w.sleep(ctx, 10*time.Second)
		one.p.Pause()
		w.sleep(ctx, 60*time.Second)
		if len(two.d.owned) != 2 {
			t.Fatalf("two has %v", two.d.owned)
		}
		one.p.Resume()
		w.sleep(ctx, 20*time.Second)
		if len(one.d.owned) != 1 || len(two.d.owned) != 1 || !slices.ContainsFunc(one.d.lines, func(s string) bool { return s[:4] == "lost" }) {
			t.Fatalf("one has %v (%v), two %v", one.d.owned, one.d.lines, two.d.owned)
		}
	})
}

// slowLeader takes its time for the first assignment.
type slowLeader struct {
	spread
	p     *sim.Process
	slept *bool
}

func (a slowLeader) Assign(ctx context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	if !*a.slept {
		*a.slept = true
		if err := a.p.Sleep(ctx, time.Minute); err != nil {
			return nil, err
		}
	}
	return a.spread.Assign(ctx, g)
}

func TestLeaderThatDoesNotSyncIsExpelled(t *testing.T) {
	w := newWorld(t, 3, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		slept := false
		cfg := broker.MemberConfig{Assignor: slowLeader{spread{cooperative: true}, w.main, &slept}, RebalanceTimeout: 20 * time.Second, SessionTimeout: 10 * time.Second}
		d := &diary{}
		cfg.Group, cfg.Topics, cfg.Listener, cfg.ClientID = "g", []string{"a"}, d, "slow"
		cfg.Reset = broker.ResetEarliest
		m, err := w.c.JoinGroup(ctx, cfg)
		w.must(err)
		for i := range 8 {
			if _, err := m.Poll(ctx, 10, 10*time.Second); err != nil {
				t.Fatalf("poll %d: %v", i, err)
			}
		}
		if len(d.owned) != 2 || !slept {
			t.Fatalf("owns %v", d.owned)
		}
		expelled := slices.ContainsFunc(w.trace.Events(), func(e trace.Event) bool { return e.Kind == "group.expel" })
		if !expelled {
			t.Fatal("the leader was not expelled in the meantime")
		}
	})
}

func TestStaticMembersKeepTheirPlaces(t *testing.T) {
	w := newWorld(t, 3, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 4)
		cfg := func(id string) broker.MemberConfig {
			return broker.MemberConfig{Assignor: spread{cooperative: true}, InstanceID: id, RebalanceTimeout: 20 * time.Second}
		}
		one, two := w.worker("one", cfg("i1")), w.worker("two", cfg("i2"))
		w.sleep(ctx, 10*time.Second)
		generation, owned := two.m.Metadata().Generation, slices.Clone(one.d.owned)
		one.p.Kill()
		w.sleep(ctx, 5*time.Second)
		again := w.worker("one", cfg("i1"))
		w.sleep(ctx, 10*time.Second)
		if two.m.Metadata().Generation != generation || !slices.Equal(again.d.owned, owned) || len(owned) != 2 {
			t.Fatalf("generation %d, was %d; %v, was %v", two.m.Metadata().Generation, generation, again.d.owned, owned)
		}
	})
}
