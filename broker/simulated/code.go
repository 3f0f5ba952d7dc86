package simulated

import "github.com/kstreamlab/kstreamlab/broker"

// code is Kafka's error code, as it stands on the wire.
type code int16

const (
	codeNone                   code = 0
	codeOffsetOutOfRange       code = 1
	codeUnknownTopic           code = 3
	codeRequestTimedOut        code = 7
	codeNotLeader              code = 6
	codeMessageTooLarge        code = 10
	codeOffsetMetadataTooLarge code = 12
	codeCoordinatorUnavailable code = 15
	codeNotCoordinator         code = 16
	codeInvalidTopic           code = 17
	codeNotEnoughReplicas      code = 19
	codeNotEnoughAfterAppend   code = 20
	codeIllegalGeneration      code = 22
	codeInconsistentProtocol   code = 23
	codeUnknownMember          code = 25
	codeInvalidSessionTimeout  code = 26
	codeRebalanceInProgress    code = 27
	codeInvalidTimestamp       code = 32
	codeTopicExists            code = 36
	codeInvalidPartitions      code = 37
	codeInvalidReplication     code = 38
	codeInvalidConfig          code = 40
	codeInvalidRequest         code = 42
	codeOutOfOrderSequence     code = 45
	codeInvalidProducerEpoch   code = 47
	codeInvalidTxnState        code = 48
	codeInvalidProducerID      code = 49
	codeInvalidTxnTimeout      code = 50
	codeConcurrentTransactions code = 51
	codeTxnCoordinatorFenced   code = 52
	codeNonEmptyGroup          code = 68
	codeGroupIDNotFound        code = 69
	codeFencedLeaderEpoch      code = 74
	codeUnknownLeaderEpoch     code = 76
	codeMemberIDRequired       code = 79
	codePreferredNotAvailable  code = 80
	codeGroupMaxSize           code = 81
	codeFencedInstance         code = 82
	codeEligibleNotAvailable   code = 83
	codeElectionNotNeeded      code = 84
	codeInvalidRecord          code = 87
	codeUnstableOffsetCommit   code = 88
	codeProducerFenced         code = 90
	codeFencedMemberEpoch      code = 110
	codeUnreleasedInstance     code = 111
	codeStaleMemberEpoch       code = 113
	codeTransactionAbortable   code = 120
	codeStreamsInvalidTopology code = 130
	codeStreamsTopologyFenced  code = 132
)

// codeInfo is what a person and an engine want to know of a code.
type codeInfo struct {
	name string
	kind error
}

