package kafka_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// network is a client's, to brokers that can go away for some attempts to connect.
type network struct {
	mu     sync.Mutex
	conns  []net.Conn
	refuse int
}

func (n *network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse > 0 {
		n.refuse--
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err == nil {
		n.conns = append(n.conns, c)
	}
	return c, err
}

// crash cuts all connections, and refuses so many new ones.
func (n *network) crash(refuse int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close() // as the broker's end would
	}
	n.conns, n.refuse = nil, refuse
}

func TestTransactionsWaitForTheirCoordinator(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	must(t, err)
	t.Cleanup(c.Close)
	n := &network{}
	k, err := kafka.New(kafka.Config{Bootstrap: c.ListenAddrs(), Properties: map[string]string{"retry.backoff.ms": "1", "reconnect.backoff.ms": "1", "reconnect.backoff.max.ms": "1"},
		Host: host.NewLive(t.Context(), host.LiveConfig{}), Dialer: n.dial})
	must(t, err)
	defer k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p, err := k.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x"})
	must(t, err)
	defer p.Close()
	at := broker.TopicPartition{Topic: "t"}
	send := func(value string) {
		t.Helper()
		must(t, p.Send(ctx, at, []broker.Record{{Value: []byte(value), Timestamp: broker.NoTimestamp}}, nil))
		must(t, p.Flush(ctx))
	}

	must(t, p.Begin())
	send("aborted")
	n.crash(6)
	must(t, p.Abort(ctx))

	must(t, p.Begin())
	send("committed")
	n.crash(6)
	must(t, p.SendOffsets(ctx, broker.GroupMetadata{Group: "g", Generation: -1}, map[broker.TopicPartition]broker.OffsetAndMetadata{at: {Offset: 7, LeaderEpoch: -1}}))
	must(t, p.Commit(ctx))

	found, err := k.Admin().CommittedOffsets(ctx, "g")
	if err != nil || found[at].Offset != 7 {
		t.Errorf("committed %v, %v", found, err)
	}
	co, err := k.NewConsumer(ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted})
	must(t, err)
	defer co.Close()
	must(t, co.Assign(ctx, map[broker.TopicPartition]int64{at: 0}))
	for {
		batches, err := co.Poll(ctx, 10, -1)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			for _, r := range b.Records {
				if string(r.Value) != "committed" {
					t.Errorf("read %q", r.Value)
				}
				return
			}
		}
	}
}

func TestTransactionsGiveUpAfterMaxBlock(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	must(t, err)
	t.Cleanup(c.Close)
	n := &network{}
	k, err := kafka.New(kafka.Config{Bootstrap: c.ListenAddrs(), Properties: map[string]string{"retry.backoff.ms": "1", "reconnect.backoff.ms": "1", "reconnect.backoff.max.ms": "1", "max.block.ms": "50"},
		Host: host.NewLive(t.Context(), host.LiveConfig{}), Dialer: n.dial})
	must(t, err)
	defer k.Close()
	p, err := k.NewProducer(t.Context(), broker.ProducerConfig{TransactionalID: "x"})
	must(t, err)
	defer p.Close()
	must(t, p.Begin())
	must(t, p.Send(t.Context(), broker.TopicPartition{Topic: "t"}, []broker.Record{{Value: []byte("v"), Timestamp: broker.NoTimestamp}}, nil))
	must(t, p.Flush(t.Context()))
	n.crash(1 << 30)
	if err := p.Abort(t.Context()); !errors.Is(err, broker.ErrRetriable) {
		t.Errorf("without a broker: %v", err)
	}
	n.crash(0)
	must(t, p.Abort(t.Context()))
}
