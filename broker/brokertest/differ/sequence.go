// Package differ is for finding where an implementation of package broker differs from the model: it makes random sequences of
// operations of several producers, consumers and group members, plays one on both, and compares what they answered.
//
// A sequence is text, an operation a line, so that it can be read, edited, shrunk and kept as a case. It is played on one thread, each
// operation to its end, and where Kafka does something later (markers of transactions, rebalances) the player waits for it: what is
// answered then depends on the operations alone.
package differ

import (
	"fmt"
	"slices"
	"strings"
)

// Op is one operation: a verb and its arguments, as in "send p1 a-0 3".
type Op struct {
	Verb string
	Args []string
}

func (o Op) String() string { return strings.Join(append([]string{o.Verb}, o.Args...), " ") }

func op(verb string, args ...any) Op {
	o := Op{Verb: verb}
	for _, a := range args {
		o.Args = append(o.Args, fmt.Sprint(a))
	}
	return o
}

// Sequence is a run of operations. Every part of a sequence is a sequence: an operation of a client that there is not is answered so.
type Sequence []Op

func (s Sequence) String() string {
	var b strings.Builder
	for _, o := range s {
		fmt.Fprintln(&b, o)
	}
	return b.String()
}

// Parse reads a sequence as String writes it. Empty lines and those that begin with # are passed over.
func Parse(text string) (Sequence, error) {
	var s Sequence
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		v, ok := verbs[fields[0]]
		if !ok {
			return nil, fmt.Errorf("line %d: no operation %q", i+1, fields[0])
		}
		if n := len(fields) - 1; n < v.args {
			return nil, fmt.Errorf("line %d: %s needs %d arguments, not %d", i+1, fields[0], v.args, n)
		}
		s = append(s, Op{fields[0], fields[1:]})
	}
	return s, nil
}

// Shrink returns a part of s that still fails, from which no single operation can be left out.
func Shrink(s Sequence, fails func(Sequence) bool) Sequence {
	for size := len(s) / 2; size >= 1; {
		smaller := false
		for at := 0; at+size <= len(s); {
			if part := slices.Concat(s[:at], s[at+size:]); fails(part) {
				s, smaller = part, true
			} else {
				at += size
			}
		}
		if !smaller || size > len(s) {
			size /= 2
		}
	}
	return s
}

// Compare says where two players' answers to s part; empty: nowhere.
func Compare(s Sequence, a, b []string) string {
	for i, o := range s {
		if a[i] == b[i] {
			continue
		}
		var out strings.Builder
		for j := range i + 1 {
			fmt.Fprintf(&out, "%s\t# %s\n", s[j], a[j])
		}
		fmt.Fprintf(&out, "operation %d, %s:\n\tone answered   %s\n\tother answered %s\n", i, o, a[i], b[i])
		return out.String()
	}
	return ""
}
