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
	sizes  []int // of the last object that began after this one
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

// expected steps over a name and its colon where they are those that came last after the name before, written without blanks; else it is -1.
func (x *names) expected(p *parser) int {
	if x.last >= len(x.after) {
		return -1
	}
	id := x.after[x.last]
	name, text, at := x.raw[id], p.d.text, p.pos+1
	end := at + len(name)
	if end+1 >= len(text) || text[end] != '"' || text[end+1] != ':' || text[p.pos] != '"' || string(text[at:end]) != name {
		return -1
	}
	x.last, p.pos = id, end+2
	p.blanks()
	return id
}

// size is how many members an object has that begins after a name: as many as the last one.
func (x *names) size(name int) int {
	if name < len(x.sizes) {
		return x.sizes[name]
	}
	return 0
}

func (x *names) resize(name, size int) {
	const most = 32
	if name < len(x.sizes) {
		x.sizes[name] = min(size, most)
	}
}

func (x *names) add(raw string) int {
	if x.ids == nil {
		x.ids = map[string]int{}
	}
	id := len(x.raw)
	x.ids[raw] = id
	x.raw, x.boxed, x.after = append(x.raw, raw), append(x.boxed, raw), append(x.after, 0)
	x.sizes = append(x.sizes, 0)
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
