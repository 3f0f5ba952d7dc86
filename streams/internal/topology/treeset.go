package topology

// treeSet is a red-black tree as Java's TreeSet is one. Kafka compares the nodes in it by a size that changes after they were put in, so
// their order is that of the tree's shape, and the shape must be the same.
type treeSet struct{ root *leaf }

type leaf struct {
	n                   *described
	left, right, parent *leaf
	black               bool
}

// add puts a node in, unless the way that comparing takes ends at it.
func (s *treeSet) add(n *described) {
	if s.root == nil {
		s.root = &leaf{n: n, black: true}
		return
	}
	at := s.root
	for {
		c := compareDescribed(n, at.n)
		if at.n == n || c == 0 {
			return
		}
		next := &at.right
		if c < 0 {
			next = &at.left
		}
		if *next == nil {
			*next = &leaf{n: n, parent: at}
			s.mend(*next)
			return
		}
		at = *next
	}
}

// mend restores the colours above a new leaf.
func (s *treeSet) mend(x *leaf) {
	for x != s.root && !x.parent.black {
		p := x.parent
		g := p.parent
		uncle := g.right
		if p == g.right {
			uncle = g.left
		}
		if uncle != nil && !uncle.black {
			p.black, uncle.black, g.black = true, true, false
			x = g
			continue
		}
		if p == g.left {
			if x == p.right {
				x = p
				s.rotate(x, true)
			}
			x.parent.black, g.black = true, false
			s.rotate(g, false)
		} else {
			if x == p.left {
				x = p
				s.rotate(x, false)
			}
			x.parent.black, g.black = true, false
			s.rotate(g, true)
		}
	}
	s.root.black = true
}

// rotate turns the tree at p to the left, or to the right.
func (s *treeSet) rotate(p *leaf, left bool) {
	var up, inner *leaf
	if left {
		up = p.right
		inner = up.left
		p.right, up.left = inner, p
	} else {
		up = p.left
		inner = up.right
		p.left, up.right = inner, p
	}
	if inner != nil {
		inner.parent = p
	}
	up.parent = p.parent
	switch {
	case p.parent == nil:
		s.root = up
	case p.parent.left == p:
		p.parent.left = up
	default:
		p.parent.right = up
	}
	p.parent = up
}

// list is the nodes in the order of the tree.
func (s *treeSet) list() (out []*described) {
	var walk func(*leaf)
	walk = func(l *leaf) {
		if l != nil {
			walk(l.left)
			out = append(out, l.n)
			walk(l.right)
		}
	}
	walk(s.root)
	return out
}
