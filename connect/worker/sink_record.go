package worker

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// convertBatches makes sink records of what was polled and adds them to what is pending. Records that are dropped, or whose failure is
// tolerated, count as consumed.
func (t *sinkTask) convertBatches(ctx context.Context, batches []broker.Batch) error {
	n := 0
	for i := range batches {
		n += len(batches[i].Records)
	}
	room := sinkRoom{make([]connect.Record, n), make([]connect.SinkPosition, n), make([]broker.Record, n)}
	for i := range batches {
		b := &batches[i]
		if _, ok := t.assigned[b.TopicPartition]; !ok {
			continue
		}
		if len(b.Records) > 0 && t.assigned[b.TopicPartition] == broker.NoOffset {
			t.assigned[b.TopicPartition] = b.Records[0].Offset
		}
		for j := range b.Records {
			r, err := t.convert(ctx, b.TopicPartition, &b.Records[j], &room)
			if err != nil {
				return err
			}
			if r != nil {
				t.pending = append(t.pending, r)
			}
		}
		t.staged[b.TopicPartition] = broker.OffsetAndMetadata{Offset: b.Next, LeaderEpoch: -1}
	}
	if n > 0 {
		t.mu.Lock()
		t.metrics.read.add(t.h.Now(), n)
		t.mu.Unlock()
	}
	return nil
}

// sinkRoom is room for the records of one poll.
type sinkRoom struct {
	records   []connect.Record
	positions []connect.SinkPosition
	consumed  []broker.Record
}

func (t *sinkTask) convert(ctx context.Context, tp broker.TopicPartition, in *broker.Record, room *sinkRoom) (*connect.Record, error) {
	r, pos, consumed := &room.records[0], &room.positions[0], &room.consumed[0]
	room.records, room.positions, room.consumed = room.records[1:], room.positions[1:], room.consumed[1:]
	*consumed = *in // the polled slice is used again
	place := &consumedRecord{tp, consumed, connect.CreateTime}
	key, ok, err := t.convertSide(ctx, place, true)
	if err != nil || !ok {
		return nil, err
	}
	value, ok, err := t.convertSide(ctx, place, false)
	if err != nil || !ok {
		return nil, err
	}
	headers, ok, err := t.convertHeaders(ctx, place)
	if err != nil || !ok {
		return nil, err
	}
	*pos = connect.SinkPosition{Offset: in.Offset, TimestampType: connect.CreateTime, Topic: tp.Topic, Partition: tp.Partition, Consumed: consumed}
	*r = connect.Record{Topic: tp.Topic, Partition: tp.Partition, KeySchema: key.Schema, Key: key.Value, ValueSchema: value.Schema, Value: value.Value,
		Timestamp: in.Timestamp, Headers: headers, Sink: pos}
	if in.Timestamp == broker.NoTimestamp {
		r.Timestamp = connect.NoTimestamp
	}
	if len(t.chain) == 0 {
		return r, nil
	}
	out, ok, err := transform(ctx, t.chain, t.tolerance, r, true, failedOperation{consumed: place})
	if err != nil || !ok {
		return nil, err
	}
	return out, nil
}

func (t *sinkTask) convertSide(ctx context.Context, in *consumedRecord, key bool) (data.SchemaAndValue, bool, error) {
	v, err := t.conv.toConnect(in, key)
	if err == nil {
		return v, true, nil
	}
	f := &failedOperation{stage: StageValueConverter, class: t.conv.valueClass, err: err, consumed: in}
	if key {
		f.stage, f.class = StageKeyConverter, t.conv.keyClass
	}
	return recovered(ctx, t.tolerance, f, func() (data.SchemaAndValue, error) { return t.conv.toConnect(in, key) })
}

func (t *sinkTask) convertHeaders(ctx context.Context, in *consumedRecord) (data.Headers, bool, error) {
	if len(in.Headers) == 0 {
		return data.Headers{}, true, nil
	}
	var out data.Headers
	t.headers.Grow(len(in.Headers))
	for _, h := range in.Headers {
		v, err := t.conv.toHeader(in.Topic, &h)
		if err != nil {
			f := &failedOperation{stage: StageHeaderConverter, class: t.conv.headClass, err: err, consumed: in}
			var ok bool
			v, ok, err = recovered(ctx, t.tolerance, f, func() (data.SchemaAndValue, error) { return t.conv.toHeader(in.Topic, &h) })
			if err != nil || !ok {
				return data.Headers{}, false, err
			}
		}
		out = t.headers.Append(out, h.Key, v.Schema, v.Value)
	}
	return out, true, nil
}
