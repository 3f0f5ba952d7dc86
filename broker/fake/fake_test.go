package fake_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// start starts a cluster that ends with the test.
func start(t testing.TB, cfg fake.Config) *fake.Cluster {
	t.Helper()
	c, err := fake.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// client is brokertest's way into a fake cluster.
func client(c *fake.Cluster) brokertest.LiveClient {
	return func(h host.Host) (broker.Cluster, func(), error) {
		link := new(kafka.Link)
		cluster, err := c.Client(kafka.Config{Dialer: link.Dial, Host: h})
		return cluster, link.Cut, err
	}
}

func TestContract(t *testing.T) {
	shared := start(t, fake.Config{Brokers: 3})
	brokertest.Run(t, brokertest.Target{
		Name: "fake",
		New: func(t testing.TB) brokertest.Fixture {
			cluster := shared
			if strings.Contains(t.Name(), "/brokers/") { // kfake has no controller any more when that broker was stopped
				cluster = start(t, fake.Config{Brokers: 3})
			}
			return fixture{brokertest.Live(t, client(cluster)), cluster}
		},
		Parallel: true,
		Differs:  fake.Differs(),
	})
}

// fixture cleans when it is told to, and stops brokers.
type fixture struct {
	brokertest.Fixture
	cluster *fake.Cluster
}

func (f fixture) Clean(topics ...string) error {
	f.cluster.ApplyRetention()
	return f.cluster.Compact(topics...)
}

func (fixture) IDs() []int { return []int{0, 1, 2} }

func (f fixture) KillBroker(_ context.Context, id int) error { return f.cluster.CrashBroker(int32(id)) }

func (f fixture) RestartBroker(_ context.Context, id int) error {
	return f.cluster.StartBroker(int32(id))
}

func (f fixture) GroupCoordinator(_ context.Context, group string) (int, error) {
	return int(f.cluster.Fake().CoordinatorFor(group)), nil
}

func (f fixture) TransactionCoordinator(_ context.Context, id string) (int, error) {
	return int(f.cluster.Fake().CoordinatorFor(id)), nil
}
