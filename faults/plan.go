// Package faults is for what goes wrong in a run, and when: a plan is a list of faults, fixed or drawn from a seed, that a lab carries
// out on its instances.
package faults

import (
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

// Plan turns faults into steps in order of time. r draws what is open; instances are the names to draw from. No two faults that overlap
// in time hit the same instance: a drawn one moves on to the next instance, and a fixed one that cannot is an error.
func Plan(list []Fault, instances []string, r *rand.Rand) ([]Step, error) {
	type span struct {
		from, to time.Time
		instance string
	}
	var busy []span
	free := func(name string, from, to time.Time) bool {
		return !slices.ContainsFunc(busy, func(b span) bool { return b.instance == name && from.Before(b.to) && b.from.Before(to) })
	}
	var out []Step
	for i, f := range list {
		at := f.At
		if at.IsZero() {
			at = f.From.Add(time.Duration(r.Int64N(max(1, int64(f.To.Sub(f.From))))).Truncate(time.Millisecond))
		}
		end := at.Add(f.For)
		if f.For == 0 {
			end = at.Add(1 << 62)
		}
		name := f.Instance
		if name == Any {
			name = ""
			for k, n := 0, r.IntN(len(instances)); k < len(instances) && name == ""; k++ {
				if c := instances[(n+k)%len(instances)]; free(c, at, end) {
					name = c
				}
			}
		}
		if name == "" || !free(name, at, end) {
			return nil, fmt.Errorf("faults: fault %d (%s %s at %s) overlaps another one of the same instance", i+1, f.Kind, f.Instance, at.UTC().Format(time.RFC3339))
		}
		if !slices.Contains(instances, name) {
			return nil, fmt.Errorf("faults: fault %d: there is no instance %q: there are %v", i+1, name, instances)
		}
		busy = append(busy, span{at, end, name})
		out = append(out, Step{at, f.Kind, name})
		if f.For > 0 {
			out = append(out, Step{end, undo(f.Kind), name})
		}
	}
	slices.SortStableFunc(out, func(a, b Step) int { return a.At.Compare(b.At) })
	return out, nil
}

func undo(k Kind) Kind {
	if k == Crash {
		return Restart
	}
	return Resume
}
