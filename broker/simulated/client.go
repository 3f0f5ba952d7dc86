package simulated

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// Kafka's client defaults.
const (
	retryBackoff    = 100 * time.Millisecond // retry.backoff.ms
	retryBackoffMax = time.Second            // retry.backoff.max.ms
	requestTimeout  = 30 * time.Second       // request.timeout.ms
	metadataMaxAge  = 5 * time.Minute        // metadata.max.age.ms
	apiTimeout      = 60 * time.Second       // default.api.timeout.ms, max.block.ms
	requestBytes    = 100                    // about what a request without records comes to
)

// client is one process's way into the cluster: what it knows of leaders and coordinators.
type client struct {
	m      *Model // for configuration and numbering only: everything else goes over the network
	p      *sim.Process
	net    *sim.Network
	topics map[string]*topicMeta
	coords map[coordinatorRequest]int32
	next   int // the broker that is asked first when any will do
	asking bool
}

// topicMeta is a topic as the client knows it.
type topicMeta struct {
	leaders []int32
	epochs  []int32
	stale   bool
	fresh   time.Time // until when it needs no refresh
}

// Client returns the port for one process. What it makes belongs to that process and dies with it.
func (m *Model) Client(p *sim.Process) broker.Cluster {
	m.nextSession++
	return &client{
		m: m, p: p, net: m.net, topics: map[string]*topicMeta{}, coords: map[coordinatorRequest]int32{}, next: int(m.nextSession) % len(m.brokers),
	}
}

// Close releases nothing: a client holds nothing of its own.
func (c *client) Close() {}

func (c *client) session() int64 {
	c.m.nextSession++
	return c.m.nextSession
}

// anyBroker is the next broker in turn.
func (c *client) anyBroker() string {
	c.next++
	return brokerAddr(int32(c.next%len(c.m.brokers)) + 1)
}

// backoff is the wait before the n-th retry.
func backoff(n int) time.Duration { return min(retryBackoff<<min(n, 8), retryBackoffMax) }

// callError makes the port's error of a failure of the network.
func callError(op string, err error) error {
	kind := broker.ErrRetriable
	switch {
	case errors.Is(err, sim.ErrTimeout):
		kind = broker.ErrTimeout
	case errors.Is(err, sim.ErrConnectionReset), errors.Is(err, sim.ErrConnectionRefused):
	default:
		return err // the context's
	}
	return &broker.Error{Op: op, Kind: kind, Text: err.Error()}
}

func lost(err error) bool {
	return errors.Is(err, sim.ErrTimeout) || errors.Is(err, sim.ErrConnectionReset) || errors.Is(err, sim.ErrConnectionRefused)
}

// deadline runs f until it says that it is done, with back-off between, for as long as an API call may take.
func (c *client) retry(ctx context.Context, op string, f func() (done bool, err error)) error {
	until := c.p.Now().Add(apiTimeout)
	for n := 0; ; n++ {
		done, err := f()
		if done {
			return err
		}
		if c.p.Now().After(until) {
			if err == nil || !errors.Is(err, broker.ErrTimeout) {
				err = &broker.Error{Op: op, Kind: broker.ErrTimeout, Text: fmt.Sprintf("not done within %s: %v", apiTimeout, err)}
			}
			return err
		}
		if err := c.p.Sleep(ctx, backoff(n)); err != nil {
			return err
		}
	}
}

// call sends one request and blocks for the answer, for request.timeout.ms at the most: then it counts as lost.
func (c *client) call(ctx context.Context, addr string, req any, bytes int) (any, error) {
	limited, cancel := c.p.WithTimeout(ctx, requestTimeout)
	defer cancel()
	resp, err := c.net.Call(limited, c.p, addr, req, bytes)
	if err != nil && !lost(err) && ctx.Err() == nil {
		err = sim.ErrTimeout
	}
	return resp, err
}

// callAny asks any broker.
func (c *client) callAny(ctx context.Context, op string, req any) (any, error) {
	var resp any
	err := c.retry(ctx, op, func() (bool, error) {
		var err error
		resp, err = c.call(ctx, c.anyBroker(), req, requestBytes)
		if err != nil && lost(err) {
			return false, callError(op, err)
		}
		return true, err
	})
	return resp, err
}

// refresh fetches the topics' metadata.
func (c *client) refresh(ctx context.Context, topics ...string) error {
	resp, err := c.callAny(ctx, "Metadata", &metadataRequest{topics: topics})
	if err == nil {
		c.learn(topics, resp.(*metadataResponse))
	}
	return err
}

// learn takes over what a broker says; a topic that was asked for and is not there is forgotten.
func (c *client) learn(asked []string, resp *metadataResponse) {
	for _, name := range asked {
		delete(c.topics, name)
	}
	for _, d := range resp.topics {
		t := &topicMeta{fresh: c.p.Now().Add(metadataMaxAge)}
		for _, p := range d.Partitions {
			t.leaders, t.epochs = append(t.leaders, p.Leader), append(t.epochs, p.LeaderEpoch)
		}
		c.topics[d.Name] = t
	}
}

