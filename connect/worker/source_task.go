package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// sourceTask runs one source task at least once: Kafka's WorkerSourceTask. Everything happens on one thread; offsets are committed between
// two polls, which end when a commit is due.
type sourceTask struct {
	*taskSetup
	*control
	task      connect.SourceTask
	conv      converterSet
	offsets   *offsetReader
	chain     Chain
	tolerance *tolerance
	producer  broker.Producer
	topics    *topics
	submitted *submitted
	keys      *json.Converter
	groups    []*group
	refused   []*group // for a record that is too large
	sendErr   error    // of an acknowledgement; fails the task
	nextFlush time.Time
}

// group is what goes to one partition of Kafka in one Send.
type group struct {
	tp      broker.TopicPartition
	records []broker.Record
	sources []*connect.Record // as Poll returned them
	runs    []*run
}

// run runs the task from its start to its stop.
func (t *sourceTask) run(ctx context.Context) (err error) {
	defer t.close(&err)
	if err := t.prepare(ctx); err != nil {
		return err
	}
	defer cleanUp("SourceTask.stop", &err, t.task.Stop)
	start := func() error { return t.task.Start(ctx, &sourceContext{props: t.props, offsets: t.offsets}, t.props) }
	if err := guarded("SourceTask.start", start); err != nil {
		return err
	}
	t.control.set(Running)
	t.nextFlush = t.h.Now().Add(t.worker.millis(flushIntervalKey))
	err = t.loop(ctx)
	if ctx.Err() == nil {
		if e := t.commit(ctx); err == nil {
			err = e
		}
	}
	return err
}

// close closes what prepare has made. A panic is the task's failure where it has no other.
func (t *sourceTask) close(err *error) {
	if t.conv.header != nil {
		cleanUp(t.conv.headClass+".close", err, t.conv.header.Close)
	}
	if e := t.chain.Close(); *err == nil {
		*err = e
	}
	if t.producer != nil {
		t.producer.Close()
	}
}

func (t *sourceTask) prepare(ctx context.Context) (err error) {
	if t.conv, err = t.converters(); err != nil {
		return err
	}
	t.describeConverters(&t.conv)
	if t.chain, err = t.config.Chain(t.h); err != nil {
		return err
	}
	if t.keys, err = newOffsetConverter(); err != nil {
		return err
	}
	if t.offsets, err = newOffsetReader(t.id.Connector, t.store); err != nil {
		return err
	}
	rules, err := t.config.topicRules()
	if err != nil {
		return err
	}
	if !t.worker.Values.Bool(createTopicsKey) {
		rules = nil
	}
	if t.producer, err = t.cluster.NewProducer(ctx, t.producerConfig("connector-producer-")); err != nil {
		return data.ConnectException.Because(err)
	}
	t.submitted = newSubmitted()
	t.topics = newTopics(t.taskSetup, t.producer, rules)
	t.tolerance = newTolerance(t.h, t.control, t.config, t.errors)
	if t.config.Values.Bool(logErrorsKey) {
		t.tolerance.reporters = append(t.tolerance.reporters, &errorLog{t.h, t.id, t.config.Values.Bool(logMessagesKey), t.errors})
	}
	return nil
}

func (t *sourceTask) loop(ctx context.Context) error {
	for {
		switch t.wanted() {
		case Stopped:
			return nil
		case Paused:
			if err := t.commit(ctx); err != nil {
				return err
			}
			if err := t.waitWhilePaused(ctx); err != nil {
				return err
			}
			t.control.set(Running)
			continue
		}
		if !t.h.Now().Before(t.nextFlush) {
			if err := t.commit(ctx); err != nil {
				return err
			}
			t.nextFlush = t.h.Now().Add(t.worker.millis(flushIntervalKey))
		}
		if t.sendErr != nil {
			return t.sendErr
		}
		batch, err := t.poll(ctx)
		if err != nil {
			return err
		}
		if err := t.dispatch(ctx, batch); err != nil {
			return err
		}
	}
}

// poll asks the task for records; it ends when a commit is due, or the task is to stop or pause.
func (t *sourceTask) poll(ctx context.Context) ([]*connect.Record, error) {
	start := t.h.Now()
	polling, cancel := t.h.WithTimeout(ctx, t.nextFlush.Sub(start))
	defer cancel()
	t.blocked(Running, cancel)
	var batch []*connect.Record
	err := guarded("SourceTask.poll", func() (err error) {
		batch, err = t.task.Poll(polling)
		return err
	})
	t.blocked(Running, nil)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil:
	case polling.Err() != nil && errors.Is(err, context.Cause(polling)), data.ClassOfError(err).Extends(data.RetriableException):
		return nil, nil
	default:
		return nil, err
	}
	if len(batch) > 0 {
		now := t.h.Now()
		t.mu.Lock()
		m := &t.metrics
		m.polled.add(now, len(batch))
		m.pollTime.record(now, millis(now.Sub(start)))
		m.active.set(now, m.active.value+float64(len(batch)))
		m.batch.record(now, float64(len(batch)))
		t.mu.Unlock()
	}
	return batch, nil
}

