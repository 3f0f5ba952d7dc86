package fake_test

import (
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
	cluster := start(t, fake.Config{Brokers: 3})
	brokertest.Run(t, brokertest.Target{
		New:      func(t testing.TB) brokertest.Fixture { return brokertest.Live(t, client(cluster)) },
		Parallel: true,
		Differs:  fake.Differs(),
	})
}
