package simulated

import (
	"cmp"
	"context"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

var _ broker.Operations = admin{}

// CreatePartitions is broker.Operations'.
func (a admin) CreatePartitions(ctx context.Context, topic string, total int32) error {
	resp, err := a.c.callAny(ctx, "CreatePartitions", &createPartitionsRequest{topic, total})
	if err != nil {
		return err
	}
	delete(a.c.topics, topic)
	return resp.(*topicsResponse).firstError("CreatePartitions")
}

// AlterTopicConfigs is broker.Operations'.
func (a admin) AlterTopicConfigs(ctx context.Context, topic string, configs map[string]*string) error {
	resp, err := a.c.callAny(ctx, "IncrementalAlterConfigs", &alterConfigsRequest{topic, configs})
	if err != nil {
		return err
	}
	return resp.(*topicsResponse).firstError("IncrementalAlterConfigs")
}

// MaxTimestampOffsets is broker.Operations'.
func (a admin) MaxTimestampOffsets(ctx context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.c.listOffsets(ctx, maxTimestamp, broker.ReadUncommitted, tps)
}

// ElectLeaders is broker.Operations'.
func (a admin) ElectLeaders(ctx context.Context, unclean bool, tps ...broker.TopicPartition) error {
	resp, err := a.c.callAny(ctx, "ElectLeaders", &electLeadersRequest{unclean, tps})
	if err != nil {
		return err
	}
	return resp.(*topicsResponse).firstError("ElectLeaders")
}

// DescribeTransactions is broker.Operations'.
func (a admin) DescribeTransactions(ctx context.Context) ([]broker.TransactionDescription, error) {
	var out []broker.TransactionDescription
	for _, b := range a.c.m.brokers {
		resp, err := a.c.call(ctx, b.addr, &listTxnsRequest{}, requestBytes)
		switch {
		case err == nil:
			out = append(out, resp.(*listTxnsResponse).txns...)
		case !lost(err):
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b broker.TransactionDescription) int { return cmp.Compare(a.TransactionalID, b.TransactionalID) })
	return out, nil
}

// HangingTransactions is broker.Operations'. As Kafka's tool does, it first looks at the partitions and then at the coordinators: a
// transaction that ends in between is not taken for one that hangs.
func (a admin) HangingTransactions(ctx context.Context, tps ...broker.TopicPartition) ([]broker.HangingTransaction, error) {
	var open []broker.HangingTransaction
	err := a.c.atLeaders(ctx, "DescribeProducers", tps,
		func(tps []broker.TopicPartition) any { return &openTxnsRequest{tps} },
		func(_ []broker.TopicPartition, resp any) []code {
			open = append(open, resp.(*openTxnsResponse).open...)
			return resp.(*openTxnsResponse).codes
		})
	if err != nil {
		return nil, err
	}
	known, err := a.DescribeTransactions(ctx)
	if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(h broker.HangingTransaction) bool {
		return slices.ContainsFunc(known, func(t broker.TransactionDescription) bool {
			return t.ProducerID == h.ProducerID && slices.Contains(t.Partitions, h.TopicPartition)
		})
	})
	slices.SortFunc(open, func(a, b broker.HangingTransaction) int {
		return cmp.Or(a.TopicPartition.Compare(b.TopicPartition), cmp.Compare(a.FirstOffset, b.FirstOffset))
	})
	return slices.Compact(open), nil
}

// AbortTransaction is broker.Operations'.
func (a admin) AbortTransaction(ctx context.Context, t broker.HangingTransaction) error {
	return a.c.atLeaders(ctx, "WriteTxnMarkers", []broker.TopicPartition{t.TopicPartition},
		func([]broker.TopicPartition) any { return &abortTxnRequest{t} },
		func(_ []broker.TopicPartition, resp any) []code { return []code{resp.(*abortTxnResponse).code} })
}
