package operator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Custom is a processor of the user's: the node of KStream.process.
type Custom[K, V, KO, VO any] struct {
	processor.Output[KO, VO]
	Node     string
	Stores   []string // connected
	Supplier func(c *Context[KO, VO]) (processor.Processor[K, V], error)

	p processor.Processor[K, V]
	c *Context[KO, VO]
}

// Init implements processor.Instance. It makes the user's processor.
func (n *Custom[K, V, KO, VO]) Init(t processor.Task) (err error) {
	if err := n.Output.Init(t); err != nil {
		return err
	}
	c := newContext(t, &n.Output, n.Node, n.Stores)
	if n.p, err = n.Supplier(c); err != nil {
		return &InitError{n.Node, err}
	}
	c.made = true
	n.c = c
	return nil
}

// Process implements processor.Processor.
func (n *Custom[K, V, KO, VO]) Process(r *processor.Record[K, V]) error {
	if ctx := n.Task().Context(); ctx.RawKey == nil && ctx.RawValue == nil {
		return n.p.Process(r)
	}
	n.c.given = &given{r.Key, r.Value, r.Timestamp, r.Headers}
	err := n.p.Process(r)
	n.c.given = nil
	return err
}

// Close implements processor.Instance.
func (n *Custom[K, V, KO, VO]) Close() { closeUser(n.p) }

func closeUser(p any) {
	if c, ok := p.(interface{ Close() }); ok {
		c.Close()
	}
}

// InitError is a processor of the user's that could not be made.
type InitError struct {
	Node string
	Err  error
}

func (e *InitError) Error() string {
	return fmt.Sprintf("failed to initialize processor %s: %v", e.Node, e.Err)
}
func (e *InitError) Unwrap() error { return e.Err }

