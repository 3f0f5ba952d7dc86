package brokertest

import (
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var adminCases = []testcase{
	{"admin/a topic that exists is not created again", adminExists},
	{"admin/topics are described", adminDescribe},
	{"admin/a topic's settings are what it was created with", adminConfigs},
	{"admin/a deleted topic is gone", adminDelete},
	{"admin/offsets by time", adminTime},
	{"admin/deleted records move the start", adminDeleteRecords},
	{"admin/offsets of an unknown topic are an error", adminUnknown},
	{"admin/groups are described and deleted", adminGroup},
}

func adminExists(e *Env) {
	topic := e.Topic("t", 1)
	err := e.Cluster().Admin().CreateTopics(e.Ctx, broker.NewTopic{Name: e.Name("fresh"), Partitions: 1, ReplicationFactor: -1},
		broker.NewTopic{Name: topic, Partitions: 1, ReplicationFactor: -1})
	e.Is(err, "create", broker.ErrTopicExists)
	e.Eventually("the other topic is there", func() bool {
		d, err := e.Cluster().Admin().DescribeTopics(e.Ctx, e.Name("fresh"))
		e.Must(err, "describe")
		return len(d) == 1
	})
}

func adminDescribe(e *Env) {
	a, b := e.Topic("a", 3), e.Topic("b", 1)
	found, err := e.Cluster().Admin().DescribeTopics(e.Ctx, a, b, e.Name("nosuch"))
	e.Must(err, "describe")
	if len(found) != 2 || len(found[a].Partitions) != 3 || len(found[b].Partitions) != 1 || found[a].Name != a || found[a].Internal {
		e.Fatalf("described: %+v", found)
	}
	for i, p := range found[a].Partitions {
		if p.Leader < 0 || len(p.Replicas) == 0 || len(p.ISR) == 0 {
			e.Fatalf("partition %d: %+v", i, p)
		}
	}
	all, err := e.Cluster().Admin().DescribeTopics(e.Ctx)
	e.Must(err, "describe all")
	if _, ok := all[a]; !ok {
		e.Fatalf("%s is not among all topics", a)
	}
	if _, ok := all["__consumer_offsets"]; ok {
		e.Fatalf("an internal topic is among all topics")
	}
}

func adminConfigs(e *Env) {
	topic := e.Topic("t", 1, "cleanup.policy", "compact", "segment.bytes", "1048576")
	configs, err := e.Cluster().Admin().TopicConfigs(e.Ctx, topic)
	e.Must(err, "configs")
	if configs["cleanup.policy"] != "compact" || configs["segment.bytes"] != "1048576" {
		e.Fatalf("settings: %v", configs)
	}
}

func adminDelete(e *Env) {
	topic := e.Topic("t", 1)
	e.Must(e.Cluster().Admin().DeleteTopics(e.Ctx, topic), "delete")
	e.Eventually("the topic is gone", func() bool {
		d, err := e.Cluster().Admin().DescribeTopics(e.Ctx, topic)
		e.Must(err, "describe")
		return len(d) == 0
	})
	e.Is(e.Cluster().Admin().DeleteTopics(e.Ctx, topic), "delete again", broker.ErrUnknownTopic)
}

func adminTime(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	for i, ts := range []int64{100, 300, 200, 400} {
		r := keyed(i, 1)
		r[0].Timestamp = ts
		e.Send(p, at, r...)
	}
	for ts, want := range map[int64]int64{0: 0, 100: 0, 101: 1, 200: 1, 300: 1, 301: 3, 400: 3, 401: broker.NoOffset} {
		found, err := e.Cluster().Admin().OffsetsForTime(e.Ctx, ts, at)
		e.Must(err, "offsets for time")
		if found[at] != want {
			e.Fatalf("time %d is at offset %d instead of %d", ts, found[at], want)
		}
	}
}

func adminDeleteRecords(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	for i := range 10 {
		e.Fill(at, i, 1)
	}
	e.Must(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: 4}), "delete records")
	starts, err := e.Cluster().Admin().EarliestOffsets(e.Ctx, at)
	e.Must(err, "earliest offsets")
	if starts[at] != 4 || e.EndOffset(broker.ReadUncommitted, at) != 10 {
		e.Fatalf("start %d, end %d", starts[at], e.EndOffset(broker.ReadUncommitted, at))
	}
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	_, err = c.Poll(e.Ctx, 1, 20*time.Second)
	e.Is(err, "poll below the start", broker.ErrOffsetOutOfRange)
	c.Seek(at, 4)
	e.Values(e.Read(c, 6), "v4", "v5", "v6", "v7", "v8", "v9")
}

func adminUnknown(e *Env) {
	at := tp(e.Name("nosuch"), 0)
	ctx, cancel := e.Main().Host().WithTimeout(e.Ctx, 30*time.Second)
	defer cancel()
	_, err := e.Cluster().Admin().EndOffsets(ctx, broker.ReadUncommitted, at)
	e.Is(err, "end offsets", broker.ErrUnknownTopic)
}

func adminGroup(e *Env) {
	topic := e.Topic("t", 2)
	none, err := e.Cluster().Admin().DescribeGroup(e.Ctx, e.Name("nosuch"))
	e.Must(err, "describe a group that does not exist")
	if none.State != "Dead" || len(none.Members) != 0 {
		e.Fatalf("a group that does not exist: %+v", none)
	}
	m := e.Join("m", memberOptions{topics: []string{topic}})
	m.Owns(2)
	d, err := e.Cluster().Admin().DescribeGroup(e.Ctx, m.group)
	e.Must(err, "describe")
	if d.State != "Stable" || d.Protocol != "roundrobin-test" || len(d.Members) != 1 || len(d.Members[0].Assigned) != 2 {
		e.Fatalf("the group: %+v", d)
	}
	m.Leave()
	e.Eventually("the group is empty", func() bool {
		d, err := e.Cluster().Admin().DescribeGroup(e.Ctx, m.group)
		e.Must(err, "describe")
		return d.State == "Empty" || d.State == "Dead"
	})
	e.Must(e.Cluster().Admin().DeleteGroup(e.Ctx, m.group), "delete")
	d, err = e.Cluster().Admin().DescribeGroup(e.Ctx, m.group)
	e.Must(err, "describe")
	if d.State != "Dead" {
		e.Fatalf("a deleted group: %+v", d)
	}
}
