package simulated

import "github.com/kstreamlab/kstreamlab/broker"

// marker says what a control batch says; data batches have none.
type marker int8

const (
	noMarker marker = iota
	abortMarker
	commitMarker
)

func (m marker) String() string {
	switch m {
	case abortMarker:
		return "abort"
	case commitMarker:
		return "commit"
	}
	return ""
}

const (
	noProducer = int64(-1)
	noSequence = int32(-1)

	batchOverhead  = 61 // the header of a v2 record batch
	recordOverhead = 10 // about what length, attributes, deltas and counts of a record come to
)

// batch is one record batch. After it was appended it is never changed, so that readers may hold on to it.
type batch struct {
	base, last   int64 // offsets; last stays when compaction removes records
	records      []broker.Record
	deltas       []int32 // offsets of records relative to base; nil: contiguous
	producer     int64
	epoch        int16
	sequence     int32 // of the first record; noSequence without a producer
	count        int32 // records when it was appended: base sequence + count - 1 is the last sequence
	transaction  bool
	control      marker
	coordEpoch   int32 // of a control batch
	leaderEpoch  int32
	maxTimestamp int64
	appendTime   int64 // LogAppendTime in ms; -1: the records' own
	written      int64 // when (ms) the leader appended it
	bytes        int   // as it is stored
	raw          int   // without compression
	horizon      int64 // set by compaction: from this time (ms) on tombstones, or the marker, may go; 0: not seen by it
}

// offset is the offset of the i-th record.
func (b *batch) offset(i int) int64 {
	if b.deltas == nil {
		return b.base + int64(i)
	}
	return b.base + int64(b.deltas[i])
}

// timestamp is the effective timestamp of the i-th record.
func (b *batch) timestamp(i int) int64 {
	if b.appendTime >= 0 {
		return b.appendTime
	}
	return b.records[i].Timestamp
}

func (b *batch) lastSequence() int32 { return addSequence(b.sequence, b.count-1) }

// addSequence adds to a sequence number; after the largest int32 comes 0.
func addSequence(s, n int32) int32 { return int32((int64(s) + int64(n)) & 0x7fffffff) }

func recordBytes(r *broker.Record) int {
	n := recordOverhead + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += 2 + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}
