package jackson

import (
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Plain reads texts as values without a schema, as JsonConverter does with schemas.enable=false: whole numbers are int64, cut to 64 bits, other
// numbers float64, objects maps of strings. It reads a text once, without a Document. The zero Plain is ready; it belongs to one thread.
type Plain struct {
	d     Document // for its text
	names names
	stack []any // elements of the arrays that are being read
	slabs data.Slabs
	texts data.TextSlab
}

// Parse reads the first value of a text; nil where there is none. The value shares no memory with the text.
func (x *Plain) Parse(text []byte) (any, error) {
	x.d.text, x.d.whole = text, ""
	x.stack = x.stack[:0]
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
	switch c := p.peek(); {
	case c == '"':
		if start, end, ok := p.simple(); ok {
			return x.texts.String(p.d.text[start:end]), nil
		}
	case c == '-' || c >= '0' && c <= '9':
		if v, ok := p.short(); ok {
			return v, nil
		}
	case c == '{' || c == '[':
		if depth >= maxDepth {
			return nil, p.fail("nested too deep")
		}
		if c == '[' {
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
		if t.escaped {
			return unescape(x.d.text[t.start:t.end])
		}
		return x.texts.String(x.d.text[t.start:t.end])
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
	twice, shape := depth >= depths, x.names.last
	slab := x.slabs.At(depth - 1)
	entries := slab.Entries(x.names.size(shape))
	x.names.object++
	object := x.names.object
	p.pos++
	p.blanks()
	for more := p.peek() != '}'; more; more = p.next() {
		id := x.names.expected(p)
		var name any
		if id < 0 {
			t, err := p.name()
			if err != nil {
				return nil, err
			}
			if id = x.names.of(x.d.text[t.start:t.end]); id < 0 {
				name, twice = x.scalar(t), true
			}
		}
		if id >= 0 {
			name = x.names.boxed[id]
			twice = twice || !x.names.first(id, depth, object)
		}
		v, err := x.value(p, depth)
		if err != nil {
			return nil, err
		}
		entries = append(entries, data.Entry{Key: name, Value: v})
	}
	if p.peek() != '}' {
		return nil, p.fail("a comma or the end is expected")
	}
	p.pos++
	x.names.resize(shape, len(entries))
	if twice { // perhaps
		return data.NewMap(entries...), nil
	}
	return slab.Map(entries), nil
}
