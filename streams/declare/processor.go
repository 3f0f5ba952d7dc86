package declare

import (
	"fmt"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
)

// message is a record at a processor.
type message = streams.Record[any, any]

// outlet is what a built-in processor has of its context, whichever it is.
type outlet struct {
	surroundings
	forward   func(r message) error
	forwardTo func(child string, r message) error
	args      *args
	stores    []string
}

// surroundings is the common part of the two contexts.
type surroundings interface {
	streams.StoreContext
	StreamTime() int64
	WallClock() int64
	RecordMetadata() (streams.RecordMetadata, bool)
	Schedule(interval time.Duration, clock streams.PunctuationType, f func(now int64) error) (cancel func(), err error)
	ScheduleFrom(start int64, interval time.Duration, clock streams.PunctuationType, f func(now int64) error) (cancel func(), err error)
}

// handler processes a record.
type handler func(r *message) error

// processors make the built-in processors, by name.
var processors = map[string]func(o *outlet) (handler, error){
	"count": newCount, "route": newRoute, "sweep": newSweep, "tick": newTick, "rewrite": newRewrite, "window-range": newWindowRange,
	"session-track": newSessionTrack, "versioned": newVersions, "dedup": newDedup, "expire": newExpire, "fail": newFail, "global-lookup": newGlobalLookup,
}

// byKey are the processors that look in their store for the key of each record.
var byKey = []string{"sweep", "window-range", "session-track", "versioned", "expire"}

// maker makes the step's processor.
func maker(s *step) func(o *outlet) (handler, error) {
	name := get[string](s, "processor")
	make := processors[name]
	if !slices.Contains(byKey, name) {
		return make
	}
	return func(o *outlet) (handler, error) {
		f, err := make(o)
		return keyed(f), err
	}
}

// keyed refuses records without a key, which no store takes.
func keyed(f handler) handler {
	return func(r *message) error {
		if r.NullKey {
			return &streams.NullKeyError{}
		}
		return f(r)
	}
}

func processOptions(s *step) (streams.ProcessOptions, error) {
	name, err := s.name()
	return streams.ProcessOptions{Name: string(name), Stores: get[[]string](s, "stores")}, err
}

func buildProcess(_ *builder, s *step) error {
	o, err := processOptions(s)
	if err != nil {
		return err
	}
	make, a := maker(s), get[*args](s, "args")
	return s.done(streams.Process(streamOf(s), func(c *streams.ProcessorContext[any, any]) (streams.Processor[any, any], error) {
		f, err := make(&outlet{c, c.Forward, c.ForwardTo, a, o.Stores})
		return streams.ProcessorFunc[any, any](f), err
	}, o))
}

func buildProcessValues(_ *builder, s *step) error {
	o, err := processOptions(s)
	if err != nil {
		return err
	}
	make, a := maker(s), get[*args](s, "args")
	return s.done(streams.ProcessValues(streamOf(s), func(c *streams.FixedKeyContext[any, any]) (streams.FixedKeyProcessor[any, any], error) {
		var in streams.FixedKeyRecord[any, any]
		f, err := make(&outlet{surroundings: c, args: a, stores: o.Stores, forward: func(r message) error {
			out := streams.WithValue(in, r.Value)
			out.Timestamp, out.Headers = r.Timestamp, r.Headers
			return c.Forward(out)
		}})
		return streams.FixedKeyFunc[any, any](func(r streams.FixedKeyRecord[any, any]) error {
			in = r
			key, ok := r.Key()
			return f(&message{Key: key, NullKey: !ok, Value: r.Value, NullValue: r.NullValue, Timestamp: r.Timestamp, Headers: r.Headers})
		}), err
	}, o))
}

// vars are the variables of a processor's expressions.
func (o *outlet) vars(r *message) *processing {
	m, _ := o.RecordMetadata()
	return &processing{located: located{record: record{r.Key, r.Value}, timestamp: r.Timestamp, topic: m.Topic, partition: m.Partition, offset: m.Offset,
		headers: r.Headers}, streamTime: o.StreamTime(), wallClock: o.WallClock()}
}

// processing is a record with what a processor knows beside it.
type processing struct {
	located
	streamTime, wallClock int64
}

// ResolveName implements cel.Activation.
func (p *processing) ResolveName(name string) (any, bool) {
	switch name {
	case "stream_time":
		return p.streamTime, true
	case "wall_clock":
		return p.wallClock, true
	}
	return p.located.ResolveName(name)
}

// store is the name of the processor's own store.
func (o *outlet) store() string {
	if len(o.stores) == 0 {
		return ""
	}
	return o.stores[0]
}

