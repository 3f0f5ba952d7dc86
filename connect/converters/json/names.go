package json

import (
	"bytes"

	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// maxNames bounds the names that are kept, and maxName their length.
const (
	maxNames = 1024
	maxName  = 64
)

// names keeps the names of members, because they come again, mostly after the same one as before.
type names struct {
	ids   map[string]int
	raw   []string
	boxed []any // the same, as a map's key
	after []int // the name that came last after this one
	last  int
	seen  []int // the object that has had the name
	// object counts the objects.
	object int
}

// of is the number of a name, -1 for one that is not kept: one that is long or has escapes, or comes too late.
func (x *names) of(n jackson.Node) int {
	raw := n.Raw()
	if x.last < len(x.after) {
		if id := x.after[x.last]; id < len(x.raw) && x.raw[id] == string(raw) {
			x.last = id
			return id
		}
	}
	id, ok := x.ids[string(raw)]
	if !ok {
		if len(raw) > maxName || len(x.raw) >= maxNames || bytes.IndexByte(raw, '\\') >= 0 {
			return -1
		}
		id = x.add(string(raw), n.Text())
	}
	if x.last < len(x.after) {
		x.after[x.last] = id
	}
	x.last = id
	return id
}

func (x *names) add(raw, text string) int {
	if x.ids == nil {
		x.ids = map[string]int{}
	}
	id := len(x.raw)
	x.ids[raw] = id
	// A copy: the text shares the memory of its document.
	x.raw, x.boxed, x.after, x.seen = append(x.raw, raw), append(x.boxed, string([]byte(text))), append(x.after, 0), append(x.seen, 0)
	return id
}

// first says whether an object has not had a name yet, and notes that it has now.
func (x *names) first(id, object int) bool {
	if x.seen[id] == object {
		return false
	}
	x.seen[id] = object
	return true
}

// text is a name as a map's key.
func (x *names) text(n jackson.Node, id int) any {
	if id >= 0 {
		return x.boxed[id]
	}
	return n.Text()
}
