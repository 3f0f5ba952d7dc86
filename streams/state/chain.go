package state

// The chains that an entry of a cache is in.
const (
	byUse    = iota // front: used last
	byUpdate        // front: updated first; dirty entries only
)

// chain is a list of a cache's entries, linked through the entries themselves.
type chain struct {
	which       int // byUse or byUpdate
	front, back *cached
}

// link is an entry's place in one chain.
type link struct {
	prev, next *cached
	in         bool
}

func (c *chain) pushFront(m *cached) {
	m.links[c.which] = link{next: c.front, in: true}
	if c.front != nil {
		c.front.links[c.which].prev = m
	} else {
		c.back = m
	}
	c.front = m
}

func (c *chain) pushBack(m *cached) {
	m.links[c.which] = link{prev: c.back, in: true}
	if c.back != nil {
		c.back.links[c.which].next = m
	} else {
		c.front = m
	}
	c.back = m
}

// remove takes m out, if it is in.
func (c *chain) remove(m *cached) {
	l := m.links[c.which]
	if !l.in {
		return
	}
	if l.prev != nil {
		l.prev.links[c.which].next = l.next
	} else {
		c.front = l.next
	}
	if l.next != nil {
		l.next.links[c.which].prev = l.prev
	} else {
		c.back = l.prev
	}
	m.links[c.which] = link{}
}
