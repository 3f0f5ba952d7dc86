package connect

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Connector divides work into tasks. The interfaces after Task say what a connector may implement besides.
type Connector interface {
	// Version is shown in metrics and the REST interface.
	Version() string
	// Config declares the properties.
	Config() *config.Def
	// Start is called once, before TaskConfigs, and again after a Stop. props are resolved: no placeholders.
	Start(ctx context.Context, cc ConnectorContext, props map[string]string) error
	// TaskConfigs are the properties of at most max tasks; fewer, or none, are fine.
	TaskConfigs(max int) ([]map[string]string, error)
	// Stop is called on pause, stop, deletion and shutdown.
	Stop(ctx context.Context)
}

// SourceConnector brings data into Kafka.
type SourceConnector interface {
	Connector
	NewTask() SourceTask
}

// SinkConnector takes data out of Kafka.
type SinkConnector interface {
	Connector
	NewTask() SinkTask
}

// TaskClass is for connectors whose tasks' Java class is not the connector's with Task for Connector at its end. It is the property task.class of
// tasks, and shown in metrics.
type TaskClass interface {
	TaskClass() string
}

// ConfigValidator is for connectors that validate more than their Def says: Kafka's Connector.validate.
type ConfigValidator interface {
	Validate(props config.Props) []*config.Value
}

// ExactlyOnce is for source connectors that know whether they can be exact: KIP-618.
type ExactlyOnce interface {
	// ExactlyOnceSupport says whether a task configured so can be exactly once.
	ExactlyOnceSupport(props map[string]string) bool
	// CanDefineTransactionBoundaries says whether tasks use SourceTaskContext.Transaction.
	CanDefineTransactionBoundaries(props map[string]string) bool
}

// SourceOffsetAlterer is for source connectors that want a say when offsets are changed from outside: KIP-875. An offset of nil is a removal.
type SourceOffsetAlterer interface {
	AlterOffsets(props map[string]string, offsets []SourcePosition) (bool, error)
}

// SinkOffsetAlterer is SourceOffsetAlterer for sinks. An Offset of broker.NoOffset is a reset.
type SinkOffsetAlterer interface {
	AlterOffsets(props map[string]string, offsets Offsets) (bool, error)
}

// ConnectorContext is what a connector may ask of its worker. It may be called from any thread.
type ConnectorContext interface {
	// RequestTaskReconfiguration makes the worker ask for TaskConfigs again, later.
	RequestTaskReconfiguration() error
	// RaiseError makes the connector fail.
	RaiseError(err error)
	// Offsets reads what a source's tasks have committed; nil for a sink.
	Offsets() OffsetReader
}

// OffsetReader reads the committed source offsets of one connector: Kafka's OffsetStorageReader.
type OffsetReader interface {
	// Offset is the offset of a source partition, nil when there is none.
	Offset(ctx context.Context, partition *data.Map) (*data.Map, error)
}

// Task is what source and sink tasks have in common. All methods run on the task's thread.
type Task interface {
	Version() string
}

// SourceTask reads from a system: Kafka's SourceTask. The order of calls is Start, then Poll again and again, then Stop. It may be a
// Committer and a RecordCommitter besides.
type SourceTask interface {
	Task
	Start(ctx context.Context, tc SourceTaskContext, props map[string]string) error
	// Poll returns the next records, and blocks while there are none. It returns when ctx ends, with nothing: ctx ends when the task is
	// stopped or paused, or offsets are to be committed. A RetriableException makes the worker call again; any other error fails the
	// task. The records are the worker's, the slice is the task's again at the next call.
	Poll(ctx context.Context) ([]*Record, error)
	// Stop is called once, after the last Poll, also after a failure.
	Stop()
}

// RecordCommitter is for source tasks that want to know of each record. A failure is logged.
type RecordCommitter interface {
	// CommitRecord tells that r, as Poll returned it, is written at metadata, or, where that is nil, was dropped by a transform or a
	// tolerated error.
	CommitRecord(r *Record, metadata *RecordMetadata) error
}

// Committer is for source tasks that want to know when offsets were committed. A failure is logged.
type Committer interface {
	Commit(ctx context.Context) error
}

// RecordMetadata is where a record was written.
type RecordMetadata struct {
	broker.TopicPartition
	Offset    int64 // broker.NoOffset when the broker did not tell
	Timestamp int64
}

// SourceTaskContext is what a source task may ask of its worker.
type SourceTaskContext interface {
	// Configs are the task's properties.
	Configs() map[string]string
	// Offsets reads what was committed.
	Offsets() OffsetReader
	// Transaction lets the task set the bounds of transactions; nil unless transaction.boundary is connector.
	Transaction() TransactionContext
}

// TransactionContext is KIP-618's.
type TransactionContext interface {
	// CommitTransaction commits after the batch that Poll is about to return; CommitAfter after one record of it.
	CommitTransaction()
	CommitAfter(r *Record)
	// AbortTransaction and AbortAfter abort likewise.
	AbortTransaction()
	AbortAfter(r *Record)
}

// SinkTask writes to a system: Kafka's SinkTask. The order of calls is Start, then Put again and again, then Stop. It may be an Opener, a
// Closer, and a PreCommitter or a Flusher besides.
type SinkTask interface {
	Task
	Start(ctx context.Context, tc SinkTaskContext, props map[string]string) error
	// Put takes records; they and the slice are the task's. It is called with none too. A RetriableException makes the worker call it with
	// the same records again; any other error fails the task.
	Put(ctx context.Context, records []*Record) error
	Stop()
}

// Opener is for sink tasks that want to know of new partitions, before their first record.
type Opener interface {
	Open(ctx context.Context, tps []broker.TopicPartition) error
}

// Closer is for sink tasks that want to know of partitions that go, or have gone.
type Closer interface {
	Close(ctx context.Context, tps []broker.TopicPartition) error
}

// Offsets are positions to commit, by partition.
type Offsets = map[broker.TopicPartition]broker.OffsetAndMetadata

// PreCommitter is for sink tasks that know themselves what may be committed.
type PreCommitter interface {
	// PreCommit makes what was put durable, and returns the offsets that may be committed, at most those of offsets, which are those of the
	// next records; none: nothing is.
	PreCommit(ctx context.Context, offsets Offsets) (Offsets, error)
}

// Flusher is for sink tasks that are done with everything once they have flushed.
type Flusher interface {
	Flush(ctx context.Context, offsets Offsets) error
}

// SinkTaskContext is what a sink task may ask of its worker. It is called on the task's thread.
type SinkTaskContext interface {
	Configs() map[string]string
	// Rewind moves positions before the next records are read.
	Rewind(offsets map[broker.TopicPartition]int64)
	// RetryAfter is how long to wait before a Put that failed with a RetriableException is tried again, in milliseconds.
	RetryAfter(ms int64)
	// Assignment are the partitions that the task has, sorted.
	Assignment() ([]broker.TopicPartition, error)
	// Pause and Resume hold partitions back; one that is not assigned is an IllegalWorkerStateException.
	Pause(tps ...broker.TopicPartition) error
	Resume(tps ...broker.TopicPartition) error
	// RequestCommit asks for a commit soon.
	RequestCommit()
	// Errant reports records that the task cannot write; nil where the connector has neither a dead letter queue nor error logging.
	Errant() ErrantRecordReporter
}

// ErrantRecordReporter takes records that a sink task cannot write: KIP-610.
type ErrantRecordReporter interface {
	// Report logs the record and sends it to the dead letter queue, as configured. With errors.tolerance none it returns a
	// ConnectException, and the task fails even if it ignores that.
	Report(ctx context.Context, r *Record, err error) error
}
