package proptest

// Table is the last value of each key.
type Table map[string]int64

// put puts a record into a table; null deletes.
func (t Table) put(r Record) {
	if r.Null {
		delete(t, r.Name())
		return
	}
	t[r.Name()] = r.Value
}

// FinalTable is the table that a log makes. A table reads of each record, also of a late one: what comes last counts.
func FinalTable(log []Record) Table {
	t := Table{}
	for _, r := range log {
		t.put(r)
	}
	return t
}

// Sides splits a log by topic.
func Sides(log []Record) (left, right []Record) {
	for _, r := range log {
		if r.Right {
			right = append(right, r)
		} else {
			left = append(left, r)
		}
	}
	return left, right
}

// Joined is a pair of values; a side that has none says so.
type Joined struct {
	Left, Right       int64
	HasLeft, HasRight bool
}

// JoinFinalTables joins the final tables of both sides by key.
func JoinFinalTables(log []Record, left, right bool) map[string]Joined {
	l, r := Sides(log)
	a, b := FinalTable(l), FinalTable(r)
	out := map[string]Joined{}
	for k := range Keys {
		key := Record{Key: k}.Name()
		var j Joined
		j.Left, j.HasLeft = a[key]
		j.Right, j.HasRight = b[key]
		if j.HasLeft && (j.HasRight || left) || j.HasRight && right {
			out[key] = j
		}
	}
	return out
}

// JoinFinalTablesByValue joins each row of the final left table with the right row whose key its value names.
func JoinFinalTablesByValue(log []Record, left bool) map[string]Joined {
	l, r := Sides(log)
	a, b := FinalTable(l), FinalTable(r)
	out := map[string]Joined{}
	for key, v := range a {
		j := Joined{Left: v, HasLeft: true}
		j.Right, j.HasRight = b[ForeignKey(v)]
		if j.HasRight || left {
			out[key] = j
		}
	}
	return out
}

// ForeignKey is the key of the right table that a left row's value names.
func ForeignKey(value int64) string { return Record{Key: int(value % Keys)}.Name() }

// SumByValue groups the rows of the final table by whether their values are even, and sums them up; groups without rows that once had some are 0.
func SumByValue(log []Record) Table {
	out := Table{}
	for _, r := range log {
		if !r.Null {
			out[Parity(r.Value)] = 0
		}
	}
	for _, v := range FinalTable(log) {
		out[Parity(v)] += v
	}
	return out
}

// Parity is the group of a value.
func Parity(v int64) string { return []string{"even", "odd"}[v%2] }
