package streamstest

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
)

// producer keeps what is sent. Every topic has one partition.
type producer struct {
	sent    []Record
	offsets map[string]int64
}

var _ broker.Producer = (*producer)(nil)

func (p *producer) Partitions(context.Context, string) (int32, error) { return 1, nil }

func (p *producer) Send(_ context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	for _, r := range records {
		p.sent = append(p.sent, Record{tp.Topic, r})
	}
	base := p.offsets[tp.Topic]
	p.offsets[tp.Topic] += int64(len(records))
	if ack != nil {
		ack(base, nil)
	}
	return nil
}

func (p *producer) Flush(context.Context) error { return nil }
func (p *producer) Begin() error                { return nil }

func (p *producer) SendOffsets(context.Context, broker.GroupMetadata, map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	return nil
}

func (p *producer) Commit(context.Context) error { return nil }
func (p *producer) Abort(context.Context) error  { return nil }
func (p *producer) Close()                       {}
