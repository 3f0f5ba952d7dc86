package assign_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/assign"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// TestPlacements replays testdata: who gets what when members come and go. Commands:
//
//	topology           a new group; the input is the topology's lines, and "partitions <topic> <n>" lines for its sources
//	exists             topics that are on the cluster already: "<topic> <n>" lines
//	join, leave        client=A threads=2; member=A-1
//	restore on=true    from now on, new tasks stay in restoration until the next round
//	rebalance          one round
//	settle             rounds until nobody asks for another
func TestPlacements(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var g *group
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "topology":
				var err error
				if g, err = parseGroup(d.Input); err != nil {
					return err.Error() + "\n"
				}
				return ""
			case "exists":
				for _, line := range strings.Split(d.Input, "\n") {
					var topic string
					var n int32
					fmt.Sscan(line, &topic, &n)
					g.admin.topics[topic] = n
				}
				return ""
			case "join":
				var client string
				threads := 1
				d.ScanArgs(t, "client", &client)
				d.MaybeScanArgs(t, "threads", &threads)
				g.join(client, threads)
				return ""
			case "leave":
				var member string
				d.ScanArgs(t, "member", &member)
				g.leave(member)
				return ""
			case "restore":
				d.ScanArgs(t, "on", &g.restoring)
				return ""
			case "rebalance":
				r, err := g.rebalance()
				return g.show(r, err)
			case "settle":
				r, n, err := g.settle()
				return fmt.Sprintf("rounds: %d\n", n) + g.show(r, err)
			}
			return "unknown command " + d.Cmd
		})
	})
}

func parseGroup(text string) (*group, error) {
	partitions := map[string]int32{}
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(line, "partitions "); ok {
			var topic string
			var n int32
			fmt.Sscan(rest, &topic, &n)
			partitions[topic] = n
		} else {
			lines = append(lines, line)
		}
	}
	top, err := build(strings.Join(lines, "\n"))
	if err != nil {
		return nil, err
	}
	return newGroup(top, partitions), nil
}

// show renders a round: the topics that the leader made, its log, and each member's share.
func (g *group) show(r *result, err error) string {
	var b strings.Builder
	for _, t := range g.admin.made {
		fmt.Fprintf(&b, "made %s: %d partitions", t.Name, t.Partitions)
		for _, k := range slices.Sorted(maps.Keys(t.Configs)) {
			fmt.Fprintf(&b, " %s=%s", k, t.Configs[k])
		}
		b.WriteString("\n")
	}
	g.admin.made = nil
	b.WriteString(g.log.String())
	g.log.Reset()
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
		return b.String()
	}
	for _, m := range g.members {
		fmt.Fprintf(&b, "%s:", m.id)
		info := r.info[m.id]
		if info.Code != assign.ErrNone {
			fmt.Fprintf(&b, " code %d\n", info.Code)
			continue
		}
		for _, id := range slices.SortedFunc(maps.Keys(r.tasks[m.id]), processor.TaskID.Compare) {
			fmt.Fprintf(&b, " %s%v", id, r.tasks[m.id][id])
		}
		if info.NextRebalance == 0 {
			b.WriteString(" and come back at once")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestLeaderWaitsForLeadersAndTriesAgain(t *testing.T) {
	top := mustBuild(t, "sub in stores s")
	g := newGroup(top, map[string]int32{"in": 2})
	g.admin.failures = []error{broker.ErrTimeout, fmt.Errorf("race: %w", broker.ErrTopicExists)}
	g.admin.leaderless = 2
	g.join("A", 1)
	r, err := g.rebalance()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.tasks["A-1"]); n != 2 {
		t.Errorf("%d tasks, want 2; log:\n%s", n, g.log)
	}
	g.admin.failures = []error{broker.ErrFatal}
	delete(g.admin.topics, "app-s-changelog")
	r, err = g.rebalance()
	if err != nil {
		t.Fatal(err)
	}
	if code := r.info["A-1"].Code; code != assign.ErrAssignment {
		t.Errorf("code %d, want %d: the topic cannot be made", code, assign.ErrAssignment)
	}
}

func TestAMemberThatCannotBeReadFailsTheAssignment(t *testing.T) {
	g := newGroup(mustBuild(t, "sub in"), map[string]int32{"in": 1})
	g.join("A", 1)
	_, err := g.members[0].a.Assign(t.Context(), broker.GroupSubscription{Members: []broker.Subscription{{MemberID: "x", UserData: []byte{0, 0, 0, 9, 0, 0, 0, 11}}}})
	if want := "member x: streams: subscription of version 9: versions 10 to 11 can be read"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestOlderGenerationOwnsNothing: a zombie that comes back with an old claim does not keep its partitions from their new owner.
func TestOlderGenerationOwnsNothing(t *testing.T) {
	g := newGroup(mustBuild(t, "sub in"), map[string]int32{"in": 2})
	g.join("A", 1)
	g.join("B", 1)
	if _, _, err := g.settle(); err != nil {
		t.Fatal(err)
	}
	zombie := *g.members[1]
	g.leave("B-1")
	if _, _, err := g.settle(); err != nil {
		t.Fatal(err)
	}
	g.members = append(g.members, &zombie)
	before := slices.Clone(g.members[0].owned)
	if len(before) != 2 || len(zombie.owned) != 1 {
		t.Fatalf("A has %v, the zombie claims %v", before, zombie.owned)
	}
	r, err := g.rebalance()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.parts["B-1"]) > 0 || r.info["B-1"].NextRebalance != 0 {
		t.Errorf("B gets %v at once, which A has not given up", r.parts["B-1"])
	}
}

// TestPlacementProperties lets random groups change at random and checks what must always hold.
func TestPlacementProperties(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		text, partitions := randomTopology(r)
		g := newGroup(mustBuild(t, text), partitions)
		g.restoring = r.IntN(2) == 0
		total := 0
		for step := range 12 {
			change(g, r, step)
			res, rounds, err := g.settle()
			if err != nil {
				t.Fatalf("seed %d step %d: %v\n%s", seed, step, err, g.log)
			}
			if rounds > 3 {
				t.Errorf("seed %d step %d: %d rounds", seed, step, rounds)
			}
			n := checkWhole(t, g, res)
			if total == 0 {
				total = n
			}
			if n != total {
				t.Errorf("seed %d step %d: %d tasks, there were %d", seed, step, n, total)
			}
			again, err := g.rebalance()
			if err != nil {
				t.Fatal(err)
			}
			if again.moved > 0 || again.again {
				t.Errorf("seed %d step %d: %d tasks moved although nothing changed", seed, step, again.moved)
			}
			if t.Failed() {
				t.Fatalf("seed %d step %d:\n%s", seed, step, g.show(res, nil))
			}
		}
	}
}

