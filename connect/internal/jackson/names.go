package jackson

import "bytes"

// maxNames bounds the names that are kept, maxName their length, and depths how deep an object may be whose names are looked for twice.
const (
	maxNames = 1024
	maxName  = 64
	depths   = 8
)

// names keeps the names of members, because they come again, mostly after the same one as before.
type names struct {
	ids    map[string]int
	raw    []string
	boxed  []any // the same, as a map's key
	after  []int // the name that came last after this one
	last   int
	seen   [depths][]int // the object that has had the name, by depth
	object int           // counts the objects
}

// of is the number of a name, -1 for one that is not kept: one that is long or has escapes, or comes too late.
func (x *names) of(raw []byte) int {
	if x.last < len(x.after) {
		if id := x.after[x.last]; x.raw[id] == string(raw) {
			x.last = id
			return id
		}
	}
	id, ok := x.ids[string(raw)]
	if !ok {
		if len(raw) > maxName || len(x.raw) >= maxNames || bytes.IndexByte(raw, '\\') >= 0 {
			return -1
		}
		id = x.add(string(raw))
	}
	if x.last < len(x.after) {
		x.after[x.last] = id
	}
	x.last = id
	return id
}

func (x *names) add(raw string) int {
	if x.ids == nil {
		x.ids = map[string]int{}
	}
	id := len(x.raw)
	x.ids[raw] = id
	x.raw, x.boxed, x.after = append(x.raw, raw), append(x.boxed, raw), append(x.after, 0)
	for d := range x.seen {
		x.seen[d] = append(x.seen[d], 0)
	}
	return id
}

// first says whether an object at a depth has not had a name yet, and notes that it has now.
func (x *names) first(id, depth, object int) bool {
	if x.seen[depth][id] == object {
		return false
	}
	x.seen[depth][id] = object
	return true
}