// dispatch transforms, converts and sends a batch: all records of one partition of Kafka together.
func (t *sourceTask) dispatch(ctx context.Context, batch []*connect.Record) error {
	t.groups = t.groups[:0]
	drops := 0
	for _, r := range batch {
		out, tp, ok, err := t.convert(ctx, r)
		if err != nil {
			return err
		}
		if !ok {
			t.dropped(r)
			drops++
			continue
		}
		g := t.group(tp, len(batch))
		t.submit(g, r)
		g.records = append(g.records, out)
		g.sources = append(g.sources, r)
	}
	if drops > 0 {
		t.countWritten(drops, 0)
	}
	if t.sendErr != nil {
		return t.sendErr
	}
	for _, g := range t.groups {
		if err := t.send(ctx, g); err != nil {
			return err
		}
	}
	return t.sendAgain(ctx)
}

// produceError is an error of the producer with its Java class.
func produceError(err error) error {
	class := data.KafkaException
	switch {
	case errors.Is(err, broker.ErrRecordTooLarge):
		class = "org.apache.kafka.common.errors.RecordTooLargeException"
	case errors.Is(err, broker.ErrTimeout):
		class = "org.apache.kafka.common.errors.TimeoutException"
	case errors.Is(err, broker.ErrUnknownTopic):
		class = "org.apache.kafka.common.errors.UnknownTopicOrPartitionException"
	}
	return class.Errorf("%s", err.Error())
}

// group is the one of a partition, mostly the last.
func (t *sourceTask) group(tp broker.TopicPartition, room int) *group {
	for i := len(t.groups) - 1; i >= 0; i-- {
		if t.groups[i].tp == tp {
			return t.groups[i]
		}
	}
	g := &group{tp: tp}
	if len(t.groups) == 0 {
		g.records, g.sources = make([]broker.Record, 0, room), make([]*connect.Record, 0, room)
	}
	t.groups = append(t.groups, g)
	return g
}

// submit adds a record's offset to the last run of its group, or begins a new one.
func (t *sourceTask) submit(g *group, r *connect.Record) {
	p := t.submitted.partition(r.Source.Partition)
	if n := len(g.runs); n > 0 && g.runs[n-1].of == p && p.queue[len(p.queue)-1] == g.runs[n-1] {
		g.runs[n-1].offset = r.Source.Offset
		g.runs[n-1].records++
		return
	}
	g.runs = append(g.runs, p.start(r.Source.Offset))
}

// sendPause is how long to wait before a Send that may succeed later is tried again.
const sendPause = 100 * time.Millisecond

func (t *sourceTask) send(ctx context.Context, g *group) error {
	for {
		if t.sendErr != nil {
			return t.sendErr
		}
		err := t.producer.Send(ctx, g.tp, g.records, func(base int64, err error) { t.acknowledged(ctx, g, base, err) })
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case errors.Is(err, broker.ErrRecordTooLarge):
			t.acknowledged(ctx, g, broker.NoOffset, err)
			return t.sendErr
		case !errors.Is(err, broker.ErrRetriable):
			return data.ConnectException.Wrap(err, "Unrecoverable exception trying to send")
		case t.wanted() == Stopped:
			return nil // what was not sent is not committed, and comes again
		}
		t.h.Log().Warn("connect: could not send; trying again", "task", t.id.String(), "partition", g.tp.String(), "error", err)
		if err := t.h.Sleep(ctx, sendPause); err != nil {
			return err
		}
	}
}

