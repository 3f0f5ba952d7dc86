package streams_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// texts is how the tests read topics.
var texts = streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()}

// writing is how they write them.
var writing = streams.Produced[string, string]{Key: serde.String(), Value: serde.String()}

func built(t *testing.T, b *streams.Builder) *streams.Topology {
	t.Helper()
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// answers pipes "key=value" records, each a second after the last, and returns what came out, as "key=value".
func answers(t *testing.T, top *streams.Topology, props map[string]string, in ...string) []string {
	t.Helper()
	d := streamstest.New(t, top, props)
	input := streamstest.Input(d, "in", serde.String(), serde.String())
	for i, r := range in {
		k, v, _ := strings.Cut(r, "=")
		input.Pipe(t, k, v, int64(i)*1000)
	}
	var out []string
	for _, e := range streamstest.Output(d, "out", serde.String(), serde.String()).ReadAll(t) {
		out = append(out, e.Key+"="+e.Value)
	}
	return out
}

type (
	ctx    = streams.ProcessorContext[string, string]
	record = streams.Record[string, string]
)

// processing is a topology of one processor with stores; f answers a record.
func processing(t *testing.T, stores []*streams.StoreBuilder, open func(c *ctx) (f func(r *record) (string, error), err error)) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	streams.Process(streams.Stream(b, "in", texts), func(c *ctx) (streams.Processor[string, string], error) {
		f, err := open(c)
		return streams.ProcessorFunc[string, string](func(r *record) error {
			v, err := f(r)
			if err != nil {
				return err
			}
			return c.Forward(record{Key: r.Key, Value: v, Timestamp: r.Timestamp})
		}), err
	}, streams.ProcessOptions{Add: stores}).To("out", writing)
	return built(t, b)
}

// listed is what a walk gives, as "key@start=value".
func listed[V any](rows *state.Rows[string, V], err error) (string, error) {
	if err != nil {
		return "", err
	}
	all, err := rows.All()
	var out []string
	for _, e := range all {
		out = append(out, fmt.Sprintf("%s@%d=%v", e.Key, e.Window.Start, e.Value))
	}
	return strings.Join(out, " "), err
}

func TestKeyValueStore(t *testing.T) {
	store := streams.NewKeyValueStore("s", serde.String(), serde.String())
	got := answers(t, processing(t, []*streams.StoreBuilder{store}, func(c *ctx) (func(*record) (string, error), error) {
		s, err := streams.KeyValueStoreOf[string, string](c, "s")
		return func(r *record) (string, error) {
			if r.Value == "" {
				old, ok, err := s.Delete(r.Key)
				return fmt.Sprintf("%s %v", old, ok), err
			}
			if strings.HasPrefix(r.Value, "/") {
				return listed(s.Prefix([]byte(r.Value[1:])), nil)
			}
			have, ok, err := s.PutIfAbsent(r.Key, r.Value)
			return fmt.Sprintf("%s %v", have, ok), err
		}, err
	}), nil, "ab=1", "ab=2", "abc=3", "b=4", "a=5", "k=/ab", "k=/", "ab=", "ab=6", "k=/ab")
	want := []string{"ab= false", "ab=1 true", "abc= false", "b= false", "a= false", "k=ab@0=1 abc@0=3", "k=a@0=5 ab@0=1 abc@0=3 b@0=4", "ab=1 true", "ab= false", "k=ab@0=6 abc@0=3"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWindowStores(t *testing.T) {
	stores := []*streams.StoreBuilder{
		streams.NewWindowStore("w", time.Hour, time.Second, serde.String(), serde.String()),
		streams.NewTimestampedWindowStore("t", time.Hour, time.Second, serde.String(), serde.String()),
	}
	got := answers(t, processing(t, stores, func(c *ctx) (func(*record) (string, error), error) {
		w, err := streams.WindowStoreOf[string, string](c, "w")
		if err != nil {
			return nil, err
		}
		ts, err := streams.TimestampedWindowStoreOf[string, string](c, "t")
		return func(r *record) (string, error) {
			start := r.Timestamp / 2000 * 2000
			before, has, err := w.Get(r.Key, start)
			if err != nil {
				return "", err
			}
			old, at, ok, err := ts.Fetch(r.Key, start)
			if err != nil {
				return "", err
			}
			if err := errors.Join(w.Put(r.Key, start, r.Value), ts.Put(r.Key, start, r.Value, r.Timestamp)); err != nil {
				return "", err
			}
			all, err := listed(ts.Windows(r.Key, 0, r.Timestamp, true))
			return fmt.Sprintf("%q %v, %q %v %d: %s", before, has, old, ok, at, all), err
		}, err
	}), nil, "a=1", "a=2", "b=3", "a=4", "a=5")
	want := []string{`a="" false, "" false 0: a@0=1`, `a="1" true, "1" true 0: a@0=2`, `b="" false, "" false 0: b@2000=3`, `a="" false, "" false 0: a@2000=4 a@0=2`,
		`a="" false, "" false 0: a@4000=5 a@2000=4 a@0=2`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSessionsOfSeveralKeys(t *testing.T) {
	store := streams.NewSessionStore("s", time.Hour, serde.String(), serde.String())
	got := answers(t, processing(t, []*streams.StoreBuilder{store}, func(c *ctx) (func(*record) (string, error), error) {
		s, err := streams.SessionStoreOf[string, string](c, "s")
		return func(r *record) (string, error) {
			if r.Value == "" {
				from, to := "a", "b"
				return listed(s.Range(streams.Bounds[string]{From: &from, To: &to}, 1000, 3000))
			}
			return "", s.Put(r.Key, serde.Window{Start: r.Timestamp, End: r.Timestamp + 500}, r.Value)
		}, err
	}), nil, "a=early", "a=1", "c=2", "b=3", "ab=late", "k=")
	if d := cmp.Diff("k=a@1000=1 b@3000=3", got[len(got)-1]); d != "" {
		t.Error(d)
	}
}

func TestContextKnowsTheApplication(t *testing.T) {
	got := answers(t, processing(t, nil, func(c *ctx) (func(*record) (string, error), error) {
		return func(*record) (string, error) {
			return fmt.Sprint(c.TaskID(), " ", c.ApplicationID(), " ", c.AppConfigs()["my.limit"], " ", c.AppConfigsWithPrefix("my."), " ", c.StateDir()), nil
		}, nil
	}), map[string]string{"application.id": "app", "my.limit": "7", "my.name": "x", "state.dir": "/state"}, "a=1")
	if d := cmp.Diff([]string{"a=0_0 app 7 map[limit:7 name:x] /state/app/0_0"}, got); d != "" {
		t.Error(d)
	}
}
