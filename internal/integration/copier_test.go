//go:build integration

package integration_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// copier is the smallest engine that copies exactly once: what it polls it sends, and commits with its positions.
type copier struct {
	host    *host.Live
	link    *kafka.Link
	cluster *kafka.Cluster
	name    string
	from    string
	to      string

	member   broker.Member
	producer broker.Producer
	open     bool
	next     map[broker.TopicPartition]broker.OffsetAndMetadata // positions of the open transaction
	owned    []broker.TopicPartition
	began    time.Time
	err      error
}

func startCopier(bootstrap []string, name, from, to string) (*copier, error) {
	c := &copier{name: name, from: from, to: to, link: new(kafka.Link), next: map[broker.TopicPartition]broker.OffsetAndMetadata{}}
	c.host = host.NewLive(context.Background(), host.LiveConfig{Name: name, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	var err error
	c.cluster, err = kafka.New(kafka.Config{Bootstrap: bootstrap, Dialer: c.link.Dial, Host: c.host})
	if err != nil {
		return nil, err
	}
	c.host.Go("copier", func(ctx context.Context) {
		if err := c.run(ctx); ctx.Err() == nil {
			c.err = err
		}
	})
	return c, nil
}

// kill is kill -9.
func (c *copier) kill() {
	c.link.Cut()
	c.host.Kill()
	c.host.Wait()
	if c.member != nil {
		c.member.Close()
	}
	if c.producer != nil {
		c.producer.Close()
	}
	c.cluster.Close()
}

func (c *copier) run(ctx context.Context) (err error) {
	if c.producer, err = c.newProducer(ctx); err != nil {
		return err
	}
	c.member, err = c.cluster.JoinGroup(ctx, broker.MemberConfig{Group: "copiers-" + c.to, Topics: []string{c.from}, Assignor: spread{}, Listener: c,
		ConsumerConfig: broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest},
		SessionTimeout: 3 * time.Second, HeartbeatInterval: 300 * time.Millisecond, RebalanceTimeout: 20 * time.Second})
	for err == nil {
		err = c.step(ctx)
	}
	return err
}

func (c *copier) newProducer(ctx context.Context) (broker.Producer, error) {
	for {
		p, err := c.cluster.NewProducer(ctx, broker.ProducerConfig{TransactionalID: c.name, TransactionTimeout: 10 * time.Second})
		if !errors.Is(err, broker.ErrRetriable) {
			return p, err
		}
		if err := c.host.Sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func (c *copier) step(ctx context.Context) error {
	batches, err := c.member.Poll(ctx, 200, 20*time.Millisecond)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if !c.open {
			if err := c.producer.Begin(); err != nil {
				return c.recover(ctx, err)
			}
			c.open, c.began = true, time.Now()
		}
		out := broker.TopicPartition{Topic: c.to, Partition: b.Partition}
		if err := c.producer.Send(ctx, out, slices.Clone(b.Records), nil); err != nil {
			return c.recover(ctx, err)
		}
		c.next[b.TopicPartition] = broker.OffsetAndMetadata{Offset: b.Next, LeaderEpoch: -1}
	}
	if c.open && time.Since(c.began) > 30*time.Millisecond {
		return c.commit(ctx)
	}
	return nil
}

func (c *copier) commit(ctx context.Context) error {
	if !c.open {
		return nil
	}
	err := c.producer.SendOffsets(ctx, c.member.Metadata(), c.next)
	if err == nil {
		err = c.producer.Commit(ctx)
	}
	if err != nil {
		return c.recover(ctx, err)
	}
	c.open = false
	clear(c.next)
	return nil
}

// recover gives up the transaction, and goes back to what is committed.
func (c *copier) recover(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fresh := errors.Is(why, broker.ErrFenced) || !c.open
	if !fresh {
		fresh = c.producer.Abort(ctx) != nil
	}
	if fresh {
		c.producer.Close()
		var err error
		if c.producer, err = c.newProducer(ctx); err != nil {
			return err
		}
	}
	c.open = false
	clear(c.next)
	if len(c.owned) == 0 {
		return nil
	}
	committed, err := c.member.Committed(ctx, c.owned...)
	if err != nil {
		return err
	}
	for _, tp := range c.owned {
		c.member.Seek(tp, committed[tp].Offset) // or 0
	}
	return nil
}

func (c *copier) Revoked(ctx context.Context, tps []broker.TopicPartition) {
	if err := c.commit(ctx); err != nil && ctx.Err() == nil {
		c.err = err
	}
	c.owned = slices.DeleteFunc(c.owned, func(tp broker.TopicPartition) bool { return slices.Contains(tps, tp) })
}

func (c *copier) Assigned(_ context.Context, full broker.Assignment, _ []broker.TopicPartition) {
	c.owned = slices.Clone(full.Partitions)
}

func (c *copier) Lost(ctx context.Context, _ []broker.TopicPartition) {
	c.owned = nil
	if c.open {
		if err := c.recover(ctx, broker.ErrUnknownMember); err != nil && ctx.Err() == nil {
			c.err = err
		}
	}
}

// spread is a cooperative assignor: partition i goes to member i modulo n, when its owner has let it go.
type spread struct{}

func (spread) Name() string      { return "spread" }
func (spread) Cooperative() bool { return true }
func (spread) UserData() []byte  { return nil }

func (spread) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	owners := map[broker.TopicPartition]string{}
	out := map[string]broker.Assignment{}
	for _, m := range g.Members {
		out[m.MemberID] = broker.Assignment{}
		for _, tp := range m.Owned {
			owners[tp] = m.MemberID
		}
	}
	for topic, n := range g.Partitions {
		for p := range n {
			to, tp := g.Members[int(p)%len(g.Members)].MemberID, broker.TopicPartition{Topic: topic, Partition: p}
			if owner := owners[tp]; owner == "" || owner == to {
				out[to] = broker.Assignment{Partitions: append(out[to].Partitions, tp)}
			}
		}
	}
	return out, nil
}
