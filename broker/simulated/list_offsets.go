package simulated

import "github.com/kstreamlab/kstreamlab/broker"

// The timestamps that stand for an end of the log, with Kafka's values.
const (
	latestTimestamp   int64 = -1
	earliestTimestamp int64 = -2
	maxTimestamp      int64 = -3
)

// listOffsetsRequest asks for offsets of partitions that one broker leads.
type listOffsetsRequest struct {
	timestamp int64
	isolation broker.IsolationLevel
	tps       []broker.TopicPartition
}

type listOffsetsResponse struct {
	codes   []code // as in the request
	offsets []int64
}

func (b *node) listOffsets(r *listOffsetsRequest, out reply) {
	resp := &listOffsetsResponse{make([]code, len(r.tps)), make([]int64, len(r.tps))}
	for i, tp := range r.tps {
		resp.offsets[i], resp.codes[i] = b.listOffset(tp, r.timestamp, r.isolation)
	}
	out(resp, smallResponse+8*len(r.tps))
}

func (b *node) listOffset(tp broker.TopicPartition, ts int64, i broker.IsolationLevel) (int64, code) {
	p, c := b.led(tp)
	switch {
	case c != codeNone:
		return -1, c
	case ts == earliestTimestamp:
		return p.log.start, codeNone
	case ts == latestTimestamp:
		return p.limit(i), codeNone
	case ts == maxTimestamp:
		return p.log.offsetOfMaxTime(p.limit(i)), codeNone
	}
	offset, _ := p.log.offsetForTime(ts, p.limit(i))
	return offset, codeNone
}
