package simulated

import (
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
)

// PartitionView is a partition as someone sees it who looks into the cluster.
type PartitionView struct {
	broker.TopicPartition
	broker.PartitionDescription
	Start, HighWatermark, LastStable, End int64
	Bytes                                 int64
	Open                                  []OpenTransaction // by first offset
}

// OpenTransaction is a transaction in a partition that has no marker yet.
type OpenTransaction struct {
	Producer int64
	First    int64
}

// LogRecord is one record of a log, control records included.
type LogRecord struct {
	broker.Record
	Producer    int64 // -1: none
	Epoch       int16
	LeaderEpoch int32
	Transaction bool
	Control     string // "commit" or "abort" for a marker; otherwise empty
	Aborted     bool   // data of an aborted transaction
}

// GroupView is a group with its offsets.
type GroupView struct {
	broker.GroupDescription
	Generation int32
	Leader     string
	Offsets    []OffsetView // sorted
}

// OffsetView is a committed position. Pending counts the open transactions that would change it.
type OffsetView struct {
	broker.TopicPartition
	broker.OffsetAndMetadata // Offset -1: only pending ones
	Pending                  int
}

// TransactionView is a transactional id at its coordinator.
type TransactionView struct {
	ID         string
	Producer   int64
	Epoch      int16
	State      string // in Kafka's spelling: Empty, Ongoing, PrepareCommit, ...
	Partitions []broker.TopicPartition
}

// Partitions are all partitions of ordinary topics, sorted.
func (m *Model) Partitions() []PartitionView {
	var out []PartitionView
	for _, t := range m.sortedTopics() {
		d := t.describe()
		for i, p := range t.partitions {
			v := PartitionView{
				TopicPartition: p.tp, PartitionDescription: d.Partitions[i], Start: p.log.start, HighWatermark: p.set.hw,
				LastStable: p.limit(broker.ReadCommitted), End: p.log.end, Bytes: p.log.bytes,
			}
			for _, o := range p.log.open {
				v.Open = append(v.Open, OpenTransaction{o.producer, o.first})
			}
			out = append(out, v)
		}
	}
	return out
}

// Topics are the names of the ordinary topics, sorted.
func (m *Model) Topics() []string { return slices.Sorted(maps.Keys(m.topics)) }

// Records are up to limit records of a partition from an offset on (limit < 0: all), with control records and whatever else is in
// the log, the part above the high watermark included.
func (m *Model) Records(tp broker.TopicPartition, from int64, limit int) []LogRecord {
	p := m.partition(tp)
	if p == nil {
		return nil
	}
	var out []LogRecord
	for _, b := range p.log.batches[p.log.find(max(from, p.log.start)):] {
		aborted := b.control == noMarker && p.log.isAborted(b)
		for i := range max(len(b.records), min(int(b.control), 1)) {
			if limit >= 0 && len(out) == limit {
				return out
			}
			r := LogRecord{
				Producer: b.producer, Epoch: b.epoch, LeaderEpoch: b.leaderEpoch, Transaction: b.transaction, Control: b.control.String(), Aborted: aborted,
			}
			if b.control == noMarker {
				r.Record = b.records[i]
				r.Timestamp = b.timestamp(i)
			} else {
				r.Timestamp = b.maxTimestamp
			}
			r.Offset = b.offset(i)
			if r.Offset >= from && r.Offset >= p.log.start {
				out = append(out, r)
			}
		}
	}
	return out
}

// Groups are all groups whose coordinator is up, by name.
func (m *Model) Groups() []GroupView {
	var out []GroupView
	for _, l := range m.groups {
		c, ok := l.state.(*groupCoordinator)
		if !ok {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(c.groups)) {
			out = append(out, c.view(c.groups[id]))
		}
	}
	slices.SortFunc(out, func(a, b GroupView) int { return strings.Compare(a.Group, b.Group) })
	return out
}

func (c *groupCoordinator) view(g *group) GroupView {
	v := GroupView{GroupDescription: c.describe(g.id), Generation: g.generation, Leader: g.leader}
	if g.streams != nil {
		v.State, v.Generation = g.streams.state(), g.streams.epoch
	}
	for _, tp := range g.offsetTPs {
		o := g.offsets[tp]
		ov := OffsetView{TopicPartition: tp, OffsetAndMetadata: o.value, Pending: len(o.pending)}
		if !o.has {
			ov.Offset = broker.NoOffset
		}
		v.Offsets = append(v.Offsets, ov)
	}
	return v
}

// Transactions are all transactional ids whose coordinator is up, by id.
func (m *Model) Transactions() []TransactionView {
	var out []TransactionView
	for _, l := range m.txns {
		c, ok := l.state.(*txnCoordinator)
		if !ok {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(c.txns)) {
			t := c.txns[id]
			out = append(out, TransactionView{id, t.producer, t.epoch, t.state.String(), slices.Clone(t.partitions)})
		}
	}
	slices.SortFunc(out, func(a, b TransactionView) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// GroupCoordinator is the broker that coordinates a group, TransactionCoordinator that of a transactional id; 0: none at present.
func (m *Model) GroupCoordinator(group string) int { return max(int(m.groupLog(group).set.leader), 0) }

// TransactionCoordinator is the broker that coordinates a transactional id; 0: none at present.
func (m *Model) TransactionCoordinator(id string) int { return max(int(m.txnLog(id).set.leader), 0) }

// GroupPartition is the partition of __consumer_offsets that a group lives on, for MoveLeader.
func (m *Model) GroupPartition(group string) broker.TopicPartition { return m.groupLog(group).tp }

// TransactionPartition is the partition of __transaction_state that a transactional id lives on, for MoveLeader.
func (m *Model) TransactionPartition(id string) broker.TopicPartition { return m.txnLog(id).tp }
