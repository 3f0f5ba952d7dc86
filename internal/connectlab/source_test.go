package connectlab_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// source is a source connector of one task that sends batches of the test's values, with their position as offset.
type source struct {
	h         host.Host
	props     map[string]string
	cc        connect.ConnectorContext
	batches   [][]string
	next      int64
	committed []string // by CommitRecord
	commits   int
	tasks     int
}

func (*source) Version() string     { return "1" }
func (*source) Config() *config.Def { return config.NewDef() }
func (s *source) TaskConfigs(int) ([]map[string]string, error) {
	s.tasks++
	return []map[string]string{{"generation": fmt.Sprint(s.tasks)}}, nil
}
func (s *source) NewTask() connect.SourceTask { return &theSourceTask{s: s} }
func (*source) Stop(context.Context)          {}
func (s *source) Start(_ context.Context, cc connect.ConnectorContext, props map[string]string) error {
	s.props, s.cc = props, cc
	return nil
}

type theSourceTask struct {
	s    *source
	from int64 // the offset that was stored
}

var partition = data.MapOfStrings("p", "one")

func (*theSourceTask) Version() string { return "1" }
func (*theSourceTask) Stop()           {}
func (t *theSourceTask) Start(ctx context.Context, tc connect.SourceTaskContext, _ map[string]string) error {
	o, err := tc.Offsets().Offset(ctx, partition)
	if v, ok := o.Get("n"); ok {
		t.from = v.(int64)
	}
	t.s.next = t.from
	return err
}

func (t *theSourceTask) Poll(ctx context.Context) ([]*connect.Record, error) {
	if len(t.s.batches) == 0 {
		return nil, t.s.h.Sleep(ctx, time.Hour)
	}
	batch := t.s.batches[0]
	t.s.batches = t.s.batches[1:]
	var out []*connect.Record
	for _, v := range batch {
		t.s.next++
		out = append(out, connect.NewSourceRecord(partition, data.MapOfStrings("n", t.s.next), "t", data.StringSchema, v))
	}
	return out, nil
}

func (t *theSourceTask) CommitRecord(r *connect.Record, m *connect.RecordMetadata) error {
	text := data.Text(r.Value)
	if len(text) > 20 {
		text = text[:20]
	}
	if m == nil {
		t.s.committed = append(t.s.committed, text+" dropped")
		return nil
	}
	t.s.committed = append(t.s.committed, fmt.Sprintf("%s at %d", text, m.Offset))
	return nil
}

func (t *theSourceTask) Commit(context.Context) error {
	t.s.commits++
	return nil
}

func (l *lab) source(s *source) map[string]string {
	s.h = l.p
	l.plugins.Register(connect.Plugin{Class: "test.Source", Kind: connect.KindSource, New: func(host.Host) any { return s }})
	l.plugins.RegisterTransform("test.Prefix", func(host.Host) connect.Transform { return &prefix{} })
	return map[string]string{"name": "c", "connector.class": "test.Source"}
}

// stored is the offset that a task started now would see.
func (l *lab) stored(ctx context.Context, s *source) any {
	o, err := s.cc.Offsets().Offset(ctx, partition)
	if err != nil {
		l.t.Error(err)
	}
	v, _ := o.Get("n")
	return v
}

func TestSourceLifeCycle(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		s := &source{batches: [][]string{{"a", "b skip", "c"}, {"d"}}}
		props := l.source(s)
		props["transforms"], props["transforms.x.type"], props["transforms.x.skip"] = "x", "test.Prefix", "skip"
		l.start(ctx, props)
		l.sleep(ctx, 5*time.Second)
		want(t, l.values(ctx, "t"), []string{"a", "c", "d"})
		want(t, s.committed, []string{"b skip dropped", "a at 0", "c at 1", "d at 2"})
		if n := l.stored(ctx, s); n != int64(4) || s.commits == 0 {
			t.Errorf("stored %v after %d commits", n, s.commits)
		}
		s.batches = [][]string{{"e skip"}}
		if err := s.cc.RequestTaskReconfiguration(); err != nil {
			t.Error(err)
		}
		l.sleep(ctx, 5*time.Second)
		if n := l.stored(ctx, s); s.tasks != 2 || s.next != 5 || n != int64(4) {
			t.Errorf("after %d generations: at %d, stored %v: what is dropped is not stored", s.tasks, s.next, n)
		}
	})
}

// TestTooLarge sends a record that the producer refuses. The others go on when that is tolerated.
func TestTooLarge(t *testing.T) {
	big := strings.Repeat("x", 2<<20)
	for tolerance, state := range map[string]worker.State{"all": worker.Running, "none": worker.Failed} {
		t.Run(tolerance, func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab) {
				s := &source{batches: [][]string{{"a", big, "b"}}}
				props := l.source(s)
				props["errors.tolerance"], props["errors.log.enable"] = tolerance, "true"
				l.start(ctx, props)
				l.sleep(ctx, 5*time.Second)
				st := l.task()
				if st.State != state {
					t.Errorf("%s: %s", st.State, st.Trace)
				}
				if tolerance == "none" {
					if !strings.HasPrefix(st.Trace, "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback\n") {
						t.Error(st.Trace)
					}
					return
				}
				want(t, l.values(ctx, "t"), []string{"a", "b"})
				if n := l.stored(ctx, s); n != int64(3) {
					t.Errorf("stored %v", n)
				}
				if !strings.Contains(l.log.String(), "Executing stage 'KAFKA_PRODUCE'") {
					t.Error("the error is not in the log")
				}
			})
		})
	}
}

// TestTopicRules creates topics as the connector says.
func TestTopicRules(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		s := &source{batches: [][]string{{"a"}}}
		props := l.source(s)
		for k, v := range map[string]string{"groups": "wide", "default.partitions": "2", "default.replication.factor": "1",
			"wide.include": "t.*,other", "wide.partitions": "3", "wide.cleanup.policy": "compact"} {
			props["topic.creation."+k] = v
		}
		l.start(ctx, props)
		l.sleep(ctx, 5*time.Second)
		d, err := l.cluster.Admin().DescribeTopics(ctx, "t")
		if err != nil || len(d["t"].Partitions) != 3 {
			t.Errorf("%v %v", d, err)
		}
		c, err := l.cluster.Admin().TopicConfigs(ctx, "t")
		if err != nil || c["cleanup.policy"] != "compact" {
			t.Errorf("%v %v", c["cleanup.policy"], err)
		}
	})
}
