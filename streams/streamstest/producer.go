package streamstest

import (
	"context"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// producer keeps what is sent.
type producer struct {
	topics *topics
	parts  int32 // of every topic
	log    sentLog
	flat   []Record // the log as records, as far as somebody has asked for it
}

var _ broker.Producer = (*producer)(nil)

func (p *producer) Partitions(context.Context, string) (int32, error) { return p.parts, nil }

func (p *producer) Send(_ context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	t := p.topics.get(tp.Topic)
	for i := range records {
		p.log.add(t, tp.Partition, &records[i])
	}
	end := at(&t.sent, tp.Partition)
	base := *end
	*end += int64(len(records))
	if ack != nil {
		ack(base, nil)
	}
	return nil
}

// next is the number of the first record from the given one on that was sent to a topic, or that of all records.
func (p *producer) next(from int, topic string) int {
	t := p.topics.get(topic)
	for from < p.log.n && p.log.topic(from) != t.index {
		from++
	}
	return from
}

// sentTo is what was sent to a partition.
func (p *producer) sentTo(tp broker.TopicPartition) (out []broker.Record) {
	for i := p.next(0, tp.Topic); i < p.log.n; i = p.next(i+1, tp.Topic) {
		if r := p.at(i); r.Partition == tp.Partition {
			out = append(out, r.Record)
		}
	}
	return out
}

// cut forgets all but the first n records.
func (p *producer) cut(n int) {
	for p.log.n > n {
		r := p.at(p.log.n - 1)
		*at(&p.topics.get(r.Topic).sent, r.Partition)--
		p.log.drop()
	}
	p.flat = slices.Clip(p.flat[:min(len(p.flat), n)])
}

// at is the i-th record that was sent.
func (p *producer) at(i int) (r Record) {
	t, partition := p.log.read(i, &r.Record)
	r.Topic, r.Partition = p.topics.all[t].name, partition
	return r
}

// all is everything that was sent.
func (p *producer) all() []Record {
	for i := len(p.flat); i < p.log.n; i++ {
		p.flat = append(p.flat, p.at(i))
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
