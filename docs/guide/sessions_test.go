package guide_test

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// finishedSessions counts the clicks of each session of a user, once: when nothing can be added to the session any more.
func finishedSessions() (*streams.Topology, error) {
	b := streams.NewBuilder()
	clicks := streams.Stream(b, "clicks", streams.Consumed[string, string]{})
	sessions := streams.SessionWindows(10*time.Minute, 0)
	counts := streams.Count(clicks.GroupByKey().WindowedBy(sessions), streams.Materialized[string, int64]{Name: "sessions"})
	final := counts.Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{}))
	final.ToStream().To("finished-sessions")
	return b.Build()
}

func Example_sessions() {
	topology, err := finishedSessions()
	check(err)
	d, err := streamstest.Open(topology, streamstest.Options{})
	check(err)
	defer d.Close()
	clicks := streamstest.Input(d, "clicks", serde.String(), serde.String())
	at := func(user string, minute int64) {
		check(clicks.Try(streamstest.Event[string, string]{Key: user, Timestamp: minute * 60_000}))
	}
	at("ada", 0)
	at("ada", 8)
	at("bob", 9)
	at("ada", 16)
	at("bob", 40) // the time of the stream passes: the sessions of 0 to 16 and of 9 are over
	out := streamstest.Output(d, "finished-sessions", serde.SessionWindowed(serde.String()), serde.Long())
	for {
		e, ok, err := out.Next()
		check(err)
		if !ok {
			break
		}
		fmt.Printf("%s minute %d to %d: %d clicks\n", e.Key.Key, e.Key.Window.Start/60_000, e.Key.Window.End/60_000, e.Value)
	}
	// Output:
	// bob minute 9 to 9: 1 clicks
	// ada minute 0 to 16: 3 clicks
}
