// Package faults is for what goes wrong in a run, and when: a plan is a list of faults, fixed or drawn from a seed, that a lab carries
// out on its instances.
package faults

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is what happens.
type Kind string

// The kinds.
const (
	// Crash kills an instance without warning, as kill -9 does.
	Crash Kind = "crash"
	// Restart starts a killed instance again, with the disk that it left.
	Restart Kind = "restart"
	// Pause stops an instance in its tracks; it keeps its connections and knows nothing of it.
	Pause Kind = "pause"
	// Resume lets a paused instance go on: longer paused than its session time-out, it is a zombie.
	Resume Kind = "resume"
)

// Any as an instance lets the seed choose one.
const Any = "any"

// Fault is one line of a plan: what happens to which instance, at a moment or at one that the seed draws from a span.
type Fault struct {
	Kind     Kind   // Crash or Pause
	Instance string // its name, or Any
	At       time.Time
	// From and To, instead of At: the seed draws the moment.
	From, To time.Time
	// For is how long until the restart or the resumption; 0: it does not come.
	For time.Duration
}

// Step is one thing to do at one moment.
type Step struct {
	At       time.Time
	Kind     Kind
	Instance string
}

func (s Step) String() string {
	return fmt.Sprintf("%s %s at %s", s.Kind, s.Instance, s.At.UTC().Format(time.RFC3339Nano))
}

// Error is a fault that a plan cannot have.
type Error struct {
	Index int // in the list, from 0
	Text  string
}

func (e *Error) Error() string { return fmt.Sprintf("fault %d: %s", e.Index+1, e.Text) }

// draws is how often a moment is drawn anew when every instance has a fault at that time.
const draws = 100

// Plan turns faults into steps in order of time. r draws what is open; instances are the names to draw from. No two faults that overlap
// in time hit the same instance: fixed ones come first, and are an error if they do; a drawn one moves on to the next instance, or to
// another moment.
func Plan(list []Fault, instances []string, r *rand.Rand) ([]Step, error) {
	p := &plan{instances: instances, r: r}
	for i := range list {
		if err := p.check(&list[i]); err != nil {
			return nil, &Error{i, err.Error()}
		}
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[a].open(), list[b].open()) })
	for _, i := range order {
		if !p.place(&list[i]) {
			return nil, &Error{i, fmt.Sprintf("%s overlaps another one of the same instance: move one of them", &list[i])}
		}
	}
	slices.SortStableFunc(p.steps, func(a, b Step) int { return a.At.Compare(b.At) })
	return p.steps, nil
}

// plan is a plan that is being made.
type plan struct {
	instances []string
	r         *rand.Rand
	busy      []span
	steps     []Step
}

// span is when an instance has a fault.
type span struct {
	from, to time.Time
	instance string
}

func (p *plan) check(f *Fault) error {
	switch {
	case f.Kind != Crash && f.Kind != Pause:
		return fmt.Errorf("%q is no fault: crash and pause are", f.Kind)
	case f.At.IsZero() == f.From.IsZero():
		return errors.New("either a moment or a span is needed")
	case f.To.Before(f.From):
		return fmt.Errorf("the span ends, at %s, before it begins, at %s", f.To.UTC().Format(time.RFC3339Nano), f.From.UTC().Format(time.RFC3339Nano))
	case f.For < 0:
		return fmt.Errorf("the length %s is negative", f.For)
	case f.Instance == Any && len(p.instances) > 0, slices.Contains(p.instances, f.Instance):
		return nil
	}
	return fmt.Errorf("there is no instance %q: there are %v", f.Instance, p.instances)
}

// open is how much of the fault is left to the seed; what is left least comes first.
func (f *Fault) open() (n int) {
	if f.Instance == Any {
		n++
	}
	if f.At.IsZero() {
		n += 2
	}
	return n
}

func (f *Fault) String() string {
	when := "at " + f.At.UTC().Format(time.RFC3339Nano)
	if f.At.IsZero() {
		when = fmt.Sprintf("between %s and %s", f.From.UTC().Format(time.RFC3339Nano), f.To.UTC().Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("%s %s %s", f.Kind, f.Instance, when)
}

// place finds the fault's moment and instance; it says whether there are any.
func (p *plan) place(f *Fault) bool {
	tries := 1
	if f.At.IsZero() {
		tries = draws
	}
	for range tries {
		at := f.At
		if at.IsZero() {
			at = f.From.Add(time.Duration(p.r.Int64N(max(1, int64(f.To.Sub(f.From))))).Truncate(time.Millisecond))
		}
		end := at.Add(f.For)
		if f.For == 0 {
			end = at.Add(1 << 62)
		}
		if name := p.choose(f, at, end); name != "" {
			p.busy = append(p.busy, span{at, end, name})
			p.steps = append(p.steps, Step{at, f.Kind, name})
			if f.For > 0 {
				p.steps = append(p.steps, Step{end, undo(f.Kind), name})
			}
			return true
		}
	}
	return false
}

// choose returns the instance for a fault, or nothing.
func (p *plan) choose(f *Fault, from, to time.Time) string {
	candidates := []string{f.Instance}
	if f.Instance == Any {
		n := p.r.IntN(len(p.instances))
		candidates = slices.Concat(p.instances[n:], p.instances[:n])
	}
	for _, c := range candidates {
		if !slices.ContainsFunc(p.busy, func(b span) bool { return b.instance == c && from.Before(b.to) && b.from.Before(to) }) {
			return c
		}
	}
	return ""
}

func undo(k Kind) Kind {
	if k == Crash {
		return Restart
	}
	return Resume
}
