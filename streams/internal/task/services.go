package task

import (
	"errors"
	"strconv"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

var _ processor.Task = (*Task)(nil)

// Context implements processor.Task.
func (t *Task) Context() *processor.RecordContext { return &t.ctx }

// StreamTime implements processor.Task.
func (t *Task) StreamTime() int64 { return t.time }

// WallClock implements processor.Task.
func (t *Task) WallClock() int64 { return t.wall }

// Now implements processor.Task.
func (t *Task) Now() int64 { return t.cfg.Host.Now().UnixMilli() }

// Store implements processor.Task.
func (t *Task) Store(name string) *state.Handle {
	if s := t.store(name); s != nil {
		return s.Handle
	}
	return nil
}

// GlobalStore implements processor.Task.
func (t *Task) GlobalStore(name string) *state.Handle {
	if t.cfg.Global == nil {
		return nil
	}
	return t.cfg.Global(name)
}

// StoreSerdes implements processor.Task.
func (t *Task) StoreSerdes(name string) (key, value any) {
	s := t.cfg.Topology.StoreSerdes(name)
	return s.Key, s.Value
}

// Changelog implements processor.Task.
func (t *Task) Changelog(store string) string {
	if s := t.store(store); s != nil && s.Source != "" {
		return s.Source
	}
	return t.cfg.ApplicationID + "-" + store + "-changelog"
}

// Metadata implements processor.Task.
func (t *Task) Metadata(key string, initial int64) *int64 {
	if p, ok := t.numbers[key]; ok {
		return p
	}
	p := new(int64)
	*p = initial
	if v, ok := t.seed[key]; ok {
		*p = v
	}
	t.numbers[key] = p
	return p
}

// Scratch implements processor.Task.
func (t *Task) Scratch(key string) *int64 {
	if t.scratch == nil {
		t.scratch = map[string]*int64{}
	}
	if t.scratch[key] == nil {
		t.scratch[key] = new(int64)
	}
	return t.scratch[key]
}

// Drop implements processor.Task.
func (t *Task) Drop(node, reason string) {
	*t.Metadata(operator.DropKey+node, 0)++
	t.log.Warn("streams: dropped a record", "processor", node, "reason", reason, "topic", t.ctx.Topic, "partition", t.ctx.Partition, "offset", t.ctx.Offset)
	if t.cfg.Dropped != nil {
		t.cfg.Dropped(t.id, node, reason)
	}
}

// Send implements processor.Task.
func (t *Task) Send(topic string, partition int32, hash []byte, r broker.Record) error {
	for i := range t.outs {
		if o := &t.outs[i]; o.name == topic {
			return t.coll.send(t.coll.partition(o.topicOut, partition, hash), r)
		}
	}
	o, err := t.coll.topic(t.TopicName(topic))
	if err != nil {
		return err
	}
	if len(t.outs) < few { // a dynamic sink may have any number
		t.outs = append(t.outs, out{topic, o})
	}
	return t.coll.send(t.coll.partition(o, partition, hash), r)
}

// Partitions implements processor.Task.
func (t *Task) Partitions(topic string) (int32, error) { return t.coll.Partitions(t.TopicName(topic)) }

// Alloc implements processor.Task.
func (t *Task) Alloc(n int) []byte { return t.coll.Alloc(n) }

// Keep implements processor.Task.
func (t *Task) Keep(b []byte) { t.coll.Keep(b) }

// EmitInterval implements processor.Task.
func (t *Task) EmitInterval() int64 { return t.cfg.EmitInterval }

// RequestCommit implements processor.Task.
func (t *Task) RequestCommit() { t.commit = true }

// Handle implements processor.Task.
func (t *Task) Handle(node string, err error) bool {
	h := &t.cfg.Handlers
	if c := h.Custom.Processing; c != nil {
		return t.skipped(node, "processing", err, t.ask(c, &Failure{t.id, node, "", t.ctx, err}))
	}
	t.deadLetter(t.ctx, err)
	if h.Processing == nil || !h.Processing(t.id, node, &t.ctx, err) {
		return false
	}
	return t.skipped(node, "processing", err, true)
}

// HandleSerialization implements processor.Task.
func (t *Task) HandleSerialization(node, origin string, err error) bool {
	h := &t.cfg.Handlers
	if c := h.Custom.Serialization; c != nil {
		return t.skipped(node, "production", err, t.ask(c, &Failure{t.id, node, origin, t.ctx, err}))
	}
	if h.Serialization == nil || !h.Serialization(t.id, origin, &t.ctx, err) {
		t.deadLetter(t.ctx, err) // the handler that continues writes none
		return false
	}
	return t.skipped(node, "production", err, true)
}

// skipCorrupt asks the deserialization handler about a record that cannot be read.
func (t *Task) skipCorrupt(q *queue, raw *broker.Record, err *processor.DeserializationError) bool {
	h := &t.cfg.Handlers
	ctx := processor.RecordContext{Topic: q.tp.Topic, Partition: q.tp.Partition, Offset: raw.Offset, Timestamp: raw.Timestamp, Headers: raw.Headers,
		RawKey: raw.Key, RawValue: raw.Value}
	if c := h.Custom.Deserialization; c != nil {
		return t.skipped(q.source, "deserialization", err, t.ask(c, &Failure{t.id, q.source, err.Origin, ctx, err.Err}))
	}
	t.deadLetter(ctx, err)
	if h.Deserialization == nil || !h.Deserialization(t.id, q.source, q.tp, raw, err) {
		return false
	}
	return t.skipped(q.source, "deserialization", err, true)
}

// skipped counts a record that a handler leaves out.
func (t *Task) skipped(node, handler string, err error, skip bool) bool {
	if skip {
		t.Drop(node, handler+" handler: "+err.Error())
	}
	return skip
}

// deadLetter writes the record in hand to the dead letter queue topic (KIP-1034), where there is one.
func (t *Task) deadLetter(ctx processor.RecordContext, err error) {
	topic := t.cfg.Handlers.DeadLetters
	if topic == "" {
		return
	}
	headers := append([]broker.Header(nil), ctx.Headers...)
	class, message := errorKind(err)
	for _, h := range [][2]string{{"exception", class}, {"message", message}, {"stacktrace", err.Error()}, {"topic", ctx.Topic},
		{"partition", strconv.Itoa(int(ctx.Partition))}, {"offset", strconv.FormatInt(ctx.Offset, 10)}} {
		headers = append(headers, broker.Header{Key: "__streams.errors." + h[0], Value: []byte(h[1])})
	}
	if ctx.Topic == "" { // in a punctuation
		headers[len(headers)-3].Value = nil
	}
	if err := t.coll.Send(topic, -1, ctx.RawKey, broker.Record{Key: ctx.RawKey, Value: ctx.RawValue, Timestamp: ctx.Timestamp, Headers: headers}); err != nil {
		t.log.Error("streams: cannot write a dead letter", "topic", topic, "error", err)
	}
}

// errorKind is Kafka's name of the kind of an error, and its message without what is around and below it.
func errorKind(err error) (class, message string) {
	type classed interface {
		error
		Class() string
	}
	c, ok := errors.AsType[classed](err)
	if !ok {
		return "java.lang.RuntimeException", err.Error()
	}
	if m, ok := c.(interface{ Message() string }); ok {
		return c.Class(), m.Message()
	}
	return c.Class(), c.Error()
}