// sendAgain sends the records of refused groups one by one, because one of them is too large. Kafka's producer tells of each record by itself, so
// that the others are written, and the one is tolerated as a failure there is.
func (t *sourceTask) sendAgain(ctx context.Context) error {
	for len(t.refused) > 0 {
		g := t.refused[0]
		t.refused = t.refused[1:]
		for _, one := range g.split() {
			if err := t.send(ctx, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// split divides a group into groups of one record, each with a run of its own.
func (g *group) split() []*group {
	var out []*group
	for _, r := range g.runs {
		p := r.of
		i := slices.Index(p.queue, r)
		var runs []*run
		for range r.records {
			n := len(out)
			one := &run{of: p, offset: g.sources[n].Source.Offset, records: 1}
			runs = append(runs, one)
			out = append(out, &group{tp: g.tp, records: g.records[n : n+1 : n+1], sources: g.sources[n : n+1], runs: []*run{one}})
		}
		p.queue = slices.Replace(p.queue, i, i+1, runs...)
	}
	return out
}

// acknowledged runs on the task's thread, inside a later call of the producer.
func (t *sourceTask) acknowledged(ctx context.Context, g *group, base int64, err error) {
	if len(g.records) > 1 && errors.Is(err, broker.ErrRecordTooLarge) {
		t.refused = append(t.refused, g)
		return
	}
	if err != nil && !t.tolerance.all {
		if t.sendErr == nil {
			t.sendErr = data.ConnectException.Wrap(produceError(err), "Unrecoverable exception from producer send callback")
		}
		return
	}
	committer, _ := t.task.(connect.RecordCommitter)
	for i, r := range g.sources {
		if err != nil {
			f := &failedOperation{stage: StageKafkaProduce, class: "org.apache.kafka.clients.producer.KafkaProducer", err: produceError(err), source: r}
			t.errors.add(&t.errors.failures)
			_ = t.tolerance.failed(ctx, f) // all is tolerated
		}
		if committer == nil {
			continue
		}
		var m *connect.RecordMetadata
		if err == nil {
			m = &connect.RecordMetadata{TopicPartition: g.tp, Offset: broker.NoOffset, Timestamp: g.records[i].Timestamp}
			if base != broker.NoOffset {
				m.Offset = base + int64(i)
			}
		}
		t.tell(committer, r, m)
	}
	written := len(g.records)
	if err != nil {
		written = 0
	}
	t.countWritten(len(g.records), written)
	for _, r := range g.runs {
		r.done()
	}
}

// countWritten counts records that are done with, of which written were written.
func (t *sourceTask) countWritten(done, written int) {
	now := t.h.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &t.metrics
	m.written.add(now, written)
	m.active.set(now, max(m.active.value-float64(done), 0))
}

func (t *sourceTask) dropped(r *connect.Record) {
	if c, ok := t.task.(connect.RecordCommitter); ok {
		t.tell(c, r, nil)
	}
}

// tell tells the task of a record. A failure is logged; a panic fails the task.
func (t *sourceTask) tell(c connect.RecordCommitter, r *connect.Record, m *connect.RecordMetadata) {
	err := guarded("SourceTask.commitRecord", func() error { return c.CommitRecord(r, m) })
	switch {
	case err == nil:
	case panicked(err):
		if t.sendErr == nil {
			t.sendErr = err
		}
	default:
		t.h.Log().Error("connect: the task could not take note of a record", "task", t.id.String(), "error", err)
	}
}

// commit waits until what was sent is written, and stores the offsets. A failure is logged and counted; the next commit has the same offsets. The
// error is a panic of the task.
func (t *sourceTask) commit(ctx context.Context) error {
	start := t.h.Now()
	err := t.flushOffsets(ctx)
	t.mu.Lock()
	t.metrics.commit(start, t.h.Now(), err)
	t.mu.Unlock()
	if err != nil {
		t.h.Log().Error("connect: could not commit offsets", "task", t.id.String(), "error", err)
		return nil
	}
	if c, ok := t.task.(connect.Committer); ok {
		err := guarded("SourceTask.commit", func() error { return c.Commit(ctx) })
		if panicked(err) {
			return err
		}
		if err != nil {
			t.h.Log().Error("connect: the task could not take note of a commit", "task", t.id.String(), "error", err)
		}
	}
	return nil
}

func (t *sourceTask) flushOffsets(ctx context.Context) error {
	limit, cancel := t.h.WithTimeout(ctx, t.worker.millis(flushTimeoutKey))
	err := t.producer.Flush(limit)
	for err == nil && len(t.refused) > 0 {
		if err = t.sendAgain(limit); err == nil {
			err = t.producer.Flush(limit)
		}
	}
	cancel()
	if err != nil && limit.Err() == nil {
		return err
	}
	changes := t.submitted.changes()
	entries := make([]StoredOffset, 0, len(changes))
	for _, p := range changes {
		key, err := OffsetKey(t.keys, t.id.Connector, p.partition)
		if err != nil {
			return err
		}
		value, err := OffsetValue(t.keys, p.offset)
		if err != nil {
			return err
		}
		entries = append(entries, StoredOffset{key, value})
	}
	if len(entries) == 0 {
		return nil
	}
	if err := t.store.Set(ctx, entries); err != nil {
		return err
	}
	for _, p := range changes {
		p.changed = false
	}
	return nil
}

// sourceContext is a source task's context.
type sourceContext struct {
	props   map[string]string
	offsets *offsetReader
}

func (c *sourceContext) Configs() map[string]string              { return c.props }
func (c *sourceContext) Offsets() connect.OffsetReader           { return c.offsets }
func (c *sourceContext) Transaction() connect.TransactionContext { return nil }
