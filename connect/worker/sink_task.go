package worker

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
)

// sinkTask runs one sink task: Kafka's WorkerSinkTask. Everything happens on one thread, rebalances inside the member's Poll too.
type sinkTask struct {
	*taskSetup
	*control
	task      connect.SinkTask
	conv      converterSet
	chain     Chain
	headers   data.HeaderSlab
	tolerance *tolerance
	dead      *deadLetters // nil: none
	errant    *errantReporter
	member    broker.Member
	maxPoll   int

	assigned   map[broker.TopicPartition]int64 // the offset of the first record that came, or NoOffset
	committed  map[broker.TopicPartition]int64
	current    connect.Offsets // of what was put
	staged     connect.Offsets // of what is in pending
	pending    []*connect.Record
	retrying   bool // pending was refused and comes again
	held       map[broker.TopicPartition]bool
	rewinds    map[broker.TopicPartition]int64
	retryAfter time.Duration
	askCommit  bool
	failure    error // of a callback; fails the task after the poll
	nextCommit time.Time
}

// run runs the task from its start to its stop.
func (t *sinkTask) run(ctx context.Context) (err error) {
	defer t.close(&err)
	if err := t.prepare(ctx); err != nil {
		return err
	}
	defer cleanUp("SinkTask.stop", &err, t.task.Stop)
	if err := guarded("SinkTask.start", func() error { return t.task.Start(ctx, (*sinkContext)(t), t.props) }); err != nil {
		return err
	}
	t.control.set(Running)
	t.nextCommit = t.h.Now().Add(t.worker.millis(flushIntervalKey))
	err = t.loop(ctx)
	if ctx.Err() != nil {
		return err
	}
	if e := t.closePartitions(ctx, slices.SortedFunc(maps.Keys(t.assigned), broker.TopicPartition.Compare)); err == nil {
		err = e
	}
	if e := t.member.Leave(ctx); e != nil {
		t.h.Log().Warn("connect: could not leave the group", "task", t.id.String(), "error", e)
	}
	return err
}

// close closes what prepare has made. A panic is the task's failure where it has no other.
func (t *sinkTask) close(err *error) {
	if e := t.chain.Close(); *err == nil {
		*err = e
	}
	if t.member != nil {
		t.member.Close()
	}
	if t.dead != nil {
		t.dead.producer.Close()
	}
	if t.conv.header != nil {
		cleanUp(t.conv.headClass+".close", err, t.conv.header.Close)
	}
}

func (t *sinkTask) prepare(ctx context.Context) (err error) {
	t.assigned, t.committed, t.current, t.staged = map[broker.TopicPartition]int64{}, map[broker.TopicPartition]int64{}, connect.Offsets{}, connect.Offsets{}
	t.held, t.rewinds = map[broker.TopicPartition]bool{}, map[broker.TopicPartition]int64{}
	if f := topicFaults(t.config.Props); len(f) > 0 {
		return config.Invalid(f[0].key, t.config.Props[f[0].key], f[0].message)
	}
	if t.conv, err = t.converters(); err != nil {
		return err
	}
	t.describeConverters(&t.conv)
	if t.chain, err = t.config.Chain(t.h); err != nil {
		return err
	}
	if err := t.prepareErrors(ctx); err != nil {
		return err
	}
	cfg, err := t.memberConfig()
	if err != nil {
		return err
	}
	if t.member, err = t.cluster.JoinGroup(ctx, cfg); err != nil {
		return data.ConnectException.Because(err)
	}
	return nil
}

func (t *sinkTask) prepareErrors(ctx context.Context) (err error) {
	v := t.config.Values
	t.tolerance = newTolerance(t.h, t.control, t.config, t.errors)
	if v.Bool(logErrorsKey) {
		t.tolerance.reporters = append(t.tolerance.reporters, &errorLog{t.h, t.id, v.Bool(logMessagesKey), t.errors})
	}
	if strings.TrimSpace(v.String(dlqTopicKey)) != "" {
		if t.dead, err = newDeadLetters(ctx, t.taskSetup); err != nil {
			return err
		}
		t.tolerance.reporters = append(t.tolerance.reporters, t.dead)
	}
	if len(t.tolerance.reporters) > 0 {
		t.errant = &errantReporter{task: t}
	}
	return nil
}

// subscription are the topics to read, sorted, or, with topics.regex, what tells whether a topic is to be read.
func (t *sinkTask) subscription() (topics []string, matches func(string) bool, err error) {
	pattern := strings.TrimSpace(t.config.Props[topicsRegexKey])
	if pattern == "" {
		topics = topicList(t.config.Props[topicsKey])
		slices.Sort(topics)
		return topics, nil, nil
	}
	x, err := javaregex.Compile(pattern)
	if err != nil {
		return nil, nil, data.ConfigException.Because(err)
	}
	return nil, x.Matches, nil
}

