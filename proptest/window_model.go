package proptest

import (
	"maps"
	"slices"
)

// Window is a key and a span of time in ms. The end of a tumbling or hopping window is not in it; those of sliding windows and sessions are.
type Window struct {
	Key        string
	Start, End int64
}

// Counts are the results of a windowed count.
type Counts map[Window]int64

// inTime gives each record with the stream time after it.
func inTime(log []Record, f func(r Record, streamTime int64)) {
	now := int64(-1)
	for _, r := range log {
		now = max(now, r.Time)
		f(r, now)
	}
}

// times are those of the records of a key.
func times(log []Record, key int, f func(r Record) bool) (out []int64) {
	for _, r := range log {
		if r.Key == key && f(r) {
			out = append(out, r.Time)
		}
	}
	return out
}

// CountTimeWindows counts in tumbling or hopping windows, of which each record is in every one that holds its time. A window takes records while its end is
// later than stream time less the grace. A record without a value counts like any other, as in Kafka.
func CountTimeWindows(log []Record, size, advance, grace int64) Counts {
	out := Counts{}
	inTime(log, func(r Record, now int64) {
		for start := int64(0); start <= r.Time; start += advance {
			if r.Time < start+size && start+size > now-grace {
				out[Window{r.Name(), start, start + size}]++
			}
		}
	})
	return out
}

// Closed are the windows that stream time has passed with the grace, when the log is over.
func Closed(log []Record, all Counts, grace int64) Counts {
	end := int64(-1)
	inTime(log, func(_ Record, now int64) { end = now })
	out := maps.Clone(all)
	maps.DeleteFunc(out, func(w Window, _ int64) bool { return w.End > end-grace })
	return out
}

// CountSlidingWindows counts in sliding windows where nothing is late: one ends at each record, and one starts just behind each record that
// has another within the difference after it. Records without a value are passed over.
func CountSlidingWindows(log []Record, difference int64) Counts {
	out := Counts{}
	for k := range Keys {
		times := times(log, k, func(r Record) bool { return !r.Null })
		within := func(from, to int64) (n int64) {
			for _, t := range times {
				if t >= from && t <= to {
					n++
				}
			}
			return n
		}
		name := Record{Key: k}.Name()
		for _, t := range times {
			start := max(0, t-difference) // no window begins before time began
			out[Window{name, start, start + difference}] = within(start, start+difference)
			if n := within(t+1, t+1+difference); n > 0 {
				out[Window{name, t + 1, t + 1 + difference}] = n
			}
		}
	}
	return out
}

// CountSessions counts in sessions: a record joins every session of its key that is at most gap away. The session that would come of it must not have
// ended before stream time less the gap and the grace.
func CountSessions(log []Record, gap, grace int64) Counts {
	out := Counts{}
	inTime(log, func(r Record, now int64) {
		joined, n := Window{r.Name(), r.Time, r.Time}, int64(1)
		var met []Window
		for w, k := range out {
			if w.Key == r.Name() && w.End >= r.Time-gap && w.Start <= r.Time+gap {
				met = append(met, w)
				joined.Start, joined.End = min(joined.Start, w.Start), max(joined.End, w.End)
				n += k
			}
		}
		if joined.End < now-gap-grace {
			return
		}
		for _, w := range met {
			delete(out, w)
		}
		out[joined] = n
	})
	return out
}

// Sessions are the sessions of records of which none is late: runs of times with no gap between neighbours that is longer.
func Sessions(log []Record, gap int64) Counts {
	out := Counts{}
	for k := range Keys {
		times := times(log, k, func(Record) bool { return true })
		slices.Sort(times)
		for i := 0; i < len(times); {
			j := i + 1
			for j < len(times) && times[j]-times[j-1] <= gap {
				j++
			}
			out[Window{Record{Key: k}.Name(), times[i], times[j-1]}] = int64(j - i)
			i = j
		}
	}
	return out
}
