package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// connectScenario is a NAME-scenario.json as far as a standalone worker can play it: topics, records, connectors that come and go, and what
// the topics hold in the end.
type connectScenario struct {
	Worker map[string]string `json:"worker"`
	Steps  []scenarioStep    `json:"steps"`
}

type scenarioStep struct {
	Do      string         `json:"do"`
	Topic   string         `json:"topic"`
	Records []scenarioData `json:"records"`
	Method  string         `json:"method"`
	Path    string         `json:"path"`
	Body    struct {
		Name   string            `json:"name"`
		Config map[string]string `json:"config"`
	} `json:"body"`
	Until  [][2]any `json:"until"`
	Group  string   `json:"group"`
	Offset int64    `json:"offset"`
	Topics []string `json:"topics"`
}

type scenarioData struct {
	Key, Value json.RawMessage
	Timestamp  int64
	Headers    [][2]json.RawMessage
}

// side is the bytes of a key, value or header value in a recording.
func side(raw json.RawMessage) []byte {
	if isNull(raw) {
		return nil
	}
	o := decode[object](raw)
	switch {
	case o["text"] != nil:
		return []byte(decode[string](o["text"]))
	case o["bytes"] != nil:
		return unhex(o["bytes"])
	}
	var b bytes.Buffer
	must(json.Compact(&b, o["json"]))
	return b.Bytes()
}

func headersOf(list [][2]json.RawMessage) (out []broker.Header) {
	for _, h := range list {
		out = append(out, broker.Header{Key: decode[string](h[0]), Value: side(h[1])})
	}
	return out
}

// scenarioRun is a scenario while it is played, in the simulator.
type scenarioRun struct {
	fsys    fs.FS
	name    string
	k       *sim.Kernel
	model   *simulated.Model
	lab     *sim.Process
	cluster broker.Cluster
	worker  *worker.Worker
	diffs   []string
	missing map[string]string // topics that are not compared, and why
}

// RunConnectScenario plays NAME-scenario.json with a standalone worker on the simulated cluster, and compares the topics with
// NAME-topics.jsonl and the states of failed tasks with NAME-rest.jsonl. Connectors whose plugins are not registered are left out, and
// their topics are returned.
func RunConnectScenario(fsys fs.FS, name string, plugins *connect.Plugins) (diffs []string, missing map[string]string, err error) {
	defer func() {
		if e, ok := recover().(vectorError); ok {
			err = e
		}
	}()
	registerLab(plugins)
	text, err := fs.ReadFile(fsys, name+"-scenario.json")
	if err != nil {
		return nil, nil, err
	}
	s := decode[connectScenario](text)
	k := sim.New(sim.Config{Seed: 1, Start: time.UnixMilli(1700000000000).UTC()})
	defer k.Close()
	r := &scenarioRun{fsys: fsys, name: name, k: k, model: simulated.New(k, simulated.Config{Brokers: 1}), missing: map[string]string{}}
	r.lab = k.NewProcess("lab", sim.NewDisk(sim.DiskConfig{}))
	r.cluster = r.model.Client(r.lab)
	props := maps.Clone(s.Worker)
	props["offset.storage.file.filename"] = "offsets"
	cfg, err := worker.ParseConfig(plugins, props)
	if err != nil {
		return nil, nil, err
	}
	done := false
	r.lab.Go("scenario", func(ctx context.Context) {
		defer func() { done = true }()
		store, e := worker.OpenOffsetFile(r.lab, cfg.OffsetFile())
		if e != nil {
			err = e
			return
		}
		r.worker = worker.New(r.lab, r.cluster, plugins, cfg, store)
		for i := range s.Steps {
			if e := r.step(ctx, &s.Steps[i]); e != nil {
				err = fmt.Errorf("step %d (%s %s): %w", i, s.Steps[i].Do, s.Steps[i].Path, e)
				return
			}
		}
	})
	if e := k.Run(func() bool { return done }); e != nil {
		return nil, nil, e
	}
	return r.diffs, r.missing, err
}

