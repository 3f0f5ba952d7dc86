package brokertest

import (
	"strings"
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
	{"admin/a bad name, number or setting is refused", adminBadTopics},
	{"admin/one bad topic does not keep the others from being created", adminCreateSome},
	{"admin/one unknown topic does not keep the others from being deleted", adminDeleteSome},
	{"admin/a topic that is created again is empty", adminRecreate},
	{"admin/settings that were not given are the defaults", adminDefaults},
	{"admin/settings of an unknown topic are an error", adminConfigsUnknown},
	{"admin/an empty partition begins and ends at 0, at all times", adminEmpty},
	{"admin/records deleted up to the end leave nothing", adminDeleteAll},
	{"admin/records beyond the end cannot be deleted", adminDeleteBeyond},
	{"admin/records deleted below the start are nothing", adminDeleteBelow},
	{"admin/offsets by time pass what was deleted", adminTimeDeleted},
	{"admin/a group with members is not deleted", adminGroupBusy},
	{"admin/a described member has its name and partitions", adminMember},
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

func adminBadTopics(e *Env) {
	for what, topic := range map[string]broker.NewTopic{
		"a name with a space":    {Name: e.Name("no spaces"), Partitions: 1},
		"a name of two dots":     {Name: "..", Partitions: 1},
		"a long name":            {Name: e.Name(strings.Repeat("x", 250)), Partitions: 1},
		"a negative number":      {Name: e.Name("a"), Partitions: -2},
		"too many replicas":      {Name: e.Name("b"), Partitions: 1, ReplicationFactor: 9},
		"an unknown setting":     {Name: e.Name("c"), Partitions: 1, Configs: map[string]string{"retention.mss": "1"}},
		"a setting of nonsense":  {Name: e.Name("d"), Partitions: 1, Configs: map[string]string{"retention.ms": "soon"}},
		"a setting out of range": {Name: e.Name("f"), Partitions: 1, Configs: map[string]string{"min.insync.replicas": "0"}},
	} {
		e.Is(e.Cluster().Admin().CreateTopics(e.Ctx, topic), what, broker.ErrFatal)
	}
	found, err := e.Cluster().Admin().DescribeTopics(e.Ctx, e.Name("a"), e.Name("b"), e.Name("c"), e.Name("d"), e.Name("f"))
	e.Must(err, "describe")
	if len(found) != 0 {
		e.Fatalf("created: %v", found)
	}
}

func adminCreateSome(e *Env) {
	err := e.Cluster().Admin().CreateTopics(e.Ctx, broker.NewTopic{Name: e.Name("one"), Partitions: 1},
		broker.NewTopic{Name: e.Name("no good"), Partitions: 1}, broker.NewTopic{Name: e.Name("two"), Partitions: 2})
	e.Is(err, "create", broker.ErrFatal)
	e.Eventually("the good ones are there", func() bool {
		found, err := e.Cluster().Admin().DescribeTopics(e.Ctx, e.Name("one"), e.Name("two"))
		e.Must(err, "describe")
		return len(found) == 2
	})
}

func adminDeleteSome(e *Env) {
	one, two := e.Topic("one", 1), e.Topic("two", 1)
	e.Is(e.Cluster().Admin().DeleteTopics(e.Ctx, one, e.Name("nosuch"), two), "delete", broker.ErrUnknownTopic)
	e.Eventually("the others are gone", func() bool {
		found, err := e.Cluster().Admin().DescribeTopics(e.Ctx, one, two)
		e.Must(err, "describe")
		return len(found) == 0
	})
}

func adminRecreate(e *Env) {
	topic := e.Topic("t", 2)
	e.Fill(tp(topic, 0), 0, 5)
	e.Must(e.Cluster().Admin().DeleteTopics(e.Ctx, topic), "delete")
	e.Eventually("it can be created again", func() bool {
		return e.Cluster().Admin().CreateTopics(e.Ctx, broker.NewTopic{Name: topic, Partitions: 3}) == nil
	})
	again := e.Start("again") // a process that has never seen the old one
	e.Do(again, "again", func(e *Env) {
		e.Eventually("the new one is there", func() bool {
			ends, err := e.Cluster().Admin().EndOffsets(e.Ctx, broker.ReadUncommitted, tp(topic, 0), tp(topic, 2))
			return err == nil && ends[tp(topic, 0)] == 0
		})
		e.Fill(tp(topic, 0), 10, 1)
		c := e.Consumer(broker.ReadUncommitted, tp(topic, 0))
		defer c.Close()
		e.Values(e.Read(c, 1), "v10")
	})
}

func adminDefaults(e *Env) {
	configs, err := e.Cluster().Admin().TopicConfigs(e.Ctx, e.Topic("t", 1, "retention.ms", "5000"))
	e.Must(err, "configs")
	for name, want := range map[string]string{"cleanup.policy": "delete", "retention.ms": "5000", "message.timestamp.type": "CreateTime",
		"max.message.bytes": "1048588", "retention.bytes": "-1", "min.compaction.lag.ms": "0"} {
		if configs[name] != want {
			e.Fatalf("%s is %q instead of %q", name, configs[name], want)
		}
	}
}

func adminConfigsUnknown(e *Env) {
	_, err := e.Cluster().Admin().TopicConfigs(e.Ctx, e.Name("nosuch"))
	e.Is(err, "configs", broker.ErrUnknownTopic)
}

func adminEmpty(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	starts, err := e.Cluster().Admin().EarliestOffsets(e.Ctx, at)
	e.Must(err, "earliest offsets")
	found, err := e.Cluster().Admin().OffsetsForTime(e.Ctx, 0, at)
	e.Must(err, "offsets for time")
	if starts[at] != 0 || e.EndOffset(broker.ReadUncommitted, at) != 0 || e.EndOffset(broker.ReadCommitted, at) != 0 || found[at] != broker.NoOffset {
		e.Fatalf("start %d, end %d, by time %d", starts[at], e.EndOffset(broker.ReadUncommitted, at), found[at])
	}
}

// deletable makes a partition of ten records, each in a batch of its own.
func (e *Env) deletable() broker.TopicPartition {
	e.T.Helper()
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	for i := range 10 {
		e.Send(p, to, keyed(i, 1)...)
	}
	return to
}

func (e *Env) start(of broker.TopicPartition) int64 {
	e.T.Helper()
	starts, err := e.Cluster().Admin().EarliestOffsets(e.Ctx, of)
	e.Must(err, "earliest offsets")
	return starts[of]
}

func adminDeleteAll(e *Env) {
	at := e.deletable()
	e.Must(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: 10}), "delete records")
	if start, end := e.start(at), e.EndOffset(broker.ReadUncommitted, at); start != 10 || end != 10 {
		e.Fatalf("start %d, end %d", start, end)
	}
	e.Fill(at, 10, 1)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 10}), "assign")
	e.Values(e.Read(c, 1), "v10")
}

