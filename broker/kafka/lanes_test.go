package kafka_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
)

// TestASecondConnectionThatCannotBe assigns a partition while the connection that fetches waits for another, and no more can be made: it is read when they
// can be again.
func TestASecondConnectionThatCannotBe(t *testing.T) {
	var refuse atomic.Bool
	var refused atomic.Int32
	_, k := onFake(t, 2, kafka.Config{
		Properties: map[string]string{"retry.backoff.ms": "1", "retry.backoff.max.ms": "1", "reconnect.backoff.ms": "1", "reconnect.backoff.max.ms": "1", "fetch.max.wait.ms": "2000"},
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if refuse.Load() {
				refused.Add(1)
				return nil, errors.New("refused by the test")
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first, second := broker.TopicPartition{Topic: "t"}, broker.TopicPartition{Topic: "t", Partition: 1}
	p, err := k.NewProducer(ctx, broker.ProducerConfig{})
	must(t, err)
	defer p.Close()
	must(t, p.Send(ctx, second, []broker.Record{{Value: []byte("v"), Timestamp: 1}}, nil))
	must(t, p.Flush(ctx))
	consumer, err := k.NewConsumer(ctx, broker.ConsumerConfig{})
	must(t, err)
	defer consumer.Close()
	must(t, consumer.Assign(ctx, map[broker.TopicPartition]int64{first: 0}))
	_, err = consumer.Poll(ctx, 10, 300*time.Millisecond) // the first fetch is under way, and waits
	must(t, err)

	refuse.Store(true)
	must(t, consumer.Assign(ctx, map[broker.TopicPartition]int64{first: 0, second: 0}))
	for refused.Load() < 25 {
		_, err = consumer.Poll(ctx, 10, 10*time.Millisecond)
		must(t, err)
	}
	refuse.Store(false)
	for {
		batches, err := consumer.Poll(ctx, 10, time.Second)
		must(t, err)
		for _, b := range batches {
			if b.TopicPartition == second && len(b.Records) == 1 {
				return
			}
		}
	}
}
