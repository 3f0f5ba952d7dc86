package worker

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// convert makes a producer's record of a source record: transforms first, then headers, key and value. ok is false for a record that was
// dropped or whose failure is tolerated.
func (t *sourceTask) convert(ctx context.Context, r *connect.Record) (out broker.Record, tp broker.TopicPartition, ok bool, err error) {
	x, ok, err := t.transform(ctx, r)
	if err != nil || !ok || x == nil {
		return out, tp, false, err
	}
	if out.Headers, ok, err = t.convertHeaders(ctx, r, x); err != nil || !ok {
		return out, tp, false, err
	}
	if out.Key, ok, err = t.convertSide(ctx, r, x, true, &out.Headers); err != nil || !ok {
		return out, tp, false, err
	}
	if out.Value, ok, err = t.convertSide(ctx, r, x, false, &out.Headers); err != nil || !ok {
		return out, tp, false, err
	}
	if out.Timestamp, err = timestampOf(x); err != nil {
		return out, tp, false, err
	}
	tp.Topic = x.Topic
	tp.Partition, err = t.topics.partition(ctx, x.Topic, x.Partition, out.Key)
	return out, tp, err == nil, err
}

// timestampOf is the timestamp to send. One before the epoch fails the task.
func timestampOf(r *connect.Record) (int64, error) {
	switch {
	case r.Timestamp == connect.NoTimestamp || r.Timestamp == broker.NoTimestamp:
		return broker.NoTimestamp, nil
	case r.Timestamp < 0:
		return 0, data.InvalidRecordException.Errorf("Invalid record timestamp %d", r.Timestamp)
	}
	return r.Timestamp, nil
}

// transform applies the chain, a stage after the other. The task knows the record that it has made, so that is not changed.
func (t *sourceTask) transform(ctx context.Context, r *connect.Record) (*connect.Record, bool, error) {
	return transform(ctx, t.chain, t.tolerance, r, false, failedOperation{source: r})
}

// transform applies a chain under a tolerance; own is whether r may be changed. ok is false for a tolerated failure; the record is nil when it was
// dropped.
func transform(ctx context.Context, chain Chain, tol *tolerance, r *connect.Record, own bool, place failedOperation) (*connect.Record, bool, error) {
	for _, s := range chain {
		out, ownOut, err := s.Apply(r, own)
		if err != nil {
			in, inOwn := r, own
			f := place
			f.stage, f.class, f.err = StageTransformation, s.Class, err
			var ok bool
			out, ok, err = recovered(ctx, tol, &f, func() (out *connect.Record, err error) {
				out, ownOut, err = s.Apply(in, inOwn)
				return out, err
			})
			if err != nil || !ok {
				return nil, false, err
			}
		}
		if r, own = out, ownOut; r == nil {
			return nil, true, nil
		}
	}
	return r, true, nil
}

func (t *sourceTask) convertHeaders(ctx context.Context, r, x *connect.Record) ([]broker.Header, bool, error) {
	if x.Headers.Empty() {
		return nil, true, nil
	}
	out := make([]broker.Header, 0, x.Headers.Len())
	for h := range x.Headers.All() {
		b, err := t.conv.fromHeader(x.Topic, h)
		if err != nil {
			f := &failedOperation{stage: StageHeaderConverter, class: t.conv.headClass, err: err, source: r}
			var ok bool
			b, ok, err = recovered(ctx, t.tolerance, f, func() ([]byte, error) { return t.conv.fromHeader(x.Topic, h) })
			if err != nil || !ok {
				return nil, false, err
			}
		}
		out = append(out, broker.Header{Key: h.Key, Value: b})
	}
	return out, true, nil
}

func (t *sourceTask) convertSide(ctx context.Context, r, x *connect.Record, key bool, headers *[]broker.Header) ([]byte, bool, error) {
	b, err := t.conv.fromConnect(x, key, headers)
	if err == nil {
		return b, true, nil
	}
	f := &failedOperation{stage: StageValueConverter, class: t.conv.valueClass, err: err, source: r}
	if key {
		f.stage, f.class = StageKeyConverter, t.conv.keyClass
	}
	return recovered(ctx, t.tolerance, f, func() ([]byte, error) { return t.conv.fromConnect(x, key, headers) })
}