// topic returns a topic's metadata, asking for it when it is not known; ErrUnknownTopic when there is no such topic.
func (c *client) topic(ctx context.Context, name string) (*topicMeta, error) {
	if t := c.topics[name]; t != nil && !t.stale {
		if now := c.p.Now(); t.fresh.Before(now) {
			t.fresh = now.Add(metadataMaxAge)
			c.refreshSoon([]string{name}, func() {})
		}
		return t, nil
	}
	resp, err := c.callAny(ctx, "Metadata", &metadataRequest{[]string{name}, true})
	if err != nil {
		return nil, err
	}
	c.learn([]string{name}, resp.(*metadataResponse))
	if t := c.topics[name]; t != nil {
		return t, nil
	}
	return nil, codeUnknownTopic.err("Metadata", name)
}

// leader is what the client believes; -1: unknown.
func (c *client) leader(tp broker.TopicPartition) (id, epoch int32) {
	t := c.topics[tp.Topic]
	if t == nil || int(tp.Partition) >= len(t.leaders) || tp.Partition < 0 {
		return -1, -1
	}
	return t.leaders[tp.Partition], t.epochs[tp.Partition]
}

// refreshSoon asks any broker for the topics' metadata and calls done, whatever came of it. One question at a time: while one is
// under way further ones are dropped, and done is called by the back-off.
func (c *client) refreshSoon(topics []string, done func()) {
	if c.asking {
		c.p.After(retryBackoff, done)
		return
	}
	c.asking = true
	topics = slices.Clone(topics)
	c.net.CallAsync(c.p, c.anyBroker(), &metadataRequest{topics: topics}, requestBytes, func(resp any, err error) {
		c.asking = false
		if err == nil {
			c.learn(topics, resp.(*metadataResponse))
		}
		done()
	})
}

// coordinator finds a coordinator's broker without blocking; addr is empty when nobody knew.
func (c *client) coordinator(kind coordinatorKind, key string, done func(addr string)) {
	req := coordinatorRequest{kind, key}
	if id, ok := c.coords[req]; ok {
		done(brokerAddr(id))
		return
	}
	c.net.CallAsync(c.p, c.anyBroker(), &req, requestBytes, func(resp any, err error) {
		if err != nil || resp.(*coordinatorResponse).code != codeNone {
			done("")
			return
		}
		id := resp.(*coordinatorResponse).id
		c.coords[req] = id
		done(brokerAddr(id))
	})
}

// forgetCoordinator makes the next call look for it anew.
func (c *client) forgetCoordinator(kind coordinatorKind, key string) {
	delete(c.coords, coordinatorRequest{kind, key})
}

// askCoordinator sends one request to a coordinator without blocking. An error says that there was no answer.
func (c *client) askCoordinator(kind coordinatorKind, key string, req any, done func(resp any, err error)) {
	c.coordinator(kind, key, func(addr string) {
		if addr == "" {
			done(nil, sim.ErrConnectionRefused)
			return
		}
		c.net.CallAsync(c.p, addr, req, requestBytes, func(resp any, err error) {
			if err != nil {
				c.forgetCoordinator(kind, key)
			}
			done(resp, err)
		})
	})
}

// coordinatorCall is a request to a coordinator that blocks until the answer is final: it looks for the coordinator, and retries
// what is retriable.
type coordinatorCall struct {
	op   string
	kind coordinatorKind
	key  string
	req  any
	code func(resp any) code
	text string
}

func (c *client) callCoordinator(ctx context.Context, call coordinatorCall) (any, error) {
	var resp any
	err := c.retry(ctx, call.op, func() (bool, error) {
		var err error
		if resp, err = c.callOnce(ctx, &call); err != nil {
			return !lost(err), callError(call.op, err)
		}
		e := call.code(resp)
		if e.moved() {
			c.forgetCoordinator(call.kind, call.key)
		}
		return !e.retriable(), e.err(call.op, call.text)
	})
	return resp, err
}

func (c *client) callOnce(ctx context.Context, call *coordinatorCall) (any, error) {
	key := coordinatorRequest{call.kind, call.key}
	id, ok := c.coords[key]
	if !ok {
		resp, err := c.call(ctx, c.anyBroker(), &key, requestBytes)
		if err != nil {
			return nil, err
		}
		r := resp.(*coordinatorResponse)
		if r.code != codeNone {
			return nil, sim.ErrConnectionRefused
		}
		id = r.id
		c.coords[key] = id
	}
	resp, err := c.call(ctx, brokerAddr(id), call.req, requestBytes)
	if err != nil {
		delete(c.coords, key)
	}
	return resp, err
}
