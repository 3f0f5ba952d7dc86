package jackson

import (
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Plain reads texts as values without a schema, as JsonConverter does with schemas.enable=false: whole numbers are int64, cut to 64 bits, other
// numbers float64, objects maps of strings. It reads a text once, without a Document. The zero Plain is ready; it belongs to one thread.
type Plain struct {
	d     Document // for its text
	names names
	stack []any        // elements of the arrays that are being read
	open  []data.Entry // members of the objects that are being read
}

// Parse reads the first value of a text; nil where there is none. All strings of it share their memory.
func (x *Plain) Parse(text []byte) (any, error) {
	x.d.text, x.d.whole = text, ""
	x.stack, x.open = x.stack[:0], x.open[:0]
	p := parser{d: &x.d}
	empty, err := p.begin()
	if empty || err != nil {
		return nil, err
	}
	if c := p.peek(); c == '{' || c == '[' {
		return x.value(&p, 0)
	}
	t, err := p.scalar()
	if err != nil {
		return nil, err
	}
	return x.scalar(t), p.finish(t.kind)
}

func (x *Plain) value(p *parser, depth int) (any, error) {
	switch p.peek() {
	case '{', '[':
		if depth >= maxDepth {
			return nil, p.fail("nested too deep")
		}
		if p.peek() == '[' {
			return x.array(p, depth+1)
		}
		m, err := x.object(p, depth+1)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
	t, err := p.scalar()
	if err != nil {
		return nil, err
	}
	return x.scalar(t), nil
}

// scalar is the value of a token.
func (x *Plain) scalar(t token) any {
	switch t.kind {
	case True:
		return true
	case False:
		return false
	case Integer:
		return integerOf(x.d.text[t.start:t.end])
	case Float:
		return floatOf(Float, x.d.text[t.start:t.end], 64)
	case String:
		return x.d.textOf(t.start, t.end, t.escaped)
	}
	return nil
}

func (x *Plain) array(p *parser, depth int) (any, error) {
	from := len(x.stack)
	p.pos++
	p.blanks()
	for more := p.peek() != ']'; more; more = p.next() {
		v, err := x.value(p, depth)
		if err != nil {
			return nil, err
		}
		x.stack = append(x.stack, v)
	}
	if p.peek() != ']' {
		return nil, p.fail("a comma or the end is expected")
	}
	p.pos++
	out := make([]any, len(x.stack)-from)
	copy(out, x.stack[from:])
	clear(x.stack[from:])
	x.stack = x.stack[:from]
	return out, nil
}

// next steps over a comma, if there is one.
func (p *parser) next() bool {
	p.blanks()
	if p.peek() != ',' {
		return false
	}
	p.pos++
	p.blanks()
	return true
}

func (x *Plain) object(p *parser, depth int) (*data.Map, error) {
	from, twice := len(x.open), depth >= depths
	x.names.object++
	object := x.names.object
	p.pos++
	p.blanks()
	for more := p.peek() != '}'; more; more = p.next() {
		t, err := p.name()
		if err != nil {
			return nil, err
		}
		id := x.names.of(x.d.text[t.start:t.end])
		var name any
		if id >= 0 {
			name = x.names.boxed[id]
			twice = twice || !x.names.first(id, depth, object)
		} else {
			name, twice = x.d.textOf(t.start, t.end, t.escaped), true
		}
		v, err := x.value(p, depth)
		if err != nil {
			return nil, err
		}
		x.open = append(x.open, data.Entry{Key: name, Value: v})
	}
	if p.peek() != '}' {
		return nil, p.fail("a comma or the end is expected")
	}
	p.pos++
	var m *data.Map
	if twice { // perhaps
		m = data.NewMap(x.open[from:]...)
	} else {
		m = data.MapOfDistinct(x.open[from:])
	}
	clear(x.open[from:])
	x.open = x.open[:from]
	return m, nil
}
