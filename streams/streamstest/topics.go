package streamstest

// topic is what the driver knows of a topic by its name on the cluster.
type topic struct {
	name   string
	input  bool    // a task reads it, or the global one
	global bool    // the global task reads it
	kept   bool    // stores are restored from it instead of a changelog
	ends   []int64 // by partition: how many records were queued
}

// end is where the number of a partition's records is.
func (t *topic) end(partition int32) *int64 {
	for len(t.ends) <= int(partition) {
		t.ends = append(t.ends, 0)
	}
	return &t.ends[partition]
}

// topics are all that were asked about. The names of the last few come again and again, so that they are looked for first.
type topics struct {
	byName map[string]*topic
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
		t = &topic{name: name}
		ts.byName[name] = t
	}
	ts.recent[ts.turn] = t
	ts.turn = (ts.turn + 1) % len(ts.recent)
	return t
}