func adminDeleteBeyond(e *Env) {
	at := e.deletable()
	e.Is(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: 11}), "delete records", broker.ErrOffsetOutOfRange)
	if start := e.start(at); start != 0 {
		e.Fatalf("start %d", start)
	}
}

func adminDeleteBelow(e *Env) {
	at := e.deletable()
	for _, before := range []int64{5, 3, 0} {
		e.Must(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: before}), "delete records")
		if start := e.start(at); start != 5 {
			e.Fatalf("start %d", start)
		}
	}
}

func adminTimeDeleted(e *Env) {
	at := e.deletable() // timestamps 1000 to 1009
	e.Must(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: 4}), "delete records")
	for ts, want := range map[int64]int64{0: 4, 1002: 4, 1004: 4, 1006: 6, 1010: broker.NoOffset} {
		found, err := e.Cluster().Admin().OffsetsForTime(e.Ctx, ts, at)
		e.Must(err, "offsets for time")
		if found[at] != want {
			e.Fatalf("time %d is at offset %d instead of %d", ts, found[at], want)
		}
	}
}

func adminGroupBusy(e *Env) {
	m := e.Join("m", memberOptions{topics: []string{e.Topic("t", 1)}})
	m.Owns(1)
	e.Is(e.Cluster().Admin().DeleteGroup(e.Ctx, m.group), "delete a group with members", broker.ErrFatal)
	m.Leave()
}

func adminMember(e *Env) {
	topic := e.Topic("t", 2)
	m := e.Join("m", memberOptions{topics: []string{topic}, instance: "i7"})
	m.Owns(2)
	d, err := e.Cluster().Admin().DescribeGroup(e.Ctx, m.group)
	e.Must(err, "describe")
	if len(d.Members) != 1 {
		e.Fatalf("the group: %+v", d)
	}
	if got := d.Members[0]; got.ClientID != "m" || got.InstanceID != "i7" || got.MemberID == "" || len(got.Assigned) != 2 || got.Assigned[1] != tp(topic, 1) {
		e.Fatalf("the member: %+v", got)
	}
	m.Leave()
}