func (r *scenarioRun) step(ctx context.Context, s *scenarioStep) error {
	switch s.Do {
	case "topic":
		return r.cluster.Admin().CreateTopics(ctx, broker.NewTopic{Name: s.Topic, Partitions: 1, ReplicationFactor: 1})
	case "produce":
		return r.produce(ctx, s)
	case "request":
		return r.request(ctx, s)
	case "await":
		return r.await(ctx, s)
	case "await-group":
		return r.until(ctx, func() (bool, error) {
			offsets, err := r.cluster.Admin().CommittedOffsets(ctx, s.Group)
			return r.missing[s.Topic] != "" || offsets[broker.TopicPartition{Topic: s.Topic}].Offset >= s.Offset, err
		})
	case "sleep":
		return r.lab.Sleep(ctx, time.Second)
	case "dump":
		return r.compare(ctx, s.Topics)
	}
	return fmt.Errorf("no such step: %s", s.Do)
}

func (r *scenarioRun) produce(ctx context.Context, s *scenarioStep) error {
	p, err := r.cluster.NewProducer(ctx, broker.ProducerConfig{})
	if err != nil {
		return err
	}
	defer p.Close()
	var records []broker.Record
	for _, x := range s.Records {
		records = append(records, broker.Record{Key: side(x.Key), Value: side(x.Value), Timestamp: x.Timestamp, Headers: headersOf(x.Headers)})
	}
	if err := p.Send(ctx, broker.TopicPartition{Topic: s.Topic}, records, nil); err != nil {
		return err
	}
	return p.Flush(ctx)
}

func (r *scenarioRun) request(ctx context.Context, s *scenarioStep) error {
	switch s.Method {
	case "POST":
		props := maps.Clone(s.Body.Config)
		props["name"] = s.Body.Name
		err := r.worker.StartConnector(ctx, props)
		if err != nil && strings.Contains(err.Error(), "could not be found") {
			r.missing[props["topics"]] = err.Error()
			r.missing[props["topics"]+".dlq"] = err.Error()
			return nil
		}
		return err
	case "DELETE":
		name := strings.TrimPrefix(s.Path, "/connectors/")
		if r.missing[strings.TrimPrefix(name, "c-")] != "" {
			return nil
		}
		return r.worker.RemoveConnector(ctx, name)
	}
	return nil // what a GET shows is compared where it is awaited
}

// await waits for the states of a connector, and compares the trace of a failed task.
func (r *scenarioRun) await(ctx context.Context, s *scenarioStep) error {
	name, ok := strings.CutSuffix(strings.TrimPrefix(s.Path, "/connectors/"), "/status")
	if !ok || r.missing[strings.TrimPrefix(name, "c-")] != "" {
		return nil
	}
	want := map[string]any{}
	for _, u := range s.Until {
		want[u[0].(string)] = u[1]
	}
	var task worker.TaskStatus
	err := r.until(ctx, func() (bool, error) {
		for _, c := range r.worker.Status() {
			if c.Name == name && len(c.Tasks) > 0 {
				task = c.Tasks[0]
			}
		}
		return string(task.State) == want["/tasks/0/state"], nil
	})
	if err != nil {
		return fmt.Errorf("%w: the task is %s: %s", err, task.State, task.Trace)
	}
	if task.State == worker.Failed {
		if d := diffTrace(r.recordedTrace(name), task.Trace); d != "" {
			r.diffs = append(r.diffs, name+": trace: "+d)
		}
	}
	return nil
}

// recordedTrace is the trace of a connector's failed task in the recorded conversation.
func (r *scenarioRun) recordedTrace(name string) string {
	text, err := fs.ReadFile(r.fsys, r.name+"-rest.jsonl")
	must(err)
	for line := range bytes.Lines(text) {
		var x struct {
			Request  struct{ Path string }
			Response struct {
				Body struct{ Tasks []struct{ Trace string } }
			}
		}
		if json.Unmarshal(line, &x) == nil && x.Request.Path == "/connectors/"+name+"/status" && len(x.Response.Body.Tasks) > 0 {
			return x.Response.Body.Tasks[0].Trace
		}
	}
	return ""
}

