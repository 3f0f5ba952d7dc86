package guide_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/cmd/kstreamlab/command"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

// shout is a transform: it writes texts in capitals, and adds an end of one's choice.
type shout struct{ end string }

var shoutConfig = config.NewDef(config.Key{Name: "end", Type: config.String, Default: "!", Doc: "What is added at the end."})

func (*shout) Config() *config.Def { return shoutConfig }

func (s *shout) Configure(props config.Props) error {
	v, err := shoutConfig.Parse(props)
	s.end = v.String("end")
	return err
}

func (s *shout) Apply(r *connect.Record) (*connect.Record, error) {
	text, ok := r.Value.(string)
	if !ok {
		return nil, data.DataException.Errorf("a text is expected, not %s", data.ClassOf(r.Value))
	}
	out := r.Copy() // a record is immutable
	out.Value = strings.ToUpper(text) + s.end
	return out, nil
}

func (*shout) Close() {}

// ticker is a source connector: it writes a number of ticks to a topic, one every interval.
type ticker struct {
	host  connect.Host
	props map[string]string
}

var tickerConfig = config.NewDef(
	config.Key{Name: "topic", Type: config.String, Required: true, Importance: config.High, Doc: "The topic to write to."},
	config.Key{Name: "ticks", Type: config.Long, Required: true, Importance: config.High, Doc: "How many there are."},
	config.Key{Name: "interval.ms", Type: config.Long, Default: int64(1000), Doc: "The time between two."})

func (*ticker) Version() string { return "1.0" }

func (*ticker) Config() *config.Def { return tickerConfig }

func (t *ticker) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	t.props = props
	return nil
}

func (t *ticker) TaskConfigs(int) ([]map[string]string, error) {
	return []map[string]string{t.props}, nil
}

func (t *ticker) NewTask() connect.SourceTask { return &tickerTask{host: t.host} }

func (*ticker) Stop(context.Context) {}

// tickerTask makes the ticks. Each record says where it is from: the worker keeps that, and a task that starts goes on from there.
type tickerTask struct {
	host     connect.Host
	topic    string
	interval time.Duration
	next     int64
	ticks    int64
}

// clock is the source partition.
var clock = data.MapOfStrings("clock", "the only one")

func (*tickerTask) Version() string { return "1.0" }

func (t *tickerTask) Start(ctx context.Context, tc connect.SourceTaskContext, props map[string]string) error {
	v, err := tickerConfig.Parse(config.PropsOf(props))
	if err != nil {
		return err
	}
	t.topic, t.ticks, t.interval = v.String("topic"), v.Long("ticks"), time.Duration(v.Long("interval.ms"))*time.Millisecond
	offset, err := tc.Offsets().Offset(ctx, clock)
	if err != nil || offset == nil { // it has never run
		return err
	}
	last, _ := offset.Get("tick")
	n, ok := last.(int64)
	if !ok {
		return data.ConnectException.Errorf("the offset tick: a number is expected, not %s", data.Text(last))
	}
	t.next = n + 1
	return nil
}

// Poll waits for the next tick. The host's clock is the machine's, or the simulator's.
func (t *tickerTask) Poll(ctx context.Context) ([]*connect.Record, error) {
	if t.next >= t.ticks {
		return nil, t.pause(ctx, time.Minute)
	}
	if err := t.pause(ctx, t.interval); err != nil || ctx.Err() != nil {
		return nil, err
	}
	r := connect.NewSourceRecord(clock, data.MapOfStrings("tick", t.next), t.topic, data.StringSchema, fmt.Sprintf("tick %d", t.next))
	r.KeySchema, r.Key = data.StringSchema, fmt.Sprint(t.next)
	t.next++
	return []*connect.Record{r}, nil
}

