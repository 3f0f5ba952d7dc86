package simulated

import (
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// txnState is a transaction's state, with Kafka's names.
type txnState int8

const (
	txnEmpty txnState = iota
	txnOngoing
	txnPrepareCommit
	txnPrepareAbort
	txnCompleteCommit
	txnCompleteAbort
	txnDead
)

func (s txnState) String() string {
	return [...]string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead"}[s]
}

// preparing says that markers are on their way.
func (s txnState) preparing() bool { return s == txnPrepareCommit || s == txnPrepareAbort }

// txnRecord is the state of one transactional id as a record of __transaction_state: the whole of it each time.
type txnRecord struct {
	id             string
	producer       int64
	previous       int64 // the producer id before this one, for a retry over an exhausted epoch; noProducer: none
	epoch          int16
	timeout        time.Duration
	state          txnState
	partitions     []broker.TopicPartition // sorted
	started        time.Time
	markerEpoch    int16 // the epoch that the markers carry
	markerProducer int64 // the producer id that the markers carry
	bumpedFrom     int16 // the epoch from which the producer itself asked for this one; -1: it did not
	updated        time.Time
	gone           bool // the id has expired
}

// txn is a transactional id at its coordinator: the replayed record and what only the running coordinator needs.
type txn struct {
	txnRecord
	timer *sim.Timer   // looks for a time-out
	round *markerRound // markers under way
	idle  *sim.Timer   // looks for the id's expiry
}

// with returns the record with a partition added and the transaction ongoing.
func (r txnRecord) with(tp broker.TopicPartition, now time.Time) txnRecord {
	if r.state != txnOngoing {
		r.state, r.started, r.partitions = txnOngoing, now, nil
	}
	i, found := slices.BinarySearchFunc(r.partitions, tp, broker.TopicPartition.Compare)
	if !found {
		r.partitions = slices.Insert(slices.Clone(r.partitions), i, tp)
	}
	return r
}

const lastEpoch = 32766 // Short.MaxValue - 1: the next transaction needs a new producer id
