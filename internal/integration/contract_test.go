//go:build integration

package integration_test

import (
	"os"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
)

func TestMain(m *testing.M) { os.Exit(integration.Main(m)) }

// connect is a process's way to the real cluster.
func connect(h host.Host) (broker.Cluster, func(), error) {
	link := new(kafka.Link)
	cluster, err := kafka.New(kafka.Config{Bootstrap: integration.Bootstrap(), Dialer: link.Dial, Host: h})
	return cluster, link.Cut, err
}

func TestContract(t *testing.T) {
	brokertest.Run(t, brokertest.Target{
		New:      func(t testing.TB) brokertest.Fixture { return brokertest.Live(t, connect) },
		Parallel: true,
	})
}
