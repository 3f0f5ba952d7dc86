package worker

import (
	"context"
	"errors"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// topics finds the partitions of records to send, and creates topics that do not exist.
type topics struct {
	*taskSetup
	producer broker.Producer
	rules    []topicRule // none: the broker's own settings
	known    map[string]*knownTopic
	last     *knownTopic
}

// knownTopic is a topic that exists.
type knownTopic struct {
	name       string
	partitions int32
	next       int32 // for records without a key
	sent       int   // to that partition since it was chosen
}

// sticky is how many records without a key go to one partition before the next.
const sticky = 500

func newTopics(t *taskSetup, p broker.Producer, rules []topicRule) *topics {
	return &topics{taskSetup: t, producer: p, rules: rules, known: map[string]*knownTopic{}}
}

// partition is where a record goes: where it says itself, else by its key, else to one partition after the other.
func (t *topics) partition(ctx context.Context, topic string, own int32, key []byte) (int32, error) {
	k, err := t.find(ctx, topic)
	switch {
	case err != nil:
		return 0, err
	case own != connect.NoPartition:
		if own < 0 {
			return 0, data.IllegalArgumentException.Errorf("Invalid partition: %d. Partition number should always be non-negative or null.", own)
		}
		return own, nil
	case key != nil:
		return broker.PartitionForKey(key, k.partitions), nil
	}
	if k.sent++; k.sent > sticky {
		k.sent, k.next = 1, (k.next+1)%k.partitions
	}
	return k.next, nil
}

func (t *topics) find(ctx context.Context, topic string) (*knownTopic, error) {
	if t.last != nil && t.last.name == topic {
		return t.last, nil
	}
	if k := t.known[topic]; k != nil {
		t.last = k
		return k, nil
	}
	if err := t.create(ctx, topic); err != nil {
		return nil, err
	}
	n, err := t.count(ctx, topic)
	if err != nil {
		return nil, err
	}
	t.last = &knownTopic{name: topic, partitions: n}
	t.known[topic] = t.last
	return t.last, nil
}

// knownWithin is how long a topic that exists may be unknown to the broker that is asked.
const knownWithin = time.Minute

// count is the number of a topic's partitions. Brokers take a while to know of a new topic.
func (t *topics) count(ctx context.Context, topic string) (int32, error) {
	deadline := t.h.Now().Add(knownWithin)
	for {
		n, err := t.producer.Partitions(ctx, topic)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, broker.ErrUnknownTopic) && !errors.Is(err, broker.ErrRetriable) || t.h.Now().After(deadline) {
			return 0, data.ConnectException.Wrap(err, "the partitions of topic "+topic+" are not known")
		}
		if err := t.h.Sleep(ctx, sendPause); err != nil {
			return 0, err
		}
	}
}

// create creates a topic that does not exist: by the connector's rules, or, without rules, as a broker does that creates topics by itself. What may
// succeed later is tried again for a while.
func (t *topics) create(ctx context.Context, topic string) error {
	deadline := t.h.Now().Add(knownWithin)
	for {
		err := t.tryCreate(ctx, topic)
		if err == nil || ctx.Err() != nil || !errors.Is(err, broker.ErrRetriable) || t.h.Now().After(deadline) {
			return err
		}
		t.h.Log().Warn("connect: could not look for or create a topic; trying again", "task", t.id.String(), "topic", topic, "error", err)
		if err := t.h.Sleep(ctx, sendPause); err != nil {
			return err
		}
	}
}

func (t *topics) tryCreate(ctx context.Context, topic string) error {
	admin := t.cluster.Admin()
	have, err := admin.DescribeTopics(ctx, topic)
	if err != nil {
		return data.ConnectException.Wrap(err, "topic "+topic+" cannot be described")
	}
	if _, ok := have[topic]; ok {
		return nil
	}
	t.h.Log().Info("connect: creating a topic", "task", t.id.String(), "topic", topic)
	if err := admin.CreateTopics(ctx, newTopic(t.rules, topic)); err != nil && !errors.Is(err, broker.ErrTopicExists) {
		return data.ConnectException.Wrap(err, "Task failed to create new topic "+topic)
	}
	return nil
}
