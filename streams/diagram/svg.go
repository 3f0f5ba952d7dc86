package diagram

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
)

// Sizes of the picture, in px.
const (
	charWidth  = 7.0 // of 11 px text, about
	lineHeight = 14.0
	padding    = 10.0
	columnGap  = 46.0
	rowGap     = 14.0
	bandGap    = 30.0
)

// SVG is the topology as a picture. Each sub-topology is a box, with the topics that it reads first on its left and those that it writes on its right; records
// flow from left to right. The result depends on nothing but d.
func SVG(d streams.TopologyDescription) []byte {
	p := place(read(d))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="Helvetica, Arial, sans-serif" font-size="11">`+"\n", p.width, p.height, p.width, p.height)
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#5b6b7b"/></marker></defs>` + "\n")
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" fill="white"/>`+"\n", p.width, p.height)
	for _, f := range p.frames {
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="10" fill="#f4f6f8" stroke="#c5ced8"/>`+"\n", f.x, f.y, f.w, f.h)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="12">%s</text>`+"\n", f.x+padding, f.y+16, escape(f.lines[0]))
	}
	for _, e := range p.edges {
		p.arrow(&b, e)
	}
	for _, id := range p.order {
		p.at[id].draw(&b)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// figure is something with a place in the picture.
type figure struct {
	x, y, w, h float64
	lines      []string
	fill       string
	form       form
}

type form int8

const (
	rounded form = iota
	cylinder
	flag
)

func newFigure(form form, fill string, lines ...string) *figure {
	f := &figure{form: form, fill: fill, lines: lines, h: float64(len(lines))*lineHeight + padding}
	for _, l := range lines {
		f.w = max(f.w, float64(len([]rune(l)))*charWidth+2*padding)
	}
	if form != rounded {
		f.w, f.h = f.w+8, f.h+6
	}
	return f
}

func (f *figure) draw(b *strings.Builder) {
	const line = `fill="%s" stroke="#5b6b7b"/>` + "\n"
	switch f.form {
	case rounded:
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="6" `+line, f.x, f.y, f.w, f.h, f.fill)
	case cylinder:
		fmt.Fprintf(b, `<path d="M%.1f,%.1f a%.1f,5 0 0 1 %.1f,0 v%.1f a%.1f,5 0 0 1 -%.1f,0 z" `+line, f.x, f.y+5, f.w/2, f.w, f.h-10, f.w/2, f.w, f.fill)
	case flag:
		fmt.Fprintf(b, `<path d="M%.1f,%.1f h%.1f l8,%.1f l-8,%.1f h-%.1f z" `+line, f.x, f.y, f.w-8, f.h/2, f.h/2, f.w-8, f.fill)
	}
	top := f.y + (f.h-float64(len(f.lines))*lineHeight)/2
	for i, l := range f.lines {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", f.x+f.w/2, top+float64(i)*lineHeight+11, escape(l))
	}
}

// escape is text for XML.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a Builder takes everything
	}
	return b.String()
}

// arrow draws an edge from the right of one figure to the left of another.
func (p *picture) arrow(b *strings.Builder, e edge) {
	from, to := p.at[e.from], p.at[e.to]
	x1, y1, x2, y2 := from.x+from.w, from.y+from.h/2, to.x, to.y+to.h/2
	style := `marker-end="url(#arrow)"`
	if e.state {
		style = `stroke-dasharray="4,3"`
	}
	bend := max(30, (x2-x1)/2)
	fmt.Fprintf(b, `<path d="M%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f" fill="none" stroke="#5b6b7b" %s/>`+"\n", x1, y1, x1+bend, y1, x2-bend, y2, x2, y2, style)
}
