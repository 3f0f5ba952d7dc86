package streams_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// counting counts records by key in a store.
func counting(store string) streams.ProcessorSupplier[string, string, string, string] {
	return func(c *ctx) (streams.Processor[string, string], error) {
		s, err := streams.KeyValueStoreOf[string, int64](c, store)
		return streams.ProcessorFunc[string, string](func(r *record) error {
			n, _, err := s.Get(r.Key)
			if err != nil {
				return err
			}
			if err := s.Put(r.Key, n+1); err != nil {
				return err
			}
			return c.Forward(record{Key: r.Key, Value: fmt.Sprint(n + 1), Timestamp: r.Timestamp})
		}), err
	}
}

// TestTopologyByNames puts a topology together without the DSL. Its description is the one that Kafka gives of the same calls.
func TestTopologyByNames(t *testing.T) {
	b := streams.NewBuilder()
	streams.AddSource(b, "source", []string{"in"}, texts)
	streams.AddProcessor(b, "count", counting("counts"), streams.ProcessOptions{}, "source")
	b.AddStateStore(streams.NewKeyValueStore("counts", serde.String(), serde.Long()))
	b.ConnectStores("count", "counts")
	streams.AddSink(b, "sink", "out", writing, "count")
	top := built(t, b)
	const want = `Topologies:
   Sub-topology: 0
    Source: source (topics: [in])
      --> count
    Processor: count (stores: [counts])
      --> sink
      <-- source
    Sink: sink (topic: out)
      <-- count

`
	if d := cmp.Diff(want, top.Describe()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a=1", "b=1", "a=2"}, answers(t, top, nil, "a=x", "b=x", "a=x")); d != "" {
		t.Error(d)
	}
}

func TestTopologyByNamesIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		add  func(b *streams.Builder)
		want string
	}{
		"twice":     {func(b *streams.Builder) { streams.AddSource(b, "s", []string{"other"}, texts) }, "Processor s is already added."},
		"topic":     {func(b *streams.Builder) { streams.AddSource(b, "s2", []string{"in"}, texts) }, "Topic in has already been registered by another source s."},
		"no parent": {func(b *streams.Builder) { streams.AddSink(b, "k", "out", writing) }, "k must have at least one parent"},
		"parent":    {func(b *streams.Builder) { streams.AddSink(b, "k", "out", writing, "x") }, "Predecessor processor x is not added yet for k"},
		"itself":    {func(b *streams.Builder) { streams.AddSink(b, "k", "out", writing, "k") }, "Processor k cannot be a predecessor of itself."},
		"sink": {func(b *streams.Builder) {
			streams.AddSink(b, "k", "out", writing, "s")
			streams.AddSink(b, "k2", "out", writing, "k")
		}, "Sink k cannot be used as a parent of k2"},
		"store": {func(b *streams.Builder) {
			streams.AddProcessor(b, "p", counting("none"), streams.ProcessOptions{Stores: []string{"none"}}, "s")
		}, "StateStore none is not added yet."},
		"no node": {func(b *streams.Builder) { b.ConnectStores("none", "x") }, "Processor none is not added yet."},
	} {
		b := streams.NewBuilder()
		streams.AddSource(b, "s", []string{"in"}, texts)
		c.add(b)
		_, err := b.Build()
		var e *topology.Error
		if !errors.As(err, &e) || e.Text != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestReadOnlyStore(t *testing.T) {
	b := streams.NewBuilder()
	rates := streams.NewKeyValueStore("rates", serde.String(), serde.String())
	streams.AddReadOnlyStore(b, rates, "rates-source", "rates", texts, "rates-put", func(c *streams.ProcessorContext[any, any]) (streams.Processor[string, string], error) {
		s, err := streams.KeyValueStoreOf[string, string](c, "rates")
		return streams.ProcessorFunc[string, string](func(r *record) error { return s.Put(r.Key, r.Value) }), err
	})
	streams.Process(streams.Stream(b, "in", texts), func(c *ctx) (streams.Processor[string, string], error) {
		s, err := streams.KeyValueStoreOf[string, string](c, "rates")
		return streams.ProcessorFunc[string, string](func(r *record) error {
			v, _, err := s.Get(r.Value)
			return errors.Join(err, c.Forward(record{Key: r.Key, Value: v, Timestamp: r.Timestamp}))
		}), err
	}, streams.ProcessOptions{Stores: []string{"rates"}}).To("out", writing)
	d := streamstest.New(t, built(t, b), nil)
	streamstest.Input(d, "rates", serde.String(), serde.String()).Pipe(t, "eur", "1.1", 0)
	streamstest.Input(d, "in", serde.String(), serde.String()).Pipe(t, "a", "eur", 1)
	if got := streamstest.Output(d, "out", serde.String(), serde.String()).Read(t); got.Value != "1.1" {
		t.Errorf("%v: want the rate", got)
	}
	for _, r := range d.Sent() {
		if strings.HasSuffix(r.Topic, "-changelog") {
			t.Errorf("a store that is restored from its topic has written to %s", r.Topic)
		}
	}
}

func TestPrint(t *testing.T) {
	var w bytes.Buffer
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", texts)
	in.Print(&w, "seen", nil)
	in.Print(&w, "", func(k, v string) string { return v + " of " + k })
	d := streamstest.New(t, built(t, b), nil)
	streamstest.Input(d, "in", serde.String(), serde.String()).PipeEvents(t, streamstest.Event[string, string]{Key: "k", Value: "v"}, streamstest.Event[string, string]{NullKey: true, NullValue: true})
	const want = "[seen]: k, v\n[KSTREAM-SOURCE-0000000000]: v of k\n[seen]: null, null\n[KSTREAM-SOURCE-0000000000]:  of \n"
	if d := cmp.Diff(want, w.String()); d != "" {
		t.Error(d)
	}
}

func TestMulticast(t *testing.T) {
	b := streams.NewBuilder()
	streams.Stream(b, "in", texts).To("out", streams.Produced[string, string]{Key: serde.String(), Value: serde.String(), Multicast: func(_ string, r *record, _ int32) ([]int32, error) {
		return make([]int32, len(r.Value)), nil // as often as it has letters, to the one partition that there is
	}})
	d := streamstest.New(t, built(t, b), nil)
	in := streamstest.Input(d, "in", serde.String(), serde.String())
	in.Pipe(t, "k", "ab", 0)
	in.Pipe(t, "k", "", 0)
	if n := len(d.Sent()); n != 2 || d.Dropped() != 1 {
		t.Errorf("%d records were sent and %d dropped: want 2 and 1", n, d.Dropped())
	}
}

// TestTransformTableValues counts how often each row has changed, in a store of the transformer's, with a table that is kept and one that is not.
func TestTransformTableValues(t *testing.T) {
	for _, kept := range []bool{false, true} {
		b := streams.NewBuilder()
		var opts []streams.Materialized[string, string]
		if kept {
			opts = append(opts, streams.Materialized[string, string]{Name: "kept", Value: serde.String(), NoCaching: true})
		}
		changes := streams.TransformTableValues(streams.Table(b, "l", texts), func(c *streams.ValueContext) (streams.ValueTransformer[string, string, string], error) {
			s, err := streams.KeyValueStoreOf[string, int64](c, "times")
			return streams.ValueTransformerFunc[string, string, string](func(k, v string, has bool) (string, error) {
				n, _, err := s.Get(k)
				if err != nil {
					return "", err
				}
				return fmt.Sprintf("%s%v%d", v, has, n+1), s.Put(k, n+1)
			}), err
		}, streams.ProcessOptions{Add: []*streams.StoreBuilder{streams.NewKeyValueStore("times", serde.String(), serde.Long())}}, opts...)
		changes.ToStream().To("out", writing)
		top := built(t, b)
		if !strings.Contains(top.Describe(), "Processor: KTABLE-TRANSFORMVALUES-0000000003 (stores: [") {
			t.Errorf("kept %v: %s", kept, top.Describe())
		}
		if d := cmp.Diff([]string{"k=atrue1@0", "k=btrue2@1000", "k=false3@2000"}, sides(t, top, "l k=a", "l k=b", "l k=")); d != "" {
			t.Errorf("kept %v: %s", kept, d)
		}
	}
}

// TestTransformedTableIsLookedUp joins with a table of transformed rows that keeps no store: the row is transformed for each look.
func TestTransformedTableIsLookedUp(t *testing.T) {
	b := streams.NewBuilder()
	upper := streams.TransformTableValues(streams.Table(b, "r", texts), func(c *streams.ValueContext) (streams.ValueTransformer[string, string, string], error) {
		return streams.ValueTransformerFunc[string, string, string](func(_, v string, has bool) (string, error) {
			m, _ := c.RecordMetadata()
			return fmt.Sprint(strings.ToUpper(v), has, m.Topic), nil
		}), nil
	}, streams.ProcessOptions{})
	streams.JoinTable(streams.Stream(b, "l", texts), streams.InnerJoin, upper, func(_, l, r string, _ bool) (string, error) { return l + r, nil }).To("out", writing)
	if d := cmp.Diff([]string{"k=xAtrue@1000", "n=yfalse@2000"}, sides(t, built(t, b), "r k=a", "l k=x", "l n=y")); d != "" {
		t.Error(d)
	}
}
