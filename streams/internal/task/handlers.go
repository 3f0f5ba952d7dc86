package task

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Handlers are the exception handlers. The built-in ones return true for CONTINUE; nil stands for FAIL.
type Handlers struct {
	Deserialization func(id processor.TaskID, source string, tp broker.TopicPartition, r *broker.Record, err error) bool
	Processing      func(id processor.TaskID, node string, ctx *processor.RecordContext, err error) bool
	Production      func(tp broker.TopicPartition, err error) bool
	Serialization   func(id processor.TaskID, origin string, ctx *processor.RecordContext, err error) bool
	// DeadLetters is the topic that the built-in handlers write to; empty: none.
	DeadLetters string
	// Custom take the place of the built-in ones where they are set. They write the dead letters that they answer with, and no others.
	Custom Custom
}

// Custom are a user's exception handlers.
type Custom struct {
	Deserialization, Processing, Serialization func(f *Failure) Answer
	Production                                 func(f *WriteFailure) Answer
}

// keepRaw says whether somebody may ask for the bytes of the record in hand.
func (h *Handlers) keepRaw() bool {
	return h.DeadLetters != "" || h.Custom.Processing != nil || h.Custom.Serialization != nil
}

// Written is the production exception handler of a collector.
func (h *Handlers) Written() func(f *WriteFailure) Answer {
	if h.Custom.Production != nil {
		return h.Custom.Production
	}
	if h.Production == nil {
		return nil
	}
	return func(f *WriteFailure) Answer {
		if h.Production(f.TopicPartition, f.Err) {
			return Answer{Decision: Continue}
		}
		return Answer{}
	}
}

// Failure is what a handler is asked about: Kafka's ErrorHandlerContext, and the error.
type Failure struct {
	TaskID processor.TaskID
	// Node is the source that cannot read, or the processor that failed, or the sink that cannot write.
	Node string
	// Origin is "key" or "value" where one of them cannot be read or written; else it is empty.
	Origin string
	// RecordContext is that of the record in hand, with its raw key and value; in a punctuation its topic is empty.
	processor.RecordContext
	Err error
}

// WriteFailure is a record that the cluster has not taken, after the client's own retries.
type WriteFailure struct {
	broker.TopicPartition
	// Record is the record, as it was to be written. It must not be changed.
	Record *broker.Record
	Err    error
}

// Decision is what is done about a failure.
type Decision int8

// The decisions.
const (
	// Fail stops the application: Kafka's FAIL.
	Fail Decision = iota
	// Continue leaves the record out, and counts it as dropped: Kafka's CONTINUE and RESUME.
	Continue
	// Retry writes the record again. It is for a record that was not written, for a reason that may pass (broker.ErrRetriable), and without
	// transactions; anywhere else it is Fail, as in Kafka.
	Retry
)

// Answer is a handler's.
type Answer struct {
	Decision Decision
	// DeadLetters are records to write, whatever the decision, with what the task writes: in its transaction, where there is one (KIP-1034).
	DeadLetters []DeadLetter
}

// DeadLetter is a record for a dead letter queue topic. A negative partition leaves it to the key.
type DeadLetter struct {
	broker.TopicPartition
	broker.Record
}

// ask asks a user's handler, and writes its dead letters.
func (t *Task) ask(handler func(*Failure) Answer, f *Failure) bool {
	a := handler(f)
	for _, l := range a.DeadLetters {
		if err := t.coll.Send(l.Topic, l.Partition, l.Key, l.Record); err != nil {
			t.log.Error("streams: cannot write a dead letter", "topic", l.Topic, "error", err)
		}
	}
	return a.Decision == Continue
}
