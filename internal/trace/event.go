// Package trace is for everyone who must know what happened in a run: golden files, the report, the TUI, the shrinker and the
// double-run check all read the one event log that it defines.
package trace

import (
	"strconv"
	"strings"
	"time"
)

// Event is one thing that happened. Its canonical rendering ([Event.String]) is part of the replay contract: two runs of one seed
// render the same lines.
type Event struct {
	At      int64  // nanoseconds since the epoch, virtual or real
	Process string // who: "departures-1", "broker-2", "lab"
	Kind    string // dotted, lower case: "txn.commit", "task.assigned", "net.drop"
	Fields  []Field
}

// Field is one named fact of an event.
type Field struct {
	Key   string
	Value string
}

// F makes a field of a string.
func F(key, value string) Field { return Field{key, value} }

// I makes a field of an integer.
func I(key string, value int64) Field { return Field{key, strconv.FormatInt(value, 10)} }

// Get returns the value of the first field of that name, and whether there is one.
func (e Event) Get(key string) (string, bool) {
	for _, f := range e.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return "", false
}

// String renders the event on one line: RFC 3339 time with nanoseconds in UTC, process, kind, then key=value in the order of
// Fields; a value with a space, a quote, an equals sign or a control character is quoted as in Go.
func (e Event) String() string { return string(e.Append(nil)) }

// Append appends the canonical rendering, without a line end.
func (e Event) Append(b []byte) []byte {
	b = time.Unix(0, e.At).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
	b = append(b, ' ')
	b = append(b, e.Process...)
	b = append(b, ' ')
	b = append(b, e.Kind...)
	for _, f := range e.Fields {
		b = append(b, ' ')
		b = append(b, f.Key...)
		b = append(b, '=')
		if plain(f.Value) {
			b = append(b, f.Value...)
		} else {
			b = strconv.AppendQuote(b, f.Value)
		}
	}
	return b
}

func plain(s string) bool {
	if s == "" {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r == 0x7f || r > 0x7e })
}