var codes = map[code]codeInfo{
	codeOffsetOutOfRange:       {"OFFSET_OUT_OF_RANGE", broker.ErrOffsetOutOfRange},
	codeUnknownTopic:           {"UNKNOWN_TOPIC_OR_PARTITION", broker.ErrUnknownTopic},
	codeNotLeader:              {"NOT_LEADER_OR_FOLLOWER", broker.ErrRetriable},
	codeRequestTimedOut:        {"REQUEST_TIMED_OUT", broker.ErrTimeout},
	codeMessageTooLarge:        {"MESSAGE_TOO_LARGE", broker.ErrRecordTooLarge},
	codeOffsetMetadataTooLarge: {"OFFSET_METADATA_TOO_LARGE", broker.ErrFatal},
	codeCoordinatorUnavailable: {"COORDINATOR_NOT_AVAILABLE", broker.ErrRetriable},
	codeNotCoordinator:         {"NOT_COORDINATOR", broker.ErrRetriable},
	codeInvalidTopic:           {"INVALID_TOPIC_EXCEPTION", broker.ErrFatal},
	codeNotEnoughReplicas:      {"NOT_ENOUGH_REPLICAS", broker.ErrRetriable},
	codeNotEnoughAfterAppend:   {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", broker.ErrRetriable},
	codeIllegalGeneration:      {"ILLEGAL_GENERATION", broker.ErrUnknownMember},
	codeInconsistentProtocol:   {"INCONSISTENT_GROUP_PROTOCOL", broker.ErrFatal},
	codeUnknownMember:          {"UNKNOWN_MEMBER_ID", broker.ErrUnknownMember},
	codeInvalidSessionTimeout:  {"INVALID_SESSION_TIMEOUT", broker.ErrFatal},
	codeRebalanceInProgress:    {"REBALANCE_IN_PROGRESS", broker.ErrRebalancing},
	codeInvalidTimestamp:       {"INVALID_TIMESTAMP", broker.ErrFatal},
	codeTopicExists:            {"TOPIC_ALREADY_EXISTS", broker.ErrTopicExists},
	codeInvalidPartitions:      {"INVALID_PARTITIONS", broker.ErrFatal},
	codeInvalidReplication:     {"INVALID_REPLICATION_FACTOR", broker.ErrFatal},
	codeInvalidConfig:          {"INVALID_CONFIG", broker.ErrFatal},
	codeInvalidRequest:         {"INVALID_REQUEST", broker.ErrFatal},
	codeOutOfOrderSequence:     {"OUT_OF_ORDER_SEQUENCE_NUMBER", broker.ErrFatal},
	codeInvalidProducerEpoch:   {"INVALID_PRODUCER_EPOCH", broker.ErrFenced},
	codeInvalidTxnState:        {"INVALID_TXN_STATE", broker.ErrFatal},
	codeInvalidProducerID:      {"INVALID_PRODUCER_ID_MAPPING", broker.ErrFenced},
	codeInvalidTxnTimeout:      {"INVALID_TRANSACTION_TIMEOUT", broker.ErrFatal},
	codeConcurrentTransactions: {"CONCURRENT_TRANSACTIONS", broker.ErrRetriable},
	codeTxnCoordinatorFenced:   {"TRANSACTION_COORDINATOR_FENCED", broker.ErrFatal},
	codeNonEmptyGroup:          {"NON_EMPTY_GROUP", broker.ErrFatal},
	codeGroupIDNotFound:        {"GROUP_ID_NOT_FOUND", broker.ErrFatal},
	codeFencedLeaderEpoch:      {"FENCED_LEADER_EPOCH", broker.ErrRetriable},
	codeUnknownLeaderEpoch:     {"UNKNOWN_LEADER_EPOCH", broker.ErrRetriable},
	codeMemberIDRequired:       {"MEMBER_ID_REQUIRED", broker.ErrRetriable},
	codeGroupMaxSize:           {"GROUP_MAX_SIZE_REACHED", broker.ErrFatal},
	codeFencedInstance:         {"FENCED_INSTANCE_ID", broker.ErrFenced},
	codeInvalidRecord:          {"INVALID_RECORD", broker.ErrFatal},
	codeUnstableOffsetCommit:   {"UNSTABLE_OFFSET_COMMIT", broker.ErrRetriable},
	codeProducerFenced:         {"PRODUCER_FENCED", broker.ErrFenced},
	codePreferredNotAvailable:  {"PREFERRED_LEADER_NOT_AVAILABLE", broker.ErrRetriable},
	codeEligibleNotAvailable:   {"ELIGIBLE_LEADERS_NOT_AVAILABLE", broker.ErrRetriable},
	codeElectionNotNeeded:      {"ELECTION_NOT_NEEDED", broker.ErrFatal},
	codeFencedMemberEpoch:      {"FENCED_MEMBER_EPOCH", broker.ErrUnknownMember},
	codeUnreleasedInstance:     {"UNRELEASED_INSTANCE_ID", broker.ErrFatal},
	codeStaleMemberEpoch:       {"STALE_MEMBER_EPOCH", broker.ErrRebalancing},
	codeTransactionAbortable:   {"TRANSACTION_ABORTABLE", broker.ErrAbortable},
	codeStreamsInvalidTopology: {"STREAMS_INVALID_TOPOLOGY", broker.ErrFatal},
	codeStreamsTopologyFenced:  {"STREAMS_TOPOLOGY_FENCED", broker.ErrFatal},
}

// err makes the port's error of a code; nil for codeNone.
func (c code) err(op, text string) error {
	if c == codeNone {
		return nil
	}
	info, ok := codes[c]
	if !ok {
		panic("simulated: a code without a name")
	}
	return &broker.Error{Op: op, Code: int16(c), Name: info.name, Kind: info.kind, Text: text}
}

// retriable says whether a client sends the same request again, after it has looked for the right broker.
func (c code) retriable() bool {
	switch c {
	case codeNotLeader, codeRequestTimedOut, codeCoordinatorUnavailable, codeNotCoordinator, codeNotEnoughReplicas, codeNotEnoughAfterAppend,
		codeConcurrentTransactions, codeFencedLeaderEpoch, codeUnknownLeaderEpoch, codeUnstableOffsetCommit:
		return true
	}
	return false
}

// moved says whether the client looked for the leader or coordinator at the wrong broker.
func (c code) moved() bool {
	switch c {
	case codeNotLeader, codeCoordinatorUnavailable, codeNotCoordinator, codeFencedLeaderEpoch, codeUnknownLeaderEpoch:
		return true
	}
	return false
}
