package broker

import (
	"errors"
	"fmt"
)

// What an engine must do about an error, tested with errors.Is. An *Error wraps one of these and carries Kafka's code.
var (
	// ErrFenced: a newer producer of the transactional id, or a newer member of the instance id, has taken over. Give up everything.
	ErrFenced = errors.New("fenced by a newer incarnation")
	// ErrUnknownMember: the group no longer knows the member (expelled), or knows it in a later generation. Rejoin; what it owned is lost.
	ErrUnknownMember = errors.New("no longer a member of the group")
	// ErrRebalancing: the group is rebalancing; nothing was committed. Poll, so that the rebalance can go on.
	ErrRebalancing = errors.New("the group is rebalancing")
	// ErrOffsetOutOfRange: see *OffsetOutOfRange.
	ErrOffsetOutOfRange = errors.New("offset out of range")
	// ErrNoOffset: no committed offset, and the reset policy is none.
	ErrNoOffset = errors.New("no committed offset and no reset policy")
	// ErrAbortable: the transaction must be aborted; the producer lives on.
	ErrAbortable = errors.New("the transaction must be aborted")
	// ErrRetriable: the same call may succeed later.
	ErrRetriable = errors.New("retriable")
	// ErrTimeout: the time allowed has passed; whether the request took effect is unknown. It is also ErrRetriable.
	ErrTimeout = fmt.Errorf("timed out (%w)", ErrRetriable)
	// ErrFatal: trying again is of no use.
	ErrFatal = errors.New("fatal")

	// ErrUnknownTopic: no such topic or partition.
	ErrUnknownTopic = fmt.Errorf("unknown topic or partition (%w)", ErrFatal)
	// ErrTopicExists: CreateTopics of a topic that exists.
	ErrTopicExists = fmt.Errorf("topic already exists (%w)", ErrFatal)
	// ErrRecordTooLarge: a record or batch over the limit of producer or broker.
	ErrRecordTooLarge = fmt.Errorf("record too large (%w)", ErrFatal)
	// ErrClosed: the producer, consumer or member was closed.
	ErrClosed = fmt.Errorf("closed (%w)", ErrFatal)
)

// Error is an error of the cluster.
type Error struct {
	Op   string // the API, in Kafka's spelling: Produce, TxnOffsetCommit, JoinGroup
	Code int16  // Kafka's error code; 0 when no broker answered
	Name string // Kafka's name of the code: INVALID_PRODUCER_EPOCH
	Kind error  // one of the Err values above
	Text string // more for a person: topic and partition, the group, the limit
}

func (e *Error) Error() string {
	s := e.Op + ": "
	if e.Name != "" {
		s += e.Name
	} else {
		s += e.Kind.Error()
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

func (e *Error) Unwrap() error { return e.Kind }

// OffsetOutOfRange tells what is there instead.
type OffsetOutOfRange struct {
	TopicPartition
	Offset, Earliest, Latest int64
}

func (e *OffsetOutOfRange) Error() string {
	return fmt.Sprintf("Fetch: OFFSET_OUT_OF_RANGE: %s-%d has offsets %d to %d, not %d", e.Topic, e.Partition, e.Earliest, e.Latest, e.Offset)
}

func (e *OffsetOutOfRange) Unwrap() error { return ErrOffsetOutOfRange }
