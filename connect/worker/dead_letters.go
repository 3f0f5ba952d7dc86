package worker

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// deadLetters writes records that could not be processed to a topic: Kafka's DeadLetterQueueReporter. It belongs to the task's thread.
type deadLetters struct {
	h        host.Host
	id       TaskID
	topic    string
	headers  bool
	producer broker.Producer
	topics   *topics
	metrics  *errorMetrics
	next     int32 // the partition of the next record without a key
	failure  error // of the last record that could not be written, since it was asked
}

// newDeadLetters creates the topic, with one partition, when it is not there. A failure is a ConnectException.
func newDeadLetters(ctx context.Context, t *taskSetup) (*deadLetters, error) {
	v := t.config.Values
	topic := strings.TrimSpace(v.String(dlqTopicKey))
	wrap := func(err error) error {
		return data.ConnectException.Wrap(err, "Could not initialize dead letter queue with topic="+topic)
	}
	admin := t.cluster.Admin()
	have, err := admin.DescribeTopics(ctx, topic)
	if err != nil {
		return nil, wrap(err)
	}
	if _, ok := have[topic]; !ok {
		err := admin.CreateTopics(ctx, broker.NewTopic{Name: topic, Partitions: 1, ReplicationFactor: v.Short(dlqReplicationKey)})
		if err != nil && !errors.Is(err, broker.ErrTopicExists) {
			return nil, wrap(err)
		}
	}
	p, err := t.cluster.NewProducer(ctx, t.producerConfig("connector-dlq-producer-"))
	if err != nil {
		return nil, wrap(err)
	}
	return &deadLetters{h: t.h, id: t.id, topic: topic, headers: v.Bool(dlqHeadersKey), producer: p, topics: newTopics(t, p, nil), metrics: t.errors}, nil
}

// report hands the record over; that it could not be written is logged and counted only, as in Kafka.
func (d *deadLetters) report(ctx context.Context, f *failedOperation) error {
	d.metrics.add(&d.metrics.deadLetters)
	if f.consumed == nil {
		d.metrics.add(&d.metrics.deadLettersFailed)
		return nil
	}
	r := broker.Record{Key: f.consumed.Key, Value: f.consumed.Value, Timestamp: f.consumed.Timestamp, Headers: f.consumed.Headers}
	if d.headers {
		r.Headers = append(slices.Clone(r.Headers), d.context(f)...)
	}
	if err := d.send(ctx, r); err != nil {
		d.failed(err)
	}
	return nil
}

func (d *deadLetters) send(ctx context.Context, r broker.Record) error {
	n, err := d.topics.count(ctx, d.topic)
	if err != nil {
		return err
	}
	tp := broker.TopicPartition{Topic: d.topic, Partition: d.next % n}
	if r.Key != nil {
		tp.Partition = broker.PartitionForKey(r.Key, n)
	} else {
		d.next = (d.next + 1) % n
	}
	return d.producer.Send(ctx, tp, []broker.Record{r}, func(_ int64, err error) {
		if err != nil {
			d.failed(err)
		}
	})
}

func (d *deadLetters) failed(err error) {
	d.h.Log().Error("connect: could not write to the dead letter queue", "task", d.id.String(), "topic", d.topic, "error", err)
	d.metrics.add(&d.metrics.deadLettersFailed)
	d.failure = err
}

// flush waits until everything is written, and returns the last failure since the last flush.
func (d *deadLetters) flush(ctx context.Context) error {
	err := d.producer.Flush(ctx)
	if err == nil {
		err = d.failure
	}
	d.failure = nil
	return err
}

func (d *deadLetters) context(f *failedOperation) []broker.Header {
	const prefix = "__connect.errors."
	text := func(name, v string) broker.Header {
		return broker.Header{Key: prefix + name, Value: append([]byte{}, v...)}
	}
	message := broker.Header{Key: prefix + "exception.message"}
	if m, ok := data.MessageOfError(f.err); ok {
		message.Value = append([]byte{}, m...)
	}
	return []broker.Header{
		text("topic", f.consumed.Topic),
		text("partition", strconv.Itoa(int(f.consumed.Partition))),
		text("offset", strconv.FormatInt(f.consumed.Offset, 10)),
		text("connector.name", d.id.Connector),
		text("task.id", strconv.Itoa(d.id.Task)),
		text("stage", string(f.stage)),
		text("class.name", f.class),
		text("exception.class.name", string(data.ClassOfError(f.err))),
		message,
		text("exception.stacktrace", data.StackTrace(f.err)),
	}
}
