package connectlab_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// mine is a family of plugins of which one method, at, panics: as Go does at a nil map, a nil pointer or an index.
type mine struct {
	h     host.Host
	at    string
	panic func() // what happens there
}

func (m *mine) step(name string) {
	if m.at == name {
		m.panic()
	}
}

func (m *mine) Version() string     { m.step("version"); return "1" }
func (m *mine) Config() *config.Def { m.step("config"); return config.NewDef() }
func (m *mine) Start(context.Context, connect.ConnectorContext, map[string]string) error {
	m.step("connector start")
	return nil
}
func (m *mine) TaskConfigs(int) ([]map[string]string, error) {
	m.step("taskConfigs")
	return []map[string]string{{}}, nil
}
func (m *mine) Stop(context.Context) { m.step("connector stop") }

type mineSource struct{ *mine }

func (m mineSource) NewTask() connect.SourceTask {
	m.step("newTask")
	return &mineSourceTask{mine: m.mine}
}

type mineSourceTask struct {
	*mine
	n int64
}

func (t *mineSourceTask) Version() string { return "1" }
func (t *mineSourceTask) Start(context.Context, connect.SourceTaskContext, map[string]string) error {
	t.step("task start")
	return nil
}
func (t *mineSourceTask) Poll(ctx context.Context) ([]*connect.Record, error) {
	t.step("poll")
	if t.n == 3 {
		return nil, t.h.Sleep(ctx, time.Hour)
	}
	t.n++
	r := connect.NewSourceRecord(partition, data.MapOfStrings("n", t.n), "mined", data.StringSchema, "v")
	r.Headers = data.NewHeaders(data.Header{Key: "h", Schema: data.StringSchema, Value: "x"})
	return []*connect.Record{r}, nil
}
func (t *mineSourceTask) CommitRecord(*connect.Record, *connect.RecordMetadata) error {
	t.step("commitRecord")
	return nil
}
func (t *mineSourceTask) Commit(context.Context) error { t.step("commit"); return nil }
func (t *mineSourceTask) Stop()                        { t.step("task stop") }

type mineSink struct{ *mine }

func (m mineSink) NewTask() connect.SinkTask { m.step("newTask"); return mineSinkTask(m) }

type mineSinkTask struct{ *mine }

func (t mineSinkTask) Version() string { return "1" }
func (t mineSinkTask) Start(context.Context, connect.SinkTaskContext, map[string]string) error {
	t.step("task start")
	return nil
}
func (t mineSinkTask) Open(context.Context, []broker.TopicPartition) error {
	t.step("open")
	return nil
}
func (t mineSinkTask) Close(context.Context, []broker.TopicPartition) error {
	t.step("close")
	return nil
}
func (t mineSinkTask) Put(context.Context, []*connect.Record) error { t.step("put"); return nil }
func (t mineSinkTask) PreCommit(_ context.Context, o connect.Offsets) (connect.Offsets, error) {
	t.step("preCommit")
	return o, nil
}
func (t mineSinkTask) Stop() { t.step("task stop") }

type mineTransform struct{ *mine }

func (t mineTransform) Config() *config.Def          { return config.NewDef() }
func (t mineTransform) Configure(config.Props) error { t.step("transform configure"); return nil }
func (t mineTransform) Close()                       { t.step("transform close") }
func (t mineTransform) Apply(r *connect.Record) (*connect.Record, error) {
	t.step("apply")
	return r, nil
}

type minePredicate struct{ *mine }

func (p minePredicate) Config() *config.Def          { return config.NewDef() }
func (p minePredicate) Configure(config.Props) error { p.step("predicate configure"); return nil }
func (p minePredicate) Close()                       { p.step("predicate close") }
func (p minePredicate) Holds(*connect.Record) (bool, error) {
	p.step("holds")
	return true, nil
}

type mineConverter struct {
	*mine
	converters.String
}

func (c *mineConverter) Config() *config.Def { return c.String.Config() }
func (c *mineConverter) Configure(p config.Props, key bool) error {
	c.step("converter configure")
	return c.String.Configure(p, key)
}
func (c *mineConverter) ConfigureHeaders(p config.Props) error {
	c.step("header configure")
	return c.String.ConfigureHeaders(p)
}
func (c *mineConverter) Close() { c.step("header close") }
func (c *mineConverter) FromConnect(topic string, h *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	c.step("fromConnect")
	return c.String.FromConnect(topic, h, s, v)
}
func (c *mineConverter) ToConnect(topic string, h []broker.Header, b []byte) (data.SchemaAndValue, error) {
	c.step("toConnect")
	return c.String.ToConnect(topic, h, b)
}
func (c *mineConverter) FromHeader(topic, key string, s *data.Schema, v any) ([]byte, error) {
	c.step("fromHeader")
	return c.String.FromHeader(topic, key, s, v)
}
func (c *mineConverter) ToHeader(topic, key string, b []byte) (data.SchemaAndValue, error) {
	c.step("toHeader")
	return c.String.ToHeader(topic, key, b)
}

// lay registers the plugins, and returns the properties of a source or sink connector that uses all of them.
func (l *lab) lay(m *mine, sink bool) map[string]string {
	m.h = l.p
	register := func(class string, k connect.Kind, x any) {
		l.plugins.Register(connect.Plugin{Class: class, Kind: k, Version: "1", New: func(host.Host) any { return x }})
	}
	register("m.Source", connect.KindSource, mineSource{m})
	register("m.Sink", connect.KindSink, mineSink{m})
	register("m.Transform", connect.KindTransform, mineTransform{m})
	register("m.Predicate", connect.KindPredicate, minePredicate{m})
	l.plugins.Register(connect.Plugin{Class: "m.Converter", Kind: connect.KindConverter, Version: "1", New: func(host.Host) any { return &mineConverter{mine: m} }},
		connect.Plugin{Class: "m.Converter", Kind: connect.KindHeaderConverter, Version: "1", New: func(host.Host) any { return &mineConverter{mine: m} }})
	props := map[string]string{"name": "mine", "connector.class": "m.Source", "transforms": "t", "transforms.t.type": "m.Transform", "transforms.t.predicate": "p",
		"predicates": "p", "predicates.p.type": "m.Predicate", "key.converter": "m.Converter", "value.converter": "m.Converter", "header.converter": "m.Converter",
		"errors.tolerance": "all", "errors.retry.timeout": "-1"}
	if sink {
		props["connector.class"], props["topics"] = "m.Sink", "mined"
	}
	return props
}