// pause sleeps. That the worker wants to do something else meanwhile is no failure.
func (t *tickerTask) pause(ctx context.Context, d time.Duration) error {
	if err := t.host.Sleep(ctx, d); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (*tickerTask) Stop() {}

// upsert is a sink connector: it keeps the last value of each key in a database.
type upsert struct {
	db    *database
	props map[string]string
}

// database stands for a real one.
type database struct {
	mu   sync.Mutex
	rows map[string]string
}

func (*upsert) Version() string { return "1.0" }

func (*upsert) Config() *config.Def { return config.NewDef() }

func (u *upsert) Start(_ context.Context, _ connect.ConnectorContext, props map[string]string) error {
	u.props = props
	return nil
}

func (u *upsert) TaskConfigs(most int) ([]map[string]string, error) {
	all := make([]map[string]string, most)
	for i := range all {
		all[i] = u.props
	}
	return all, nil
}

func (u *upsert) NewTask() connect.SinkTask { return &upsertTask{u.db} }

func (*upsert) Stop(context.Context) {}

// upsertTask writes to the database. Records may come again after a crash: the same row is written again, which changes nothing.
type upsertTask struct{ db *database }

func (*upsertTask) Version() string { return "1.0" }

func (*upsertTask) Start(context.Context, connect.SinkTaskContext, map[string]string) error {
	return nil
}

func (t *upsertTask) Put(_ context.Context, records []*connect.Record) error {
	t.db.mu.Lock()
	defer t.db.mu.Unlock()
	for _, r := range records {
		t.db.rows[data.Text(r.Key)] = data.Text(r.Value)
	}
	return nil
}

func (*upsertTask) Stop() {}

// register gives the three their names, which are Java's class names in Kafka.
func register(p *connect.Plugins, db *database) {
	p.RegisterTransform("com.example.Shout", func(connect.Host) connect.Transform { return &shout{} })
	p.Register(
		connect.Plugin{Class: "com.example.TickerSourceConnector", Kind: connect.KindSource, New: func(h connect.Host) any { return &ticker{host: h} }},
		connect.Plugin{Class: "com.example.UpsertSinkConnector", Kind: connect.KindSink, New: func(connect.Host) any { return &upsert{db: db} }})
}

// TestTicksSurviveACrash kills the worker in the middle, and counts what has come through.
func TestTicksSurviveACrash(t *testing.T) {
	db := &database{rows: map[string]string{}}
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	lab := scenarios.New(t).
		Topic(scenarios.Topic{Name: "ticks", Partitions: 2}).
		Worker(scenarios.Worker{
			Name: "worker",
			Plugins: func() *connect.Plugins {
				p := builtin.Plugins(file.Standard{})
				register(p, db)
				return p
			},
			Config: map[string]string{"key.converter": "String", "value.converter": "String", "offset.flush.interval.ms": "5000"},
			Connectors: []map[string]string{
				{"name": "in", "connector.class": "TickerSource", "topic": "ticks", "ticks": "300", "interval.ms": "100",
					"transforms": "loud", "transforms.loud.type": "com.example.Shout"},
				{"name": "out", "connector.class": "UpsertSink", "topics": "ticks", "tasks.max": "2"},
			},
		}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "worker", At: noon.Add(15 * time.Second), For: 10 * time.Second})
	lab.Scenario().Start = noon
	lab.Run()
	for n := range 300 {
		if got, want := db.rows[fmt.Sprint(n)], fmt.Sprintf("TICK %d!", n); got != want {
			t.Errorf("row %d is %q, want %q", n, got, want)
		}
	}
}

// ownProgram is kstreamlab with one's own plugins.
func ownProgram() {
	db := &database{rows: map[string]string{}}
	command.Main(command.Options{Plugins: func(p *connect.Plugins) { register(p, db) }})
}

func TestMain(m *testing.M) {
	if os.Getenv("GUIDE_PROGRAM") != "" {
		ownProgram()
	}
	os.Exit(m.Run())
}

// TestOwnProgram validates configurations of the plugins, and runs a scenario with them, by the program's commands.
func TestOwnProgram(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"worker.properties": "bootstrap.servers=localhost:9092\nkey.converter=String\nvalue.converter=String\noffset.storage.file.filename=offsets\n",
		"good.properties":   "name=in\nconnector.class=TickerSource\ntopic=ticks\nticks=3\ntransforms=t\ntransforms.t.type=com.example.Shout\n",
		"bad.properties":    "name=in\nconnector.class=com.example.TickerSourceConnector\ntopic=ticks\nticks=many\n",
		"scenario.yaml": `name: ticks
topics:
  - {name: ticks, partitions: 1}
workers:
  - name: worker
    config: {key.converter: String, value.converter: String}
    connectors:
      - {name: in, connector.class: TickerSource, topic: ticks, ticks: 5}
expect:
  - rows: {topic: ticks, rows: [{key: "4", value: "tick 4"}]}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		args, want string
		ok         bool
	}{
		{"connect validate worker.properties good.properties", "good.properties: nothing is wrong\n", true},
		{"connect validate worker.properties bad.properties", "bad.properties: ticks: Invalid value many for configuration ticks: Not a number of type LONG\n", false},
		{"run scenario.yaml --quiet", "PASS", true},
	} {
		c := exec.Command(os.Args[0], strings.Fields(x.args)...)
		c.Dir, c.Env = dir, append(os.Environ(), "GUIDE_PROGRAM=1")
		got, err := c.CombinedOutput()
		if !strings.Contains(string(got), x.want) || (err == nil) != x.ok {
			t.Errorf("%s: %v\n%swant\n%s", x.args, err, got, x.want)
		}
	}
}