// schedule schedules f as the arguments say.
func (o *outlet) schedule(f func(now int64) error) (cancel func(), err error) {
	interval := ms(o.args.ms["interval"])
	if o.args.has("start") {
		return o.ScheduleFrom(o.args.ms["start"], interval, o.args.clock, f)
	}
	return o.Schedule(interval, o.args.clock, f)
}

// set is the record with another value.
func set(r *message, value any) message {
	out := *r
	out.Value, out.NullValue = value, value == nil
	return out
}

func newRoute(o *outlet) (handler, error) {
	to := o.args.exprs["to"]
	return func(r *message) error {
		child, err := to.value(o.vars(r))
		if err != nil {
			return err
		}
		switch c := child.(type) {
		case nil:
			return o.forward(*r)
		case string:
			return o.forwardTo(c, *r)
		}
		return &ExpressionError{to.text, fmt.Errorf("the result is a %T, and the name of a child or null is needed", child)}
	}, nil
}

func newTick(o *outlet) (handler, error) {
	var calls int64
	var cancel func()
	cancel, err := o.schedule(func(now int64) error {
		if calls++; o.args.times > 0 && calls >= o.args.times {
			cancel()
		}
		_, has := o.RecordMetadata()
		return o.forward(message{Key: "tick", Timestamp: now, Value: map[string]any{"call": calls, "now": now, "stream_time": o.StreamTime(), "wall_clock": o.WallClock(),
			"has_metadata": has}})
	})
	return func(r *message) error { return o.forward(*r) }, err
}

func newRewrite(o *outlet) (handler, error) {
	a := o.args
	return func(r *message) error {
		vars, out := o.vars(r), *r
		if e := a.exprs["when"]; e != nil {
			if ok, err := e.truth(vars); err != nil || !ok {
				return err
			}
		}
		var err error
		if e := a.exprs["key"]; e != nil {
			if out.Key, err = e.value(vars); err != nil {
				return err
			}
			out.NullKey = out.Key == nil
		}
		if e := a.exprs["value"]; e != nil {
			if out.Value, err = e.value(vars); err != nil {
				return err
			}
			out.NullValue = out.Value == nil
		}
		if e := a.exprs["timestamp"]; e != nil {
			if out.Timestamp, err = e.number(vars); err != nil {
				return err
			}
		}
		if out.Headers, err = a.rewritten(vars, out.Headers); err != nil {
			return err
		}
		return o.forward(out)
	}, nil
}

// rewritten are the headers with those that the arguments set: all of a name are removed, and one is appended where the value is not null.
func (a *args) rewritten(vars *processing, headers []broker.Header) ([]broker.Header, error) {
	for _, h := range a.headers {
		v, err := h.value.value(vars)
		if err != nil {
			return nil, err
		}
		headers = slices.DeleteFunc(slices.Clone(headers), func(x broker.Header) bool { return x.Key == h.name })
		switch t := v.(type) {
		case nil:
		case string:
			headers = append(headers, broker.Header{Key: h.name, Value: []byte(t)})
		default:
			return nil, &ExpressionError{h.value.text, fmt.Errorf("the result is a %T, and text or null is needed", v)}
		}
	}
	return headers, nil
}

func newFail(o *outlet) (handler, error) {
	when := o.args.exprs["when"]
	return func(r *message) error {
		yes, err := when.truth(o.vars(r))
		if err != nil {
			return err
		}
		if yes {
			return &Failure{o.args.text["message"]}
		}
		return o.forward(*r)
	}, nil
}

// Failure is the error of the processor "fail".
type Failure struct{ Text string }

func (e *Failure) Error() string { return e.Text }

// Class is the error kind's name.
func (e *Failure) Class() string { return "java.lang.IllegalStateException" }

func newGlobalLookup(o *outlet) (handler, error) {
	get, err := o.lookup(o.args.text["store"])
	if err != nil {
		return nil, err
	}
	key := o.args.exprs["key"]
	return func(r *message) error {
		k, err := key.value(o.vars(r))
		if err != nil {
			return err
		}
		if k == nil {
			return &streams.NullKeyError{}
		}
		found, err := get(k)
		if err != nil {
			return err
		}
		return o.forward(set(r, map[string]any{"value": r.Value, "found": found}))
	}, nil
}

// lookup reads a store by key, whichever of the two kinds it is.
func (o *outlet) lookup(store string) (func(k any) (any, error), error) {
	opened, err := o.Open(store)
	if err != nil {
		return nil, err
	}
	if opened.Handle.Kind.Timestamped() {
		s, err := streams.TimestampedStoreOf[any, any](o, store)
		return func(k any) (any, error) {
			v, _, _, err := s.Get(k)
			return v, err
		}, err
	}
	s, err := streams.KeyValueStoreOf[any, any](o, store)
	return func(k any) (any, error) {
		v, _, err := s.Get(k)
		return v, err
	}, err
}
