package declare_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/declare"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

const routes = head + `  - {id: m, op: map-values, in: in, value: "{'doubled': value.n * 2, 'keys': value.map(k, k)}"}
  - {id: f, op: filter, in: m, where: value.doubled > 10}
  - {id: o, op: to, in: f, topic_expr: "'out-' + string(value.doubled)"}
`

// TestOneAppInSeveralTasks runs one topology in several tasks at once, as the threads of an instance do: with -race it shows that
// expressions share nothing.
func TestOneAppInSeveralTasks(t *testing.T) {
	app, err := declare.Parse("app.yaml", []byte(routes))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			d, err := streamstest.Open(app.Topology, streamstest.Options{Properties: app.Config})
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			in := streamstest.Input(d, "in", app.Serdes["in"].Key, app.Serdes["in"].Value)
			for n := range int64(20) {
				if err := in.Try(streamstest.Event[any, any]{Key: "k", Value: map[string]any{"n": n, "z": nil}, Timestamp: n}); err != nil {
					t.Error(err)
				}
			}
			out := streamstest.Output(d, "out-38", serde.String(), serde.String())
			const want = `{"doubled":38,"keys":["n","z"]}`
			if e, ok, err := out.Next(); !ok || err != nil || e.Value != want {
				t.Error(e, ok, err)
			}
			if n := len(d.Sent()); n != 14 {
				t.Error(fmt.Sprint(n, " records, want 14"))
			}
		})
	}
	wg.Wait()
}
