package proptest

// Pair is what a join sends: key, time and both sides.
type Pair struct {
	Key  string
	Time int64
	Joined
}

// JoinWithTable looks each record of the left topic up in the table that the right one has made by then.
func JoinWithTable(log []Record, left bool) (out []Pair) {
	table := Table{}
	for _, r := range log {
		if r.Right {
			table.put(r)
			continue
		}
		if r.Null {
			continue // a stream's record without a value joins nothing
		}
		v, has := table[r.Name()]
		if has || left {
			out = append(out, Pair{r.Name(), r.Time, Joined{r.Value, v, true, has}})
		}
	}
	return out
}

// JoinWithVersions looks each record of the left topic up in the right one's table as it was at the record's own time.
func JoinWithVersions(log []Record) (out []Pair) {
	for i, r := range log {
		if r.Right || r.Null {
			continue
		}
		best := -1 // the record with the latest time up to r's, the last one of several
		for j, v := range log[:i] {
			if v.Right && v.Key == r.Key && v.Time <= r.Time && (best < 0 || v.Time >= log[best].Time) {
				best = j
			}
		}
		if best >= 0 && !log[best].Null {
			out = append(out, Pair{r.Name(), r.Time, Joined{r.Value, log[best].Value, true, true}})
		}
	}
	return out
}

// JoinStreams pairs the records of both topics whose times are at most difference apart, where no record is late beyond the grace. With left and right,
// a record that finds no partner comes alone: at once if its window was over when it came, also if a late partner follows, as in Kafka; else when no partner
// has come by the time that the window closed, with the grace, which must be before the end of the log.
func JoinStreams(log []Record, difference int64, left, right bool) (out []Pair) {
	now := int64(-1)
	for i, r := range log {
		if now = max(now, r.Time); r.Null {
			continue
		}
		before, after := false, false
		for j, o := range log {
			if o.Null || o.Right == r.Right || o.Key != r.Key || max(o.Time-r.Time, r.Time-o.Time) > difference {
				continue
			}
			if j > i {
				after = true
				continue
			}
			before = true
			out = append(out, pairOf(r, o)) // the later one of the two finds the earlier one
		}
		if !before && (!after || r.Time+difference < now) && (r.Right && right || !r.Right && left) {
			out = append(out, pairAlone(r))
		}
	}
	return out
}

func pairOf(a, b Record) Pair {
	if a.Right {
		a, b = b, a
	}
	return Pair{a.Name(), max(a.Time, b.Time), Joined{a.Value, b.Value, true, true}}
}

func pairAlone(r Record) Pair {
	if r.Right {
		return Pair{r.Name(), r.Time, Joined{Right: r.Value, HasRight: true}}
	}
	return Pair{r.Name(), r.Time, Joined{Left: r.Value, HasLeft: true}}
}
