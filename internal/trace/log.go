package trace

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strings"
)

// Log takes the events of a run in order, hashes them all, and keeps those that its filter lets through. It is not safe for
// concurrent use; the simulator calls it from one place.
type Log struct {
	// Keep chooses what Events returns; nil keeps nothing. The hash covers everything in any case.
	Keep Filter
	// Tee, when set, gets every event's line.
	Tee io.Writer
	// Each, when set, sees every event; it must not keep Fields.
	Each func(Event)

	h      hash.Hash
	n      int64
	events []Event
	buf    []byte
}

// Add appends an event.
func (l *Log) Add(e Event) {
	if l.h == nil {
		l.h = sha256.New()
	}
	l.buf = append(e.Append(l.buf[:0]), '\n')
	l.h.Write(l.buf)
	l.n++
	if l.Tee != nil {
		_, _ = l.Tee.Write(l.buf) // a broken tee must not change the run
	}
	if l.Keep != nil && l.Keep(e) {
		e.Fields = slices.Clone(e.Fields)
		l.events = append(l.events, e)
	}
	if l.Each != nil {
		l.Each(e)
	}
}

// Hash is the first 16 hex digits of SHA-256 over all lines so far.
func (l *Log) Hash() string {
	if l.h == nil {
		l.h = sha256.New()
	}
	return hex.EncodeToString(l.h.Sum(nil))[:16]
}

// Len is the number of events added.
func (l *Log) Len() int64 { return l.n }

// Events are those kept, in order. The slice is the log's own.
func (l *Log) Events() []Event { return l.events }

// Filter chooses events.
type Filter func(Event) bool

// Kind lets through the events of these kinds; a kind that ends in ".*" stands for all below it.
func Kind(kinds ...string) Filter {
	return func(e Event) bool {
		for _, k := range kinds {
			if k == e.Kind || strings.HasSuffix(k, ".*") && strings.HasPrefix(e.Kind, k[:len(k)-1]) {
				return true
			}
		}
		return false
	}
}

// Process lets through the events of these processes.
func Process(names ...string) Filter {
	return func(e Event) bool { return slices.Contains(names, e.Process) }
}

// All lets everything through.
func All(Event) bool { return true }

// And lets through what all filters let through.
func And(fs ...Filter) Filter {
	return func(e Event) bool {
		for _, f := range fs {
			if !f(e) {
				return false
			}
		}
		return true
	}
}
