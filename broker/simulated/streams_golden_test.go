package simulated

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// TestStreamsCoordinator talks to the coordinator of a streams group, heartbeat by heartbeat. The commands:
//
//	cluster [standbys=n] [delay=d] [interval=d] [session=d]   a new cluster
//	topics a=3 b=2 ..., delete a                              make or delete topics; a=5 of one that exists adds partitions
//	topology [epoch=n]                                        what members say when they join; a line a sub-topology:
//	                                                          id sources=.. repartition=r:n sinks=.. changelogs=.. copartition=a+b,..
//	join m [process=p] [instance=i] [endpoint=e]              a heartbeat with epoch 0
//	beat m [keep] [epoch=n] [shutdown] [offsets=0_1:50,..]    a heartbeat: it owns what it was told last; with keep what it had before
//	leave m [static]                                          a heartbeat with epoch -1 or -2
//	commit m [epoch=n]                                        an offset commit
//	wait d, failover, describe
func TestStreamsCoordinator(t *testing.T) {
	datadriven.Walk(t, "testdata/streams", func(t *testing.T, path string) {
		w := &streamsTalk{t: t}
		defer func() {
			if w.k != nil {
				w.k.Close()
			}
		}()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return w.command(d) })
	})
}

type streamsTalk struct {
	t        *testing.T
	k        *sim.Kernel
	m        *Model
	topology broker.StreamsTopology
	epochs   map[string]int32
	told     map[string]broker.StreamsTasks
	had      map[string]broker.StreamsTasks
	instance map[string]string
}

func arg(d *datadriven.TestData, key, otherwise string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) > 0 {
			return strings.Join(a.Vals, ",")
		}
	}
	return otherwise
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *streamsTalk) command(d *datadriven.TestData) string {
	switch d.Cmd {
	case "cluster":
		w.k = sim.New(sim.Config{Seed: 1})
		w.m = New(w.k, Config{
			StreamsStandbyReplicas:       number(w.t, arg(d, "standbys", "0")),
			StreamsInitialRebalanceDelay: duration(w.t, arg(d, "delay", "-1s")),
			StreamsAssignmentInterval:    duration(w.t, arg(d, "interval", "1ns")),
			StreamsSessionTimeout:        duration(w.t, arg(d, "session", "45s")),
		})
		w.epochs, w.told, w.had, w.instance = map[string]int32{}, map[string]broker.StreamsTasks{}, map[string]broker.StreamsTasks{}, map[string]string{}
	case "topics":
		for _, a := range d.CmdArgs {
			n := int32(number(w.t, a.Vals[0]))
			if c, _ := w.m.createTopic(broker.NewTopic{Name: a.Key, Partitions: n}); c == codeTopicExists {
				if c, text := w.m.addPartitions(a.Key, n); c != codeNone {
					return text
				}
			}
		}
	case "delete":
		w.m.deleteTopic(d.CmdArgs[0].Key)
	case "topology":
		w.topology = parseTopology(w.t, d)
	case "wait":
		if err := w.k.RunUntil(w.k.Now().Add(duration(w.t, d.CmdArgs[0].Key))); err != nil {
			return err.Error()
		}
	case "failover":
		l := w.m.groupLog("g")
		if err := w.m.MoveLeader(l.tp, int(l.set.leader)%3+1); err != nil {
			return err.Error()
		}
	case "describe":
		return describeTalk(w.m.groupLog("g").state.(*groupCoordinator).describeStreams("g"))
	case "commit":
		return w.commit(d)
	case "join", "beat", "leave":
		return w.beat(d)
	default:
		w.t.Fatalf("unknown command %s", d.Cmd)
	}
	return ""
}