func (t *sinkTask) memberConfig() (broker.MemberConfig, error) {
	topics, matches, err := t.subscription()
	if err != nil {
		return broker.MemberConfig{}, err
	}
	p := t.worker.clientProperties(t.config.Props, "consumer")
	c := broker.MemberConfig{
		ConsumerConfig: broker.ConsumerConfig{ClientID: t.clientID("connector-consumer-"), Reset: broker.ResetEarliest, Properties: p},
		Group:          "connect-" + t.id.Connector, Topics: topics, Matches: matches, Assignor: rangeAssignor{}, Listener: (*sinkListener)(t),
	}
	if g := p["group.id"]; g != "" {
		c.Group = g
	}
	switch v := p["auto.offset.reset"]; v {
	case "", "earliest":
	case "latest":
		c.Reset = broker.ResetLatest
	case "none":
		c.Reset = broker.ResetNone
	default:
		return c, data.ConfigException.Errorf("Invalid value %s for configuration auto.offset.reset: earliest, latest or none is expected", v)
	}
	if p["isolation.level"] == "read_committed" {
		c.Isolation = broker.ReadCommitted
	}
	millis := func(key string) time.Duration {
		if p[key] == "" || err != nil {
			return 0
		}
		var n int64
		n, err = strconv.ParseInt(strings.TrimSpace(p[key]), 10, 64)
		return time.Duration(n) * time.Millisecond
	}
	c.SessionTimeout, c.HeartbeatInterval, c.RebalanceTimeout = millis("session.timeout.ms"), millis("heartbeat.interval.ms"), millis("max.poll.interval.ms")
	t.maxPoll = int(millis("max.poll.records") / time.Millisecond)
	if t.maxPoll <= 0 {
		t.maxPoll = 500
	}
	if err != nil {
		return c, data.ConfigException.Because(err)
	}
	return c, nil
}

func (t *sinkTask) loop(ctx context.Context) error {
	for {
		switch want := t.wanted(); {
		case want == Stopped:
			return nil
		case want == Paused && t.now() != Paused:
			t.member.Pause(t.partitions()...)
			t.control.set(Paused)
			t.askCommit = true
		case want == Running && t.now() == Paused:
			t.resumeAll()
			t.control.set(Running)
		}
		if t.askCommit || !t.h.Now().Before(t.nextCommit) {
			t.askCommit = false
			if err := t.commit(ctx, t.partitions(), false); err != nil {
				return err
			}
			t.nextCommit = t.h.Now().Add(t.worker.millis(flushIntervalKey))
		}
		if err := t.step(ctx); err != nil {
			return err
		}
	}
}

// now is the state that was set last.
func (t *sinkTask) now() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// partitions are those that are assigned, sorted.
func (t *sinkTask) partitions() []broker.TopicPartition {
	return slices.SortedFunc(maps.Keys(t.assigned), broker.TopicPartition.Compare)
}

// step polls once, converts what came, and hands it to the task.
func (t *sinkTask) step(ctx context.Context) error {
	t.rewind()
	wait := max(t.nextCommit.Sub(t.h.Now()), 0)
	if t.retryAfter > 0 {
		wait = min(wait, t.retryAfter)
		t.retryAfter = 0
	}
	want := Running
	if t.now() == Paused {
		want = Paused
	}
	t.blocked(want, t.member.Wakeup)
	batches, err := t.member.Poll(ctx, t.maxPoll, wait)
	t.blocked(want, nil)
	if err == nil {
		err = t.failure
	}
	if err != nil {
		return err
	}
	if t.wanted() == Stopped {
		return nil // what came is not committed, and comes again
	}
	if !t.retrying {
		if err := t.convertBatches(ctx, batches); err != nil {
			return err
		}
	}
	return t.put(ctx)
}

// put hands what is pending to the task.
func (t *sinkTask) put(ctx context.Context) error {
	start := t.h.Now()
	err := guarded("SinkTask.put", func() error { return t.task.Put(ctx, slices.Clone(t.pending)) })
	if err != nil {
		if ctx.Err() == nil && data.ClassOfError(err).Extends(data.RetriableException) {
			t.h.Log().Warn("connect: the task could not put records; trying again", "task", t.id.String(), "error", err)
			t.retrying = true
			t.member.Pause(t.partitions()...)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		return data.ConnectException.Wrap(err, "Exiting WorkerSinkTask due to unrecoverable exception.")
	}
	if t.errant != nil {
		if err := t.errant.rethrow(); err != nil {
			return err
		}
	}
	maps.Copy(t.current, t.staged)
	t.countPut(start, len(t.pending))
	clear(t.staged)
	t.pending = t.pending[:0]
	if t.retrying {
		t.retrying = false
		if t.now() != Paused {
			t.resumeAll()
		}
	}
	return nil
}

func (t *sinkTask) countPut(start time.Time, n int) {
	now := t.h.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &t.metrics
	m.batch.record(now, float64(n))
	m.sent.add(now, n)
	m.putTime.record(now, millis(now.Sub(start)))
	if n > 0 {
		m.active.set(now, t.uncommitted())
	}
}

// resumeAll resumes what neither the task nor a retry holds back.
func (t *sinkTask) resumeAll() {
	if t.retrying {
		return
	}
	for _, tp := range t.partitions() {
		if !t.held[tp] {
			t.member.Resume(tp)
		}
	}
}

// rewind moves positions as the task has asked.
func (t *sinkTask) rewind() {
	for _, tp := range slices.SortedFunc(maps.Keys(t.rewinds), broker.TopicPartition.Compare) {
		if _, ok := t.assigned[tp]; !ok {
			continue
		}
		offset := t.rewinds[tp]
		t.member.Seek(tp, offset)
		t.committed[tp] = offset
		t.current[tp] = broker.OffsetAndMetadata{Offset: offset, LeaderEpoch: -1}
	}
	clear(t.rewinds)
}