func randomTopology(r *rand.Rand) (string, map[string]int32) {
	partitions := map[string]int32{}
	var lines []string
	for i := range 1 + r.IntN(3) {
		line := fmt.Sprintf("sub in%d", i)
		partitions[fmt.Sprint("in", i)] = int32(1 + r.IntN(9))
		if r.IntN(2) == 0 {
			lines = append(lines, fmt.Sprintf("repartition r%d", i), fmt.Sprintf("sub r%d stores s%d", i, i))
			line += fmt.Sprintf(" -> r%d", i)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), partitions
}

func change(g *group, r *rand.Rand, step int) {
	process := string(rune('A' + r.IntN(5)))
	switch {
	case step == 0 || r.IntN(3) > 0 && len(g.members) < 12:
		g.join(process, 1+r.IntN(3))
	case len(g.members) > 1:
		g.leave(g.members[r.IntN(len(g.members))].id)
	}
}

// checkWhole checks a settled group: every task once, with all its partitions, and clients and threads balanced. It returns the number of tasks.
func checkWhole(t *testing.T, g *group, r *result) int {
	t.Helper()
	owner := map[processor.TaskID]string{}
	perClient, threads := map[string]int{}, map[string]int{}
	for _, m := range g.members {
		client := m.id[:1]
		threads[client]++
		perClient[client] += len(r.tasks[m.id])
		for id, tps := range r.tasks[m.id] {
			if other, ok := owner[id]; ok {
				t.Errorf("task %s belongs to %s and %s", id, other, m.id)
			}
			owner[id] = m.id
			for _, tp := range tps {
				if tp.Partition != id.Partition {
					t.Errorf("task %s reads %s", id, tp)
				}
			}
		}
	}
	for _, m := range g.members {
		for _, o := range g.members {
			mine, others := len(r.tasks[m.id]), len(r.tasks[o.id])
			if m.id[0] == o.id[0] && mine > others+1 {
				t.Errorf("thread %s has %d tasks, %s of the same client %d", m.id, mine, o.id, others)
			}
			a, b := m.id[:1], o.id[:1]
			// moving a task from a to b must not help
			if perClient[a]*threads[b] > (perClient[b]+1)*threads[a] {
				t.Errorf("client %s has %d tasks on %d threads, %s has %d on %d", a, perClient[a], threads[a], b, perClient[b], threads[b])
			}
		}
	}
	return len(owner)
}