// Class is Kafka's name of the error kind.
func (e *InitError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// UseError is a use of the context that cannot be: an unknown child, a store that is not connected, a negative timestamp.
type UseError struct{ Text string }

func (e *UseError) Error() string { return "streams: " + e.Text }

// Class is Kafka's name of the error kind.
func (e *UseError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// IntervalError is a schedule that cannot be.
type IntervalError struct{ Text string }

func (e *IntervalError) Error() string { return "streams: " + e.Text }

// Class is Kafka's name of the error kind.
func (e *IntervalError) Class() string { return "java.lang.IllegalArgumentException" }

// Surroundings is what a processor sees of its task, beside forwarding. All of it is for the task's thread: for calls out of the processor
// and its punctuations.
type Surroundings struct {
	t      processor.Task
	node   string
	stores []string
	made   bool
}

// TaskID is the task's.
func (s *Surroundings) TaskID() processor.TaskID { return s.t.ID() }

// ApplicationID is application.id.
func (s *Surroundings) ApplicationID() string { return s.t.ApplicationID() }

// AppConfigs are the application's properties as they were given. The map is the caller's.
func (s *Surroundings) AppConfigs() map[string]string { return maps.Clone(s.t.AppConfigs()) }

// AppConfigsWithPrefix are those that begin with a prefix, without it.
func (s *Surroundings) AppConfigsWithPrefix(prefix string) map[string]string {
	out := map[string]string{}
	for name, value := range s.t.AppConfigs() { // into a map again
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out[rest] = value
		}
	}
	return out
}

// StateDir is the directory of the task: <state.dir>/<application.id>/<task>. It is there if the task has persistent stores.
func (s *Surroundings) StateDir() string { return s.t.StateDir() }

// StreamTime is the task's stream time in ms: the highest timestamp so far; -1 before the first record.
func (s *Surroundings) StreamTime() int64 { return s.t.StreamTime() }

// WallClock is the time in ms, as of the beginning of the current record or punctuation.
func (s *Surroundings) WallClock() int64 {
	if !s.made {
		return s.t.Now()
	}
	return s.t.WallClock()
}

// Commit asks for a commit at the next occasion.
func (s *Surroundings) Commit() { s.t.RequestCommit() }

// Metadata is where a record came from. In a punctuation the topic is empty, partition and offset are -1.
type Metadata struct {
	Topic     string
	Partition int32
	Offset    int64
}

// RecordMetadata says where the record in hand came from; ok is false while the processor is being made.
func (s *Surroundings) RecordMetadata() (m Metadata, ok bool) {
	c := s.t.Context()
	return Metadata{c.Topic, c.Partition, c.Offset}, s.made
}

// Schedule calls f at each interval of one clock, of at least 1 ms; f is given that clock's time. On stream time the first call is with
// the first record, on the wall clock after one interval. An error of f goes to the processing exception handler. cancel ends it.
func (s *Surroundings) Schedule(interval time.Duration, clock processor.PunctuationType, f func(now int64) error) (cancel func(), err error) {
	return s.schedule(-1, interval, clock, f)
}

// ScheduleFrom is Schedule on the grid that begins at start, in ms since the epoch, not negative (KIP-1146).
func (s *Surroundings) ScheduleFrom(start int64, interval time.Duration, clock processor.PunctuationType, f func(now int64) error) (cancel func(), err error) {
	if start < 0 {
		return nil, &IntervalError{fmt.Sprintf("a schedule cannot start at %d, before the epoch", start)}
	}
	return s.schedule(start, interval, clock, f)
}

func (s *Surroundings) schedule(start int64, interval time.Duration, clock processor.PunctuationType, f func(now int64) error) (func(), error) {
	if interval < time.Millisecond {
		return nil, &IntervalError{"The minimum supported scheduling interval is 1 millisecond."}
	}
	return s.t.Schedule(start, interval.Milliseconds(), clock, s.node, f), nil
}

// Opened is a store at the level of bytes, with all that is needed to type it.
type Opened struct {
	Handle *state.Handle
	Topic  string // of its changelog, for the serdes
	// Key and Value are its serdes, each a serde.Serde.
	Key, Value any
	// Seq is the number of the last row of a store with duplicates.
	Seq *int64
}

// Open opens a store: one that is connected to the processor, or a global one, which can only be read.
func (s *Surroundings) Open(store string) (*Opened, error) {
	h, global := s.t.Store(store), s.t.GlobalStore(store)
	switch {
	case h != nil && slices.Contains(s.stores, store):
	case global != nil:
		h = global
	default:
		return nil, &UseError{fmt.Sprintf("processor %s has no access to store %s: connect it by naming it among the processor's stores", s.node, store)}
	}
	return OpenedOf(s.t, h), nil
}

// OpenedOf is a store of a task with what is needed to type it.
func OpenedOf(t processor.Task, h *state.Handle) *Opened {
	o := &Opened{Handle: h, Topic: t.Changelog(h.Name)}
	o.Key, o.Value = t.StoreSerdes(h.Name)
	if h.Duplicates {
		o.Seq = t.Metadata(sequenceKey+h.Name, 0)
	}
	return o
}

// Context is a processor's: ProcessorContext. It forwards records of KO and VO.
type Context[KO, VO any] struct {
	Surroundings
	o         *processor.Output[KO, VO]
	out       processor.Record[KO, VO]
	nullKey   func(*KO) bool
	nullValue func(*VO) bool
	given     *given // what the processor works on, where that has the source record's bytes
}

func newContext[KO, VO any](t processor.Task, o *processor.Output[KO, VO], node string, stores []string) *Context[KO, VO] {
	return &Context[KO, VO]{Surroundings: Surroundings{t: t, node: node, stores: stores}, o: o, nullKey: processor.NullTest[KO](), nullValue: processor.NullTest[VO]()}
}

// Forward gives a record to all children in order, each with everything below it before the next. For them the record context has the
// record's timestamp and headers; topic, partition and offset stay. A nil key or value is a null. Return its error.
func (c *Context[KO, VO]) Forward(r processor.Record[KO, VO]) error {
	if err := c.take(r); err != nil {
		return err
	}
	if c.given != nil && c.given.is(&given{c.out.Key, c.out.Value, c.out.Timestamp, c.out.Headers}) {
		return c.o.Pass(&c.out)
	}
	return c.o.ForwardAt(&c.out)
}

// ForwardTo is Forward to the child of one name alone.
func (c *Context[KO, VO]) ForwardTo(child string, r processor.Record[KO, VO]) error {
	i := c.o.Child(child)
	if i < 0 {
		return &UseError{fmt.Sprintf("processor %s has no child %q to forward to", c.node, child)}
	}
	if err := c.take(r); err != nil {
		return err
	}
	ctx := c.t.Context()
	ts, headers := ctx.Timestamp, ctx.Headers
	ctx.Timestamp, ctx.Headers = r.Timestamp, r.Headers
	err := c.o.ForwardTo(i, &c.out)
	ctx.Timestamp, ctx.Headers = ts, headers
	return err
}

func (c *Context[KO, VO]) take(r processor.Record[KO, VO]) error {
	if r.Timestamp < 0 {
		return &UseError{fmt.Sprintf("a record with the negative timestamp %d cannot be forwarded", r.Timestamp)}
	}
	c.out = r
	c.out.NullKey = r.NullKey || c.nullKey(&c.out.Key)
	c.out.NullValue = r.NullValue || c.nullValue(&c.out.Value)
	return nil
}
