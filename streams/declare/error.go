package declare

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is something wrong with a file. It is printed on one line: "app.yaml:12:9: what is wrong".
type Error struct {
	File         string
	Line, Column int // from 1
	Text         string
	// Err is the error of the topology or its configuration that Text tells of, or nil.
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

func (e *Error) Unwrap() error { return e.Err }

// Class is Kafka's name of the error kind, or SpecException where the file is wrong before Kafka's rules are asked.
func (e *Error) Class() string {
	if c, ok := errors.AsType[interface {
		error
		Class() string
	}](e.Err); ok {
		return c.Class()
	}
	return "SpecException"
}

// place is where something stands in a file.
type place struct{ line, column int }

// fail is an error of the file at a place.
func (d *document) fail(p place, format string, args ...any) *Error {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ") // one line, whatever a library put into its message
	return &Error{File: d.file, Line: p.line, Column: p.column, Text: text}
}

// wrap is an error of the topology at a place.
func (d *document) wrap(p place, err error, format string, args ...any) *Error {
	e := d.fail(p, format, args...)
	e.Err = err
	return e
}

// suggest is ": did you mean ...?" or ": one of ..." after an unknown name.
func suggest(name string, known []string) string {
	best, least := "", 1+max(len(name), 2)/2
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	return ": it is one of " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
