//go:build integration

package integration_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
)

// The contract is for three brokers, which clean soon.
func TestMain(m *testing.M) {
	os.Exit(integration.Main(m, "--brokers", "3", "--set", "log.cleaner.backoff.ms=500", "--set", "log.retention.check.interval.ms=500"))
}

// connect is a process's way to the real cluster.
func connect(h host.Host) (broker.Cluster, func(), error) {
	link := new(kafka.Link)
	cluster, err := kafka.New(kafka.Config{Bootstrap: integration.Bootstrap(), Dialer: link.Dial, Host: h})
	return cluster, link.Cut, err
}

func TestContract(t *testing.T) {
	brokertest.Run(t, brokertest.Target{
		Name: "kafka",
		New: func(t testing.TB) brokertest.Fixture {
			f := announcer{brokertest.Live(t, connect)}
			if k := integration.Running(); k != nil && len(integration.Bootstrap()) > 1 {
				return brokers{f, k}
			}
			return f
		},
		Parallel: true,
	})
}

// announcer waits until every broker has heard of a topic.
type announcer struct{ brokertest.Fixture }

func (announcer) Announced(ctx context.Context, topic string, partitions int) error {
	return eventually(ctx, func(cl *kgo.Client) (bool, error) {
		req := kmsg.NewPtrMetadataRequest()
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		req.Topics = append(req.Topics, t)
		for _, b := range cl.DiscoveredBrokers() {
			resp, err := b.Request(ctx, req)
			if err != nil {
				continue // it is down
			}
			if found := resp.(*kmsg.MetadataResponse).Topics; len(found) != 1 || len(found[0].Partitions) != partitions {
				return false, nil
			}
		}
		return len(cl.DiscoveredBrokers()) > 0, nil
	})
}

// brokers is a fixture that kills real brokers.
type brokers struct {
	announcer
	kafka *integration.Kafka
}

// eventually asks until done says so.
func eventually(ctx context.Context, done func(cl *kgo.Client) (bool, error)) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(integration.Bootstrap()...))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := cl.Ping(ctx); err != nil {
		return err
	}
	for {
		ok, err := done(cl)
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("never (%v): %w", err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (brokers) IDs() []int { return []int{1, 2, 3} }

func (b brokers) KillBroker(_ context.Context, id int) error { return b.kafka.Kill(id) }

func (b brokers) RestartBroker(ctx context.Context, _ int) error {
	if _, err := b.kafka.Start(); err != nil {
		return err
	}
	return eventually(ctx, func(cl *kgo.Client) (bool, error) {
		behind, err := lagging(ctx, cl)
		return behind == 0, err
	})
}

// lagging is how many partitions, internal ones included, have a replica that is not in sync.
func lagging(ctx context.Context, cl *kgo.Client) (int, error) {
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, cl)
	if err != nil {
		return 0, err
	}
	behind := 0
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) || p.Leader < 0 {
				behind++
			}
		}
	}
	return behind, nil
}

func (b brokers) GroupCoordinator(ctx context.Context, group string) (int, error) {
	return coordinator(ctx, 0, group)
}

func (b brokers) TransactionCoordinator(ctx context.Context, id string) (int, error) {
	return coordinator(ctx, 1, id)
}

func coordinator(ctx context.Context, kind int8, key string) (int, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(integration.Bootstrap()...))
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType, req.CoordinatorKey, req.CoordinatorKeys = kind, key, []string{key}
	resp, err := req.RequestWith(ctx, cl)
	switch {
	case err != nil:
		return 0, err
	case len(resp.Coordinators) != 1 || resp.Coordinators[0].ErrorCode != 0:
		return 0, fmt.Errorf("no coordinator for %s: %+v", key, resp.Coordinators)
	}
	return int(resp.Coordinators[0].NodeID), nil
}