func (w *streamsTalk) call(req any) any {
	l := w.m.groupLog("g")
	var resp any
	l.node().handle("test", req, func(r any, _ int) { resp = r })
	if err := w.k.RunUntil(w.k.Now().Add(10 * time.Millisecond)); err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func (w *streamsTalk) commit(d *datadriven.TestData) string {
	id := d.CmdArgs[0].Key
	epoch := int32(number(w.t, arg(d, "epoch", fmt.Sprint(w.epochs[id]))))
	r := &offsetCommitRequest{group: "g", member: id, generation: epoch, tps: []broker.TopicPartition{{Topic: "a"}}, offsets: make([]broker.OffsetAndMetadata, 1)}
	if c := w.call(r).(*offsetCommitResponse).code; c != codeNone {
		return codes[c].name
	}
	return "committed"
}

func (w *streamsTalk) beat(d *datadriven.TestData) string {
	id := d.CmdArgs[0].Key
	owned := w.told[id]
	if d.HasArg("keep") {
		owned = w.had[id]
	}
	if d.Cmd == "join" {
		owned = broker.StreamsTasks{}
		w.instance[id] = arg(d, "instance", "")
	}
	r := &streamsHeartbeatRequest{group: "g", member: id, instance: w.instance[id], owned: &owned, shutdown: d.HasArg("shutdown"), endpoints: -1}
	r.epoch = int32(number(w.t, arg(d, "epoch", fmt.Sprint(w.epochs[id]))))
	switch {
	case d.Cmd == "join":
		topology := w.topology
		r.epoch, r.topology, r.process, r.endpoint = joinEpoch, &topology, arg(d, "process", "process-"+id), arg(d, "endpoint", "")
		r.rebalanceTimeout = time.Minute
	case d.HasArg("static"):
		r.epoch = leaveStaticEpoch
	case d.Cmd == "leave":
		r.epoch = leaveEpoch
	}
	for _, o := range strings.FieldsFunc(arg(d, "offsets", ""), func(r rune) bool { return r == ',' }) {
		task, at, _ := strings.Cut(o, ":")
		sub, part, _ := strings.Cut(task, "_")
		r.offsets = append(r.offsets, broker.StreamsTaskOffset{
			Task: broker.StreamsTask{Subtopology: sub, Partition: int32(number(w.t, part))}, Offset: int64(number(w.t, at)),
		})
	}
	resp := w.call(r).(*streamsHeartbeatResponse)
	if resp.code != codeNone {
		return codes[resp.code].name + ": " + resp.text
	}
	if r.epoch >= 0 {
		w.epochs[id], w.had[id], w.told[id] = resp.epoch, w.told[id], resp.tasks
		if d.HasArg("keep") {
			w.had[id] = owned
		}
	}
	return answerTalk(resp)
}

func answerTalk(r *streamsHeartbeatResponse) string {
	var b strings.Builder
	fmt.Fprintf(&b, "epoch %d%s\n", r.epoch, tasksTalk(r.tasks))
	for _, s := range r.status {
		fmt.Fprintf(&b, "%s: %s\n", s.Code, s.Detail)
	}
	for _, e := range r.endpoints {
		fmt.Fprintf(&b, "%s: active %v standby %v\n", e.Endpoint, e.Active, e.Standby)
	}
	return b.String()
}

func tasksTalk(t broker.StreamsTasks) string {
	out := ""
	for _, x := range []struct {
		role  string
		tasks []broker.StreamsTask
	}{{"active", t.Active}, {"standby", t.Standby}, {"warm-up", t.Warmup}} {
		if len(x.tasks) > 0 {
			out += fmt.Sprintf(" %s %v", x.role, x.tasks)
		}
	}
	return out
}

func describeTalk(g broker.StreamsGroupDescription) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s epoch %d target %d topology %d\n", g.State, g.Epoch, g.AssignmentEpoch, g.TopologyEpoch)
	for _, m := range g.Members {
		fmt.Fprintf(&b, "%s %s epoch %d%s\n", m.MemberID, m.State, m.Epoch, tasksTalk(m.Assigned))
	}
	return b.String()
}

func parseTopology(t *testing.T, d *datadriven.TestData) broker.StreamsTopology {
	topo := broker.StreamsTopology{Epoch: int32(number(t, arg(d, "epoch", "0")))}
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		s := broker.StreamsSubtopology{ID: f[0]}
		for _, p := range f[1:] {
			key, list, _ := strings.Cut(p, "=")
			for _, v := range strings.Split(list, ",") {
				name, n, fixed := strings.Cut(v, ":")
				x := broker.StreamsTopic{Name: name}
				if fixed {
					x.Partitions = int32(number(t, n))
				}
				switch key {
				case "sources":
					s.SourceTopics = append(s.SourceTopics, name)
				case "repartition":
					s.RepartitionSources = append(s.RepartitionSources, x)
				case "sinks":
					s.RepartitionSinks = append(s.RepartitionSinks, name)
				case "changelogs":
					s.Changelogs = append(s.Changelogs, x)
				case "copartition":
					s.Copartition = append(s.Copartition, strings.Split(v, "+"))
				}
			}
		}
		topo.Subtopologies = append(topo.Subtopologies, s)
	}
	return topo
}
