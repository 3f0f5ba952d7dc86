package connectlab_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/sim"
)

// lab is a worker on the simulated cluster, with a connector that the test writes itself.
type lab struct {
	t       *testing.T
	k       *sim.Kernel
	p       *sim.Process
	cluster broker.Cluster
	plugins *connect.Plugins
	w       *worker.Worker
	log     strings.Builder
}

// inLab runs a test's thread in a lab, at most an hour of virtual time.
func inLab(t *testing.T, main func(ctx context.Context, l *lab)) {
	t.Helper()
	done, err := runLab(t, main)
	if err != nil {
		t.Fatal(err)
	}
	if !done {
		t.Fatal("the test did not end")
	}
}

// runLab is inLab that returns how the simulation went.
func runLab(t *testing.T, main func(ctx context.Context, l *lab)) (done bool, _ error) {
	t.Helper()
	l := &lab{t: t, plugins: builtin.Plugins(file.Standard{})}
	l.k = sim.New(sim.Config{Seed: 1, Start: time.UnixMilli(1700000000000).UTC(), Logger: slog.New(slog.NewTextHandler(&l.log, nil))})
	defer l.k.Close()
	l.p = l.k.NewProcess("lab", sim.NewDisk(sim.DiskConfig{}))
	l.cluster = simulated.New(l.k, simulated.Config{Brokers: 1}).Client(l.p)
	cfg, err := worker.ParseConfig(l.plugins, map[string]string{"key.converter": "String", "value.converter": "String",
		"offset.storage.file.filename": "offsets", "offset.flush.interval.ms": "1000"})
	if err != nil {
		t.Fatal(err)
	}
	l.p.Go("test", func(ctx context.Context) {
		store, err := worker.OpenOffsetFile(l.p, cfg.OffsetFile())
		if err != nil {
			t.Error(err)
		}
		l.w = worker.New(l.p, l.cluster, l.plugins, cfg, store)
		main(ctx, l)
		l.w.Stop(ctx)
		done = true
	})
	err = l.k.RunUntil(l.k.Now().Add(time.Hour))
	return done, err
}

func (l *lab) start(ctx context.Context, props map[string]string) {
	if err := l.w.StartConnector(ctx, props); err != nil {
		l.t.Errorf("%s: %s", props["name"], data.StackTrace(err))
	}
}

func (l *lab) topic(ctx context.Context, name string) {
	if err := l.cluster.Admin().CreateTopics(ctx, broker.NewTopic{Name: name, Partitions: 1, ReplicationFactor: 1}); err != nil {
		l.t.Error(err)
	}
}

func (l *lab) produce(ctx context.Context, topic string, values ...string) {
	p, err := l.cluster.NewProducer(ctx, broker.ProducerConfig{})
	if err != nil {
		l.t.Error(err)
		return
	}
	defer p.Close()
	var records []broker.Record
	for _, v := range values {
		records = append(records, broker.Record{Value: []byte(v), Timestamp: broker.NoTimestamp})
	}
	if err := p.Send(ctx, broker.TopicPartition{Topic: topic}, records, nil); err != nil {
		l.t.Error(err)
	}
	if err := p.Flush(ctx); err != nil {
		l.t.Error(err)
	}
}

// values are what a topic holds.
func (l *lab) values(ctx context.Context, topic string) (out []string) {
	tp := broker.TopicPartition{Topic: topic}
	c, err := l.cluster.NewConsumer(ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
	if err != nil {
		l.t.Error(err)
		return nil
	}
	defer c.Close()
	if err := c.Assign(ctx, map[broker.TopicPartition]int64{tp: 0}); err != nil {
		l.t.Error(err)
	}
	for {
		batches, err := c.Poll(ctx, 100, time.Second)
		if err != nil || len(batches) == 0 {
			return out
		}
		for _, b := range batches {
			for _, r := range b.Records {
				out = append(out, string(r.Value))
			}
		}
	}
}

func (l *lab) committed(ctx context.Context, group, topic string) int64 {
	o, err := l.cluster.Admin().CommittedOffsets(ctx, group)
	if err != nil {
		l.t.Error(err)
	}
	return o[broker.TopicPartition{Topic: topic}].Offset
}

func (l *lab) sleep(ctx context.Context, d time.Duration) {
	if err := l.p.Sleep(ctx, d); err != nil {
		l.t.Error(err)
	}
}

// task is the only task of the only connector.
func (l *lab) task() worker.TaskStatus {
	s := l.w.Status()
	if len(s) != 1 || len(s[0].Tasks) != 1 {
		l.t.Errorf("one connector with one task is expected: %+v", s)
		return worker.TaskStatus{}
	}
	return s[0].Tasks[0]
}

func (l *lab) metric(name string) float64 {
	for _, m := range l.task().Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	l.t.Errorf("no metric %s", name)
	return 0
}

// sink is a sink connector of one task, whose put the test writes.
type sink struct {
	tc    connect.SinkTaskContext
	props map[string]string
	put   func(s *sink, records []*connect.Record) error
	pre   func(o connect.Offsets) (connect.Offsets, error)
	calls []string
}

var _ connect.PreCommitter = (*sink)(nil)

func (*sink) Version() string     { return "1" }
func (*sink) Config() *config.Def { return config.NewDef() }
func (s *sink) TaskConfigs(int) ([]map[string]string, error) {
	return []map[string]string{s.props}, nil
}
func (s *sink) NewTask() connect.SinkTask { return (*theSinkTask)(s) }
func (*sink) Stop(context.Context)        {}
func (s *sink) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	s.props = props
	return nil
}
func (s *sink) PreCommit(_ context.Context, o connect.Offsets) (connect.Offsets, error) {
	if s.pre != nil {
		return s.pre(o)
	}
	return o, nil
}

type theSinkTask sink

func (*theSinkTask) Version() string { return "1" }
func (t *theSinkTask) Stop()         { t.calls = append(t.calls, "stop") }
func (t *theSinkTask) Start(_ context.Context, tc connect.SinkTaskContext, _ map[string]string) error {
	t.tc = tc
	return nil
}

func (t *theSinkTask) Open(_ context.Context, tps []broker.TopicPartition) error {
	t.calls = append(t.calls, fmt.Sprint("open ", tps))
	return nil
}

func (t *theSinkTask) Close(_ context.Context, tps []broker.TopicPartition) error {
	t.calls = append(t.calls, fmt.Sprint("close ", tps))
	return nil
}

func (t *theSinkTask) PreCommit(ctx context.Context, o connect.Offsets) (connect.Offsets, error) {
	return (*sink)(t).PreCommit(ctx, o)
}

func (t *theSinkTask) Put(_ context.Context, records []*connect.Record) error {
	if len(records) == 0 {
		return nil
	}
	var texts []string
	for _, r := range records {
		texts = append(texts, data.Text(r.Value))
	}
	t.calls = append(t.calls, "put "+strings.Join(texts, " "))
	if t.put == nil {
		return nil
	}
	return t.put((*sink)(t), records)
}

func (l *lab) sink(s *sink) map[string]string {
	l.plugins.Register(connect.Plugin{Class: "test.Sink", Kind: connect.KindSink, New: func(host.Host) any { return s }})
	return map[string]string{"name": "c", "connector.class": "test.Sink", "topics": "t"}
}

func want(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), strings.Join(want, "; "))
	}
}