var errNever = errors.New("it did not come to that")

func (r *scenarioRun) until(ctx context.Context, done func() (bool, error)) error {
	const tries, pause = 600, 100 * time.Millisecond
	for range tries {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := r.lab.Sleep(ctx, pause); err != nil {
			return err
		}
	}
	return errNever
}

// diffTrace compares traces line by line. Of the JVM's own errors the class counts, and a JSON parser's words do not.
func diffTrace(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if strings.Contains(w[i], "com.fasterxml") {
			return ""
		}
		if i >= len(g) {
			return fmt.Sprintf("%q is missing", w[i])
		}
		a, b := w[i], g[i]
		if strings.HasPrefix(a, "Caused by: java.") {
			a, b = className(w[i]), className(g[i])
		}
		if a != b {
			return fmt.Sprintf("%q, want %q", g[i], w[i])
		}
	}
	return ""
}

// className is the class in a line "Caused by: CLASS: MESSAGE".
func className(line string) string {
	c, _, _ := strings.Cut(strings.TrimPrefix(line, "Caused by: "), ":")
	return c
}

// compare reads the topics and compares them with the recording.
func (r *scenarioRun) compare(ctx context.Context, topics []string) error {
	want := r.recordedTopics()
	for _, topic := range topics {
		if r.missing[topic] != "" {
			continue
		}
		got, err := r.read(ctx, topic)
		if err != nil {
			return err
		}
		if d := diffTopic(want[topic], got); d != "" {
			r.diffs = append(r.diffs, topic+": "+d)
		}
	}
	return nil
}

func (r *scenarioRun) recordedTopics() map[string][]broker.Record {
	text, err := fs.ReadFile(r.fsys, r.name+"-topics.jsonl")
	must(err)
	out := map[string][]broker.Record{}
	for line := range bytes.Lines(text) {
		var x struct {
			Topic string
			scenarioData
		}
		must(json.Unmarshal(line, &x))
		out[x.Topic] = append(out[x.Topic], broker.Record{Key: side(x.Key), Value: side(x.Value), Headers: headersOf(x.Headers)})
	}
	return out
}

func (r *scenarioRun) read(ctx context.Context, topic string) (out []broker.Record, err error) {
	have, err := r.cluster.Admin().DescribeTopics(ctx, topic)
	if err != nil || len(have) == 0 {
		return nil, err
	}
	tp := broker.TopicPartition{Topic: topic}
	c, err := r.cluster.NewConsumer(ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ends, err := c.EndOffsets(ctx, broker.ReadUncommitted, tp)
	if err != nil {
		return nil, err
	}
	if err := c.Assign(ctx, map[broker.TopicPartition]int64{tp: 0}); err != nil {
		return nil, err
	}
	for int64(len(out)) < ends[tp] {
		batches, err := c.Poll(ctx, 1000, -1)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			out = append(out, slices.Clone(b.Records)...)
		}
	}
	return out, nil
}

func diffTopic(want, got []broker.Record) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d records, want %d", len(got), len(want))
	}
	for i := range want {
		if d := diffProduced(&want[i], &got[i]); d != "" {
			return fmt.Sprintf("record %d: %s", i, d)
		}
	}
	return ""
}

func diffProduced(want, got *broker.Record) string {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	switch {
	case !same(want.Key, got.Key):
		return fmt.Sprintf("key %q, want %q", got.Key, want.Key)
	case !same(want.Value, got.Value):
		return fmt.Sprintf("value %q, want %q", got.Value, want.Value)
	case len(want.Headers) != len(got.Headers):
		return fmt.Sprintf("%d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i, w := range want.Headers {
		g := got.Headers[i]
		if strings.HasSuffix(w.Key, ".stacktrace") && w.Key == g.Key {
			if d := diffTrace(string(w.Value), string(g.Value)); d != "" {
				return w.Key + ": " + d
			}
			continue
		}
		if w.Key != g.Key || !same(w.Value, g.Value) {
			return fmt.Sprintf("header %s %q, want %s %q", g.Key, g.Value, w.Key, w.Value)
		}
	}
	return ""
}
