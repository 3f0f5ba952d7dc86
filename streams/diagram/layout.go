package diagram

import (
	"fmt"
	"slices"
)

// picture is a drawing with places.
type picture struct {
	at            map[string]*figure
	order         []string // of drawing
	frames        []*figure
	edges         []edge
	width, height float64
}

// layout places a drawing: a band for each sub-topology, columns from left to right.
type layout struct {
	*picture
	g      *drawing
	column map[string]int // of nodes and stores in their box
	placed map[string]bool
}

func place(g *drawing) *picture {
	l := &layout{picture: &picture{at: map[string]*figure{}, edges: slices.Clone(g.edges)}, g: g, column: map[string]int{}, placed: map[string]bool{}}
	for _, t := range g.topics {
		l.add(t.id, newFigure(flag, topicColours[t.kind], t.name))
	}
	for _, b := range g.boxes {
		for _, n := range b.nodes {
			l.add(n.id, newFigure(rounded, "white", n.lines...))
		}
		for _, s := range b.stores {
			l.add(s.id, newFigure(cylinder, "#e3f0e3", s.lines...))
		}
	}
	y := bandGap / 2
	for i := range g.boxes {
		y = l.band(&g.boxes[i], y) + bandGap
	}
	l.height = y
	return l.picture
}

func (l *layout) add(id string, f *figure) {
	l.at[id] = f
	l.order = append(l.order, id)
}

// band places a box and the topics beside it, below y, and returns where it ends.
func (l *layout) band(b *box, y float64) float64 {
	columns := l.columns(b)
	left, right := l.topics(b, true), l.topics(b, false)
	x, low := bandGap/2, y
	x, low = l.stack(left, x, y+24, low)
	x += columnGap
	frame := &figure{x: x, y: y, lines: []string{b.title}}
	x += padding
	inner := low
	for _, ids := range columns {
		var to float64
		to, inner = l.stack(ids, x, y+28, inner)
		x = to + columnGap
	}
	frame.w = max(x-columnGap+padding-frame.x, float64(len(b.title))*7+2*padding)
	x = frame.x + frame.w + columnGap
	x, low = l.stack(right, x, y+24, max(low, inner))
	frame.h = low + padding - y
	l.frames = append(l.frames, frame)
	l.width = max(l.width, x+bandGap/2)
	return low + padding
}

// stack puts figures below one another, and returns the right edge and the lowest one.
func (l *layout) stack(ids []string, x, y, low float64) (right, bottom float64) {
	right = x
	for _, id := range ids {
		f := l.at[id]
		f.x, f.y = x, y
		y += f.h + rowGap
		right, low = max(right, x+f.w), max(low, y-rowGap)
	}
	return right, low
}

// columns are the nodes and stores of a box by how far they are from its sources; a store stands behind its first node.
func (l *layout) columns(b *box) [][]string {
	in := map[string]bool{}
	for _, n := range b.nodes {
		in[n.id] = true
	}
	for _, s := range b.stores {
		in[s.id] = true
	}
	for range len(in) { // at most as many steps as there are figures
		moved := false
		for _, e := range l.edges {
			if in[e.from] && in[e.to] && l.column[e.to] <= l.column[e.from] && (!e.state || l.column[e.to] == 0) {
				l.column[e.to] = l.column[e.from] + 1
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	var out [][]string
	put := func(id string) {
		for len(out) <= l.column[id] {
			out = append(out, nil)
		}
		out[l.column[id]] = append(out[l.column[id]], id)
	}
	for _, n := range b.nodes {
		put(n.id)
	}
	for _, s := range b.stores {
		put(s.id)
	}
	return out
}

// topics are those that a box reads or writes. One that has its place beside another box is drawn again where it is read: a line across the picture would
// say less.
func (l *layout) topics(b *box, read bool) (out []string) {
	in := map[string]bool{}
	for _, n := range b.nodes {
		in[n.id] = true
	}
	for _, t := range l.g.topics {
		here := ""
		for i, e := range l.edges {
			switch {
			case read && e.from == t.id && in[e.to]:
				if here == "" {
					here = l.beside(t, b)
				}
				l.edges[i].from = here
			case !read && e.to == t.id && in[e.from] && !l.placed[t.id]:
				here, l.placed[t.id] = t.id, true
			}
		}
		if here != "" {
			out = append(out, here)
		}
	}
	return out
}

// beside is the id under which a topic is drawn at the left of a box.
func (l *layout) beside(t topic, b *box) string {
	if !l.placed[t.id] {
		l.placed[t.id] = true
		return t.id
	}
	id := fmt.Sprintf("%s-%d", t.id, b.id)
	l.add(id, newFigure(flag, topicColours[t.kind], t.name))
	return id
}
