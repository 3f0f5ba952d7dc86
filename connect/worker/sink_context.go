package worker

import (
	"context"
	"maps"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// sinkContext is a sink task's context.
type sinkContext sinkTask

// Configs are the task's properties.
func (c *sinkContext) Configs() map[string]string { return c.props }

// Rewind moves positions before the next poll.
func (c *sinkContext) Rewind(offsets map[broker.TopicPartition]int64) { maps.Copy(c.rewinds, offsets) }

// RetryAfter is how long to wait before what was refused comes again.
func (c *sinkContext) RetryAfter(ms int64) { c.retryAfter = time.Duration(ms) * time.Millisecond }

// Assignment are the partitions of the task.
func (c *sinkContext) Assignment() ([]broker.TopicPartition, error) {
	if c.member == nil {
		return nil, data.IllegalWorkerStateException.Errorf("SinkTaskContext may not be used to look up partition assignment until the task is initialized")
	}
	return (*sinkTask)(c).partitions(), nil
}

// Pause holds partitions back.
func (c *sinkContext) Pause(tps ...broker.TopicPartition) error {
	if err := c.check(tps, "SinkTasks may not pause partitions that are not currently assigned to them."); err != nil {
		return err
	}
	for _, tp := range tps {
		c.held[tp] = true
	}
	c.member.Pause(tps...)
	return nil
}

// Resume lets them go on, unless the connector is paused or a batch comes again.
func (c *sinkContext) Resume(tps ...broker.TopicPartition) error {
	if err := c.check(tps, "SinkTasks may not resume partitions that are not currently assigned to them."); err != nil {
		return err
	}
	for _, tp := range tps {
		delete(c.held, tp)
	}
	if t := (*sinkTask)(c); !t.retrying && t.now() != Paused {
		c.member.Resume(tps...)
	}
	return nil
}

func (c *sinkContext) check(tps []broker.TopicPartition, message string) error {
	for _, tp := range tps {
		if _, ok := c.assigned[tp]; !ok {
			return data.IllegalWorkerStateException.Errorf("%s", message)
		}
	}
	return nil
}

// RequestCommit asks for a commit before the next poll.
func (c *sinkContext) RequestCommit() { c.askCommit = true }

// Errant reports records that the task cannot write.
func (c *sinkContext) Errant() connect.ErrantRecordReporter {
	if c.errant == nil {
		return nil
	}
	return c.errant
}

// errantReporter is Kafka's WorkerErrantRecordReporter. A nil one has nothing to wait for.
type errantReporter struct {
	task    *sinkTask
	first   error // that was reported
	waiting bool  // something was reported since the last await
}

const sinkTaskClass = "org.apache.kafka.connect.sink.SinkTask"

// Report reports one record; what goes to the dead letter queue is the record as it was consumed, or, where the task has made it itself, what the
// task's converters make of it.
func (e *errantReporter) Report(ctx context.Context, r *connect.Record, err error) error {
	f := &failedOperation{stage: StageTaskPut, class: sinkTaskClass, err: err}
	var convErr error
	if f.consumed, convErr = e.consumed(r); convErr != nil {
		return convErr
	}
	if e.first == nil {
		e.first = err
	}
	e.waiting = true
	e.task.errors.add(&e.task.errors.failures)
	return e.task.tolerance.failed(ctx, f)
}

func (e *errantReporter) consumed(r *connect.Record) (*consumedRecord, error) {
	if r.Sink != nil && r.Sink.Consumed != nil {
		return &consumedRecord{broker.TopicPartition{Topic: r.Sink.Topic, Partition: r.Sink.Partition}, r.Sink.Consumed, r.Sink.TimestampType}, nil
	}
	c := &e.task.conv
	out := &broker.Record{Timestamp: r.Timestamp, Offset: broker.NoOffset}
	if r.Timestamp == connect.NoTimestamp {
		out.Timestamp = broker.NoTimestamp
	}
	var err error
	if out.Key, err = c.fromConnect(r, true, nil); err != nil {
		return nil, err
	}
	if out.Value, err = c.fromConnect(r, false, nil); err != nil {
		return nil, err
	}
	for h := range r.Headers.All() {
		b, err := c.fromHeader(r.Topic, h)
		if err != nil {
			return nil, err
		}
		out.Headers = append(out.Headers, broker.Header{Key: h.Key, Value: b})
	}
	place := &consumedRecord{broker.TopicPartition{Topic: r.Topic, Partition: r.Partition}, out, connect.NoTimestampType}
	if r.Sink != nil {
		out.Offset, place.timestampType = r.Sink.Offset, r.Sink.TimestampType
	}
	return place, nil
}

// rethrow fails a task that has swallowed what Report returned.
func (e *errantReporter) rethrow() error {
	if e.first == nil || e.task.tolerance.within() {
		return nil
	}
	return data.ConnectException.Wrap(e.first, "Tolerance exceeded in error handler")
}

// await waits until what was reported is written; that it could not be fails the task.
func (e *errantReporter) await(ctx context.Context) error {
	if e == nil || !e.waiting || e.task.dead == nil {
		return nil
	}
	e.waiting = false
	if err := e.task.dead.flush(ctx); err != nil {
		return data.ConnectException.Because(err)
	}
	return nil
}
