package streamstest

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
)

// blockSize is how many records a block of a producer has.
const blockSize = 256

// producer keeps what is sent. Every topic has the same number of partitions.
type producer struct {
	blocks [][]Record // what was sent, in order; all but the last are full
	flat   []Record   // the same in one piece, as far as somebody has asked for it
	n      int
	parts  int32 // of every topic
	ends   map[broker.TopicPartition]*int64
	recent [4]struct {
		tp  broker.TopicPartition
		end *int64
	}
	turn int
}

var _ broker.Producer = (*producer)(nil)

func (p *producer) Partitions(context.Context, string) (int32, error) { return p.parts, nil }

func (p *producer) Send(_ context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	for i := range records {
		if p.n%blockSize == 0 {
			p.blocks = append(p.blocks, make([]Record, blockSize))
		}
		r := &p.blocks[len(p.blocks)-1][p.n%blockSize]
		r.Topic, r.Partition, r.Record = tp.Topic, tp.Partition, records[i]
		p.n++
	}
	end := p.end(tp)
	base := *end
	*end += int64(len(records))
	if ack != nil {
		ack(base, nil)
	}
	return nil
}

// end is where the end of a partition is.
func (p *producer) end(tp broker.TopicPartition) *int64 {
	for i := range p.recent {
		if r := &p.recent[i]; r.end != nil && r.tp == tp {
			return r.end
		}
	}
	end := p.ends[tp]
	if end == nil {
		end = new(int64)
		p.ends[tp] = end
	}
	r := &p.recent[p.turn]
	r.tp, r.end = tp, end
	p.turn = (p.turn + 1) % len(p.recent)
	return end
}

// at is the i-th record that was sent.
func (p *producer) at(i int) *Record { return &p.blocks[i/blockSize][i%blockSize] }

// log is what was sent to a partition.
func (p *producer) log(tp broker.TopicPartition) (out []broker.Record) {
	for i := range p.n {
		if r := p.at(i); r.Topic == tp.Topic && r.Partition == tp.Partition {
			out = append(out, r.Record)
		}
	}
	return out
}

// all is everything that was sent.
func (p *producer) all() []Record {
	for len(p.flat) < p.n {
		i := len(p.flat)
		block := p.blocks[i/blockSize]
		p.flat = append(p.flat, block[i%blockSize:min(blockSize, p.n-i+i%blockSize)]...)
	}
	return p.flat
}

func (p *producer) Flush(context.Context) error { return nil }
func (p *producer) Begin() error                { return nil }

func (p *producer) SendOffsets(context.Context, broker.GroupMetadata, map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	return nil
}

func (p *producer) Commit(context.Context) error { return nil }
func (p *producer) Abort(context.Context) error  { return nil }
func (p *producer) Close()                       {}
