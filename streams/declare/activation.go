package declare

import (
	"unicode/utf8"

	"cel.dev/cel-go/cel"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// The variables of an expression, in one small struct a record: no map. CEL takes native Go values as they are.

// record is key, window and value.
type record struct{ key, value any }

// ResolveName implements cel.Activation.
func (r *record) ResolveName(name string) (any, bool) {
	switch name {
	case "value":
		return r.value, true
	case "key":
		if w, ok := r.key.(serde.Windowed[any]); ok {
			return w.Key, true
		}
		return r.key, true
	case "window":
		if w, ok := r.key.(serde.Windowed[any]); ok {
			return map[string]any{"start": w.Window.Start, "end": w.Window.End}, true
		}
		return nil, true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (r *record) Parent() cel.Activation { return nil }

// folding is key, value and agg.
type folding struct{ key, value, agg any }

// ResolveName implements cel.Activation.
func (f *folding) ResolveName(name string) (any, bool) {
	switch name {
	case "value":
		return f.value, true
	case "agg":
		return f.agg, true
	case "key":
		return f.key, true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (f *folding) Parent() cel.Activation { return nil }

// located is a record with what is known of it.
type located struct {
	record
	timestamp, offset, partitionTime int64
	partition                        int32
	topic                            string
	headers                          []broker.Header
}

// ResolveName implements cel.Activation.
func (l *located) ResolveName(name string) (any, bool) {
	switch name {
	case "timestamp":
		return l.timestamp, true
	case "topic":
		if l.topic == "" {
			return nil, true
		}
		return l.topic, true
	case "partition":
		return int64(l.partition), true
	case "offset":
		return l.offset, true
	case "headers":
		return headerMap(l.headers), true
	case "partition_time":
		return l.partitionTime, true
	}
	return l.record.ResolveName(name)
}

// headerMap is the last value of each name as text.
func headerMap(headers []broker.Header) map[string]any {
	m := make(map[string]any, len(headers))
	for _, h := range headers {
		switch {
		case h.Value == nil:
			m[h.Key] = nil
		case utf8.Valid(h.Value):
			m[h.Key] = string(h.Value)
		default:
			m[h.Key] = string([]rune(string(h.Value)))
		}
	}
	return m
}
