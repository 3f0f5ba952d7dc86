package streams

import (
	"log/slog"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
)

// Handlers are exception handlers of the application's own: Kafka's DeserializationExceptionHandler, ProcessingExceptionHandler (KIP-1033) and
// ProductionExceptionHandler (KIP-399, KIP-1065). Each takes the place of the one that the property of its name chooses; nil leaves it. They run on
// the thread of the task, and must be quick. Dead letters are those that an answer has; errors.dead.letter.queue.topic.name is for the built-in handlers.
type Handlers struct {
	// Deserialization is asked about keys and values that cannot be read: Fail or Continue.
	Deserialization func(f *Failure) Answer
	// Processing is asked about errors of processors and punctuations: Fail or Continue. Continue leaves out the rest of the branch below.
	Processing func(f *Failure) Answer
	// Serialization is asked about keys and values that cannot be written: Fail or Continue. It is ProductionExceptionHandler.handleSerializationError.
	Serialization func(f *Failure) Answer
	// Production is asked about records that the cluster has not taken: Fail, Continue or Retry. Errors that end a transaction or fence the producer are
	// not its to decide.
	Production func(f *WriteFailure) Answer
}

type (
	// Failure is what a handler is asked about: Kafka's ErrorHandlerContext, with the raw bytes of the record in hand, and the error.
	Failure = task.Failure
	// WriteFailure is a record that the cluster has not taken, after the client's own retries.
	WriteFailure = task.WriteFailure
	// Answer is a handler's decision, and the dead letters to write.
	Answer = task.Answer
	// Decision is what is done about a failure.
	Decision = task.Decision
	// DeadLetter is a record for a dead letter queue topic (KIP-1034).
	DeadLetter = task.DeadLetter
)

// What a handler decides.
const (
	Fail     = task.Fail     // stop the application
	Continue = task.Continue // leave the record out, and count it as dropped
	Retry    = task.Retry    // Production: write the record again
)

// handlers are the exception handlers of a configuration.
func handlers(c *Config, log *slog.Logger) task.Handlers {
	h := task.Handlers{DeadLetters: c.DeadLetters, Custom: task.Custom{Deserialization: c.Handlers.Deserialization, Processing: c.Handlers.Processing,
		Serialization: c.Handlers.Serialization, Production: c.Handlers.Production}}
	h.Deserialization = func(id processor.TaskID, source string, tp broker.TopicPartition, r *broker.Record, err error) bool {
		log.Error("streams: cannot read a record", "task", id.String(), "source", source, "partition", tp.String(), "offset", r.Offset, "error", err)
		return c.ContinueDeserialization
	}
	h.Processing = func(id processor.TaskID, node string, ctx *processor.RecordContext, err error) bool {
		log.Error("streams: cannot process a record", "task", id.String(), "processor", node, "topic", ctx.Topic, "partition", ctx.Partition, "offset", ctx.Offset, "error", err)
		return c.ContinueProcessing
	}
	h.Production = func(tp broker.TopicPartition, err error) bool {
		log.Error("streams: cannot write a record", "partition", tp.String(), "error", err)
		return c.ContinueProduction
	}
	h.Serialization = func(id processor.TaskID, origin string, ctx *processor.RecordContext, err error) bool {
		log.Error("streams: cannot write a record: its "+origin+" does not serialize", "task", id.String(), "topic", ctx.Topic, "offset", ctx.Offset, "error", err)
		return c.ContinueProduction
	}
	return h
}
