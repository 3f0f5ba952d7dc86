package declare_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/declare"
)

const departures = `# departures per carrier and hour
app: departures
config:
  processing.guarantee: exactly_once_v2
  commit.interval.ms: 100
steps:
  - id: flights
    op: stream
    topic: flights
    serde: {key: string, value: json}
  - {id: departed, op: filter, in: flights, where: "!value.cancelled"}
  - {id: carriers, op: group-by-key, in: departed}
  - id: per-hour
    op: count
    in: carriers
    window: {type: tumbling, size: 1h, grace: 1h}
    store: {name: departures}
  - {id: changes, op: to-stream, in: per-hour}
  - {id: out, op: to, in: changes, topic: departures-per-hour}
`

func TestLoad(t *testing.T) {
	fsys := fstest.MapFS{"apps/app.yaml": {Data: []byte(departures)}}
	app, err := declare.Load(fsys, "apps/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := map[string]string{"application.id": "departures", "processing.guarantee": "exactly_once_v2", "commit.interval.ms": "100"}
	if d := cmp.Diff(config, app.Config); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([][]string{{"flights"}, {"departures-per-hour"}}, [][]string{app.InputTopics, app.OutputTopics}); d != "" {
		t.Error(d)
	}
	got := map[string]string{}
	for topic, s := range app.Serdes {
		got[topic] = s.Key.String() + " " + s.Value.String()
	}
	want := map[string]string{"flights": "string json", "departures-per-hour": "time-windowed<string,3600000> long"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if app.Name != "departures" || app.Topology == nil {
		t.Errorf("name %q, topology %v", app.Name, app.Topology)
	}
}

func TestSourcesByPatternWithTheirReset(t *testing.T) {
	app, err := declare.Parse("app.yaml", []byte("app: a\nconfig: {default.key.serde: string, default.value.serde: string}\nsteps:\n"+
		"  - {id: m, op: stream, pattern: 'm-.*', reset: 'by_duration:PT1H'}\n  - {id: o, op: to, in: m, topic: out}\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := app.Topology.Description().Subtopologies[0].Nodes[0]
	if n.Pattern != "m-.*" || n.Reset != "by_duration:PT1H" || len(n.Topics) > 0 || len(app.InputTopics) > 0 {
		t.Errorf("%+v: want a source of a pattern with its reset", n)
	}
}