// TestPanics: a panic of a plugin, wherever, fails its connector or task, with the stack in the trace; the rest of the worker lives on. Tolerance does
// not matter.
func TestPanics(t *testing.T) {
	common := []string{"connector start", "taskConfigs", "newTask", "connector stop", "task start", "task stop", "transform configure", "transform close",
		"apply", "predicate configure", "predicate close", "holds", "converter configure", "header configure", "header close"}
	for _, c := range []struct {
		kind  string
		sink  bool
		steps []string
	}{
		{"source", false, append(common[:len(common):len(common)], "poll", "commitRecord", "commit", "fromConnect", "fromHeader")},
		{"sink", true, append(common[:len(common):len(common)], "open", "close", "put", "preCommit", "toConnect", "toHeader")},
	} {
		for _, step := range c.steps {
			t.Run(c.kind+"/"+step, func(t *testing.T) {
				inLab(t, func(ctx context.Context, l *lab) {
					l.topic(ctx, "mined")
					l.topic(ctx, "t")
					l.start(ctx, l.lay(&mine{at: step, panic: func() { count(nil) }}, c.sink))
					if c.sink {
						l.mined(ctx)
					}
					l.sleep(ctx, 5*time.Second)
					l.mustStillCopy(ctx)
					l.w.Stop(ctx)
					s := l.w.Status()
					state, trace := s[1].State, s[1].Trace
					if len(s[1].Tasks) > 0 && state != worker.Failed {
						state, trace = s[1].Tasks[0].State, s[1].Tasks[0].Trace
					}
					if state != worker.Failed || !strings.Contains(trace, " has panicked: assignment to entry in nil map\n\tat ") || !strings.Contains(trace, ".(*mine).step(panic_test.go:") {
						t.Errorf("%s: %s", state, trace)
					}
					if strings.Contains(trace, "0x") || strings.Contains(trace, "goroutine") {
						t.Errorf("another run has another trace: %s", trace)
					}
				})
			})
		}
	}
}

func count(n map[string]int) { n["x"]++ }

// mined writes a record with a header to the topic mined.
func (l *lab) mined(ctx context.Context) {
	p, err := l.cluster.NewProducer(ctx, broker.ProducerConfig{})
	if err != nil {
		l.t.Error(err)
		return
	}
	defer p.Close()
	r := broker.Record{Value: []byte("v"), Timestamp: broker.NoTimestamp, Headers: []broker.Header{{Key: "h", Value: []byte("x")}}}
	if err := p.Send(ctx, broker.TopicPartition{Topic: "mined"}, []broker.Record{r}, nil); err != nil {
		l.t.Error(err)
	}
	if err := p.Flush(ctx); err != nil {
		l.t.Error(err)
	}
}

// mustStillCopy starts a sink in the same worker and sees it work.
func (l *lab) mustStillCopy(ctx context.Context) {
	s := &sink{}
	l.start(ctx, l.sink(s))
	l.produce(ctx, "t", "a")
	l.sleep(ctx, 10*time.Second)
	if !strings.Contains(strings.Join(s.calls, "; "), "put a") {
		l.t.Errorf("the rest of the worker does not live: %v", s.calls)
	}
}

// TestPanicBeforeTheStart: a panic while a configuration is looked at is the answer to who wants the connector started.
func TestPanicBeforeTheStart(t *testing.T) {
	for _, step := range []string{"config", "version"} {
		inLab(t, func(ctx context.Context, l *lab) {
			m := &mine{panic: func() { panic("boom") }}
			props := l.lay(m, false)
			m.at = step
			err := l.w.StartConnector(ctx, props)
			if err == nil || !strings.Contains(err.Error(), "has panicked: boom") {
				t.Errorf("%s: %v", step, err)
			}
			l.topic(ctx, "t")
			l.mustStillCopy(ctx)
		})
	}
}

// TestBrokenRulesStayFatal: what the simulator panics with is no failure of a task but of the run: here a task sleeps while it holds a lock.
func TestBrokenRulesStayFatal(t *testing.T) {
	_, err := runLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "mined")
		l.start(ctx, l.lay(&mine{at: "poll", panic: func() {
			mu := l.p.NewMutex()
			mu.Lock()
			defer mu.Unlock()
			_ = l.p.Sleep(ctx, time.Second)
		}}, false))
		l.sleep(ctx, time.Minute)
	})
	if err == nil || !strings.Contains(err.Error(), "while it holds 1 mutex") {
		t.Errorf("the run goes on: %v", err)
	}
}

// TestKillIsNoPanic: a process that is killed while a plugin blocks ends; nothing is made of it.
func TestKillIsNoPanic(t *testing.T) {
	var said []string
	_, err := runLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "mined")
		props := l.lay(&mine{at: "none"}, false)
		l.start(ctx, props)
		l.sleep(ctx, time.Minute)
		defer func() { said = append(said, l.log.String()) }()
		l.p.Kill()
		l.sleep(ctx, time.Minute)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || strings.Contains(said[0], "panicked") {
		t.Errorf("%v", said)
	}
}
