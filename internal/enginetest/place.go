// Package enginetest is for what the Streams engine must do on a cluster and cannot show in a driver of one task: the same cases run on the
// simulated cluster, on the fake one, and on a real one.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams"
)

// Case is something to be tried. Run returns what is wrong. Its context is the one that the host gave to the calling thread.
type Case struct {
	Name string
	Run  func(ctx context.Context, p *Place) error
}

// Cases are all of them.
var Cases = []Case{
	{"pattern", pattern},
	{"reset policies", resets},
	{"out of range", outOfRange},
	{"foreign key", foreignKeys},
	{"global table", globalTable},
}

// Place is where a case runs: one process, and its way to a cluster. It is for one case.
type Place struct {
	Host    host.Host
	Cluster broker.Cluster
	// Prefix begins the names of everything that the case makes.
	Prefix string

	apps []*streams.Instance
	disk bool // stores are kept on the host's disk
}

// patience is how long a case waits for what must come.
const patience = 90 * time.Second

func (p *Place) name(s string) string { return p.Prefix + s }

func (p *Place) topic(ctx context.Context, name string, partitions int32) error {
	return p.Cluster.Admin().CreateTopics(ctx, broker.NewTopic{Name: p.name(name), Partitions: partitions, ReplicationFactor: -1})
}

// until asks again and again, until done says so.
func (p *Place) until(ctx context.Context, what string, done func() (bool, error)) error {
	end := p.Host.Now().Add(patience)
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if p.Host.Now().After(end) {
			return fmt.Errorf("%s: it has not come to that within %v", what, patience)
		}
		if err := p.Host.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// line is a record to write: Partition negative is by the key.
type line struct {
	topic, key, value string
	partition         int32
	at                time.Time
}

func (p *Place) write(ctx context.Context, lines ...line) error {
	producer, err := p.Cluster.NewProducer(ctx, broker.ProducerConfig{})
	if err != nil {
		return err
	}
	defer producer.Close()
	for _, l := range lines {
		tp := broker.TopicPartition{Topic: p.name(l.topic), Partition: l.partition}
		var n int32
		if err := p.until(ctx, "topic "+tp.Topic, func() (bool, error) {
			n, err = producer.Partitions(ctx, tp.Topic)
			if errors.Is(err, broker.ErrUnknownTopic) {
				return false, nil // not everybody has heard of it yet
			}
			return true, err
		}); err != nil {
			return err
		}
		if l.partition < 0 {
			tp.Partition = broker.PartitionForKey([]byte(l.key), n)
		}
		r := broker.Record{Key: []byte(l.key), Value: []byte(l.value), Timestamp: l.at.UnixMilli()}
		if l.value == "" {
			r.Value = nil
		}
		if l.at.IsZero() {
			r.Timestamp = p.Host.Now().UnixMilli()
		}
		if err := producer.Send(ctx, tp, []broker.Record{r}, nil); err != nil {
			return err
		}
	}
	return producer.Flush(ctx)
}

// app starts an application with threads of its own.
func (p *Place) app(name string, top *streams.Topology, threads int, props map[string]string) (*streams.Instance, error) {
	all := map[string]string{"application.id": p.name(name), "commit.interval.ms": "100", "metadata.max.age.ms": "1000", "heartbeat.interval.ms": "300",
		"num.stream.threads": fmt.Sprint(threads), "state.dir": "/" + p.name(name), "replication.factor": "-1"}
	for k, v := range props { // into a map again
		all[k] = v
	}
	cfg, err := streams.ParseConfig(all)
	if err != nil {
		return nil, err
	}
	cfg.MemoryEngine = !p.disk
	cfg.ProcessID[0] = byte(len(p.apps) + 1) // several instances of one process
	i := streams.NewInstance(top, cfg, p.Cluster, p.Host)
	if err := i.Start(); err != nil {
		return nil, err
	}
	p.apps = append(p.apps, i)
	return i, nil
}

// Stop ends the applications that still run.
func (p *Place) Stop(ctx context.Context) error {
	var errs []error
	for _, i := range p.apps {
		if i.State() == streams.NotRunning || i.State() == streams.Error {
			continue
		}
		i.Stop(true)
		errs = append(errs, i.Wait(ctx))
	}
	return errors.Join(errs...)
}

// running waits until an application has n tasks that run.
func (p *Place) running(ctx context.Context, i *streams.Instance, n int) error {
	return p.until(ctx, fmt.Sprintf("%d running tasks", n), func() (bool, error) {
		if err := i.Err(); err != nil {
			return false, err
		}
		have := 0
		for _, t := range i.Tasks() {
			if t.Running {
				have++
			}
		}
		return have == n, nil
	})
}

// lines waits until a topic holds exactly these "key=value", in any order, and then looks that nothing more comes.
func (p *Place) lines(ctx context.Context, topic string, want ...string) error {
	return p.reach(ctx, topic, want, func(key, value string, have []string) []string { return append(have, key+"="+value) })
}

// table is lines for the last value of each key; a null deletes it.
func (p *Place) table(ctx context.Context, topic string, want ...string) error {
	return p.reach(ctx, topic, want, func(key, value string, have []string) []string {
		have = slices.DeleteFunc(have, func(l string) bool { return len(l) > len(key) && l[:len(key)+1] == key+"=" })
		if value != "" {
			have = append(have, key+"="+value)
		}
		return have
	})
}

func (p *Place) reach(ctx context.Context, topic string, want []string, add func(key, value string, have []string) []string) error {
	slices.Sort(want)
	c, err := p.reader(ctx, p.name(topic))
	if err != nil {
		return err
	}
	defer c.Close()
	var have []string
	end, settled := p.Host.Now().Add(patience), time.Time{}
	for {
		batches, err := c.Poll(ctx, 1000, 200*time.Millisecond)
		if err != nil {
			return err
		}
		for _, b := range batches {
			for _, r := range b.Records {
				have = add(string(r.Key), string(r.Value), have)
			}
		}
		now := p.Host.Now()
		slices.Sort(have)
		switch same := slices.Equal(have, want); {
		case !same && now.After(end):
			return fmt.Errorf("topic %s: want %q, got %q", topic, want, have)
		case !same:
			settled = time.Time{}
		case settled.IsZero():
			settled = now
		case now.Sub(settled) > time.Second:
			return nil
		}
	}
}

// reader reads a topic from the beginning.
func (p *Place) reader(ctx context.Context, topic string) (broker.Consumer, error) {
	c, err := p.Cluster.NewConsumer(ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest})
	if err != nil {
		return nil, err
	}
	d, err := p.Cluster.Admin().DescribeTopics(ctx, topic)
	if err != nil {
		c.Close()
		return nil, err
	}
	at := map[broker.TopicPartition]int64{}
	for i := range d[topic].Partitions {
		at[broker.TopicPartition{Topic: topic, Partition: int32(i)}] = broker.NoOffset
	}
	if err := c.Assign(ctx, at); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}
