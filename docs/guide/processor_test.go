package guide_test

import (
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// silence tells of sensors that have not been heard of for a minute.
type silence struct {
	out  *streams.ProcessorContext[string, string]
	last *streams.KeyValueStore[string, int64]
}

// newSilence makes the processor of one task: it opens the store and asks to be called every ten seconds of the wall clock.
func newSilence(c *streams.ProcessorContext[string, string]) (streams.Processor[string, string], error) {
	last, err := streams.KeyValueStoreOf[string, int64](c, "last-heard")
	if err != nil {
		return nil, err
	}
	p := &silence{c, last}
	_, err = c.Schedule(10*time.Second, streams.WallClockTime, p.look)
	return p, err
}

// Process implements streams.Processor.
func (p *silence) Process(r *streams.Record[string, string]) error {
	return p.last.Put(r.Key, p.out.WallClock())
}

// look goes over the store, and forwards what was silent for too long.
func (p *silence) look(now int64) error {
	rows, err := p.last.Range(streams.Bounds[string]{})
	if err != nil {
		return err
	}
	entries, err := rows.All()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if now-e.Value < 60_000 {
			continue
		}
		if _, _, err := p.last.Delete(e.Key); err != nil {
			return err
		}
		if err := p.out.Forward(streams.Record[string, string]{Key: e.Key, Value: "silent", Timestamp: now}); err != nil {
			return err
		}
	}
	return nil
}

func silentSensors() (*streams.Topology, error) {
	b := streams.NewBuilder()
	readings := streams.Stream(b, "readings", streams.Consumed[string, string]{})
	silent := streams.Process(readings, newSilence, streams.ProcessOptions{
		Name: "silence",
		Add:  []*streams.StoreBuilder{streams.NewKeyValueStore[string, int64]("last-heard", serde.String(), serde.Long())},
	})
	silent.To("silent-sensors")
	return b.Build()
}

func Example_processor() {
	topology, err := silentSensors()
	check(err)
	d, err := streamstest.Open(topology, streamstest.Options{})
	check(err)
	defer d.Close()
	readings := streamstest.Input(d, "readings", serde.String(), serde.String())
	check(readings.Try(streamstest.Event[string, string]{Key: "s1", Value: "20.5"}))
	check(d.Advance(30 * time.Second))
	check(readings.Try(streamstest.Event[string, string]{Key: "s2", Value: "21.0"}))
	check(d.Advance(40 * time.Second))
	printAll(streamstest.Output(d, "silent-sensors", serde.String(), serde.String()))
	// Output:
	// s1 silent
}
