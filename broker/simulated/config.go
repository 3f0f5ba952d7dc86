package simulated

import "time"

// Config is a model cluster's settings. Zero values are the defaults; the Kafka property is named beside each.
type Config struct {
	// Brokers is the number of brokers, broker-1 to broker-N; default 3.
	Brokers int
	// ReplicationFactor is default.replication.factor; default min(3, Brokers). The internal topics have it too.
	ReplicationFactor int
	// Partitions is num.partitions; default 1.
	Partitions int32
	// AutoCreateTopics is auto.create.topics.enable: a topic that a producer or an assigned consumer asks for is made, with the
	// defaults; here it is off unless asked for.
	AutoCreateTopics bool
	// ReplicationLatency is the time from an append at the leader until the followers have it and the leader knows; default 1 ms.
	ReplicationLatency time.Duration
	// BrokerSessionTimeout is broker.session.timeout.ms: how long after a crash the controller moves a broker's leaderships; default 9 s.
	BrokerSessionTimeout time.Duration
	// MinInSyncReplicas is min.insync.replicas; default 1.
	MinInSyncReplicas int

	// ReplicaLagTimeMax is replica.lag.time.max.ms: when a follower that does not fetch leaves the in-sync replicas; default 30 s.
	ReplicaLagTimeMax time.Duration
	// AdvanceBelowMinISR lets the high watermark move while fewer than min.insync.replicas are in sync, as before KIP-966: what was
	// appended then is answered NOT_ENOUGH_REPLICAS_AFTER_APPEND. Otherwise it waits, and such a write times out.
	AdvanceBelowMinISR bool
	// LeaderRebalanceInterval is leader.imbalance.check.interval.seconds: preferred replicas that are in sync get their leaderships
	// back at its multiples; default 5 min, negative: never (auto.leader.rebalance.enable=false).
	LeaderRebalanceInterval time.Duration
	// ControllerElection is how long a cluster without a controller takes to elect one; default 2 s.
	ControllerElection time.Duration

	// GroupInitialRebalanceDelay is group.initial.rebalance.delay.ms: zero means Kafka's 3 s, negative none.
	GroupInitialRebalanceDelay time.Duration
	// GroupMinSessionTimeout is group.min.session.timeout.ms, default 6 s.
	GroupMinSessionTimeout time.Duration
	// GroupMaxSessionTimeout is group.max.session.timeout.ms, default 30 min.
	GroupMaxSessionTimeout time.Duration
	// StreamsHeartbeatInterval is group.streams.heartbeat.interval.ms, default 5 s.
	StreamsHeartbeatInterval time.Duration
	// StreamsSessionTimeout is group.streams.session.timeout.ms, default 45 s.
	StreamsSessionTimeout time.Duration
	// StreamsInitialRebalanceDelay is group.streams.initial.rebalance.delay.ms: zero means Kafka's 3 s, negative none.
	StreamsInitialRebalanceDelay time.Duration
	// StreamsAssignmentInterval is group.streams.assignment.interval.ms: how often a target assignment may be computed; default 1 s.
	StreamsAssignmentInterval time.Duration
	// StreamsTaskOffsetInterval is group.streams.task.offset.interval.ms, default 60 s.
	StreamsTaskOffsetInterval time.Duration
	// StreamsStandbyReplicas is group.streams.num.standby.replicas, default 0.
	StreamsStandbyReplicas int
	// GroupMaxSize is group.max.size, default without limit.
	GroupMaxSize int
	// OffsetsRetention is offsets.retention.minutes: how long the offsets of an empty group are kept, default 7 days; negative: for ever.
	OffsetsRetention time.Duration
	// OffsetMetadataMaxBytes is offset.metadata.max.bytes, default 4096.
	OffsetMetadataMaxBytes int

	// TransactionVersion is the feature transaction.version: 2 (default): the epoch rises with each transaction, and a partition joins by
	// the first write; 1: the epoch stays, and the client adds partitions and groups itself (before KIP-890).
	TransactionVersion int
	// NoTransactionVerification is transaction.partition.verification.enable=false: under version 1 a leader then takes a write of a
	// transaction that has ended already, which hangs for ever.
	NoTransactionVerification bool
	// TransactionalIDExpiration is transactional.id.expiration.ms, default 7 days; negative: never.
	TransactionalIDExpiration time.Duration
	// ProducerIDExpiration is producer.id.expiration.ms: after it a partition forgets an idle producer; default 1 day.
	ProducerIDExpiration time.Duration
	// TransactionMaxTimeout is transaction.max.timeout.ms, default 15 min.
	TransactionMaxTimeout time.Duration
	// TransactionAbortInterval is transaction.abort.timed.out.transaction.cleanup.interval.ms, default 10 s: time-outs are noticed
	// at its multiples.
	TransactionAbortInterval time.Duration

	// LogRetention is log.retention.ms for topics without retention.ms; zero or negative: no limit (Kafka's own default is 7 days).
	LogRetention time.Duration
	// LogRetentionCheckInterval is log.retention.check.interval.ms, default 5 min.
	LogRetentionCheckInterval time.Duration
	// LogCleanerBackoff is log.cleaner.backoff.ms, default 15 s.
	LogCleanerBackoff time.Duration
	// MessageMaxBytes is message.max.bytes, default 1048588.
	MessageMaxBytes int
}

func setDefault[T int | int32 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (c Config) withDefaults() Config {
	setDefault(&c.Brokers, 3)
	setDefault(&c.ReplicationFactor, min(3, c.Brokers))
	setDefault(&c.Partitions, 1)
	setDefault(&c.ReplicationLatency, time.Millisecond)
	setDefault(&c.BrokerSessionTimeout, 9*time.Second)
	setDefault(&c.MinInSyncReplicas, 1)
	setDefault(&c.ReplicaLagTimeMax, 30*time.Second)
	setDefault(&c.LeaderRebalanceInterval, 5*time.Minute)
	setDefault(&c.ControllerElection, 2*time.Second)
	setDefault(&c.GroupInitialRebalanceDelay, 3*time.Second)
	c.GroupInitialRebalanceDelay = max(c.GroupInitialRebalanceDelay, 0)
	setDefault(&c.StreamsHeartbeatInterval, 5*time.Second)
	setDefault(&c.StreamsSessionTimeout, 45*time.Second)
	setDefault(&c.StreamsInitialRebalanceDelay, 3*time.Second)
	setDefault(&c.StreamsAssignmentInterval, time.Second)
	setDefault(&c.StreamsTaskOffsetInterval, time.Minute)
	setDefault(&c.GroupMinSessionTimeout, 6*time.Second)
	setDefault(&c.GroupMaxSessionTimeout, 30*time.Minute)
	setDefault(&c.OffsetsRetention, 7*24*time.Hour)
	setDefault(&c.OffsetMetadataMaxBytes, 4096)
	setDefault(&c.TransactionVersion, 2)
	setDefault(&c.TransactionalIDExpiration, 7*24*time.Hour)
	setDefault(&c.ProducerIDExpiration, 24*time.Hour)
	setDefault(&c.TransactionMaxTimeout, 15*time.Minute)
	setDefault(&c.TransactionAbortInterval, 10*time.Second)
	setDefault(&c.LogRetentionCheckInterval, 5*time.Minute)
	setDefault(&c.LogCleanerBackoff, 15*time.Second)
	setDefault(&c.MessageMaxBytes, 1048588)
	return c
}
