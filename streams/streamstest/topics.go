package streamstest

// topic is what the driver knows of a topic by its name on the cluster.
type topic struct {
	name   string
	index  int32   // in topics.all
	input  bool    // a task reads it, or the global one
	global bool    // the global task reads it
	kept   bool    // stores are restored from it instead of a changelog
	queued []int64 // by partition: how many records were queued
	sent   []int64 // by partition: how many records were sent
}

// at is where the number of a partition is.
func at(counts *[]int64, partition int32) *int64 {
	for len(*counts) <= int(partition) {
		*counts = append(*counts, 0)
	}
	return &(*counts)[partition]
}

// topics are all that were asked about. The names of the last few come again and again, so that they are looked for first.
type topics struct {
	byName map[string]*topic
	all    []*topic
	recent [4]*topic
	turn   int
}

func (ts *topics) get(name string) *topic {
	for _, t := range ts.recent {
		if t != nil && t.name == name {
			return t
		}
	}
	t := ts.byName[name]
	if t == nil {
		t = &topic{name: name, index: int32(len(ts.all))}
		ts.byName[name] = t
		ts.all = append(ts.all, t)
	}
	ts.recent[ts.turn] = t
	ts.turn = (ts.turn + 1) % len(ts.recent)
	return t
}
