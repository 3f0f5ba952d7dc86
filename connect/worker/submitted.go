package worker

import (
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// submitted keeps the offsets of records that were handed to the producer: Kafka's SubmittedRecords. An offset may be committed when all
// records of its source partition before it are written.
type submitted struct {
	partitions *data.Map // of *sourcePartition, by source partition
	order      []*sourcePartition
	last       *sourcePartition
}

// sourcePartition is one partition of the source.
type sourcePartition struct {
	partition *data.Map
	queue     []*run
	offset    *data.Map // that of the last record that may be committed
	changed   bool      // since the last commit
}

// run is records in a row, of one source partition, in one Send.
type run struct {
	of      *sourcePartition
	offset  *data.Map // of the last record
	records int
	written bool
}

func newSubmitted() *submitted { return &submitted{partitions: data.NewMap()} }

// partition finds or makes a source partition.
func (s *submitted) partition(p *data.Map) *sourcePartition {
	if s.last != nil && (s.last.partition == p || s.last.partition.Equal(p)) {
		return s.last
	}
	var key any
	if p != nil {
		key = p
	}
	if v, ok := s.partitions.Get(key); ok {
		s.last = v.(*sourcePartition)
		return s.last
	}
	s.last = &sourcePartition{partition: p}
	s.partitions.Put(key, s.last)
	s.order = append(s.order, s.last)
	return s.last
}

// start begins a run.
func (p *sourcePartition) start(offset *data.Map) *run {
	r := &run{of: p, offset: offset, records: 1}
	p.queue = append(p.queue, r)
	return r
}

// done tells that all records of a run are written.
func (r *run) done() {
	r.written = true
	p := r.of
	n := 0
	for n < len(p.queue) && p.queue[n].written {
		p.offset, p.changed = p.queue[n].offset, true
		n++
	}
	p.queue = append(p.queue[:0], p.queue[n:]...)
}

// changes are the source partitions with an offset to commit, in the order in which they came first.
func (s *submitted) changes() (out []*sourcePartition) {
	for _, p := range s.order {
		if p.changed {
			out = append(out, p)
		}
	}
	return out
}
