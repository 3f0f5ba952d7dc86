package jackson

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// TestPlainReadsAlike reads texts as Plain does and as a Document does.
func TestPlainReadsAlike(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"{", "}", "[", "]", ",", ":", `"`, `"a"`, `"name":`, `"b" : `, `"name":`, "1", "-0", "-0.0", "0.1", "12345678901234567890", "123456789012345", "1.00000000000001", "9.99e3",
		"1e400", "-", ".", "0017", "true", "false", "null", " ", "\n", "é", `\u00e9`, `\ud800`, "x\x01", "long text of more than eight bytes", `\\`, `"":`, "\xff"}
	var plain Plain
	for range 200000 {
		text := ""
		for range rnd.IntN(12) {
			text += pieces[rnd.IntN(len(pieces))]
		}
		if rnd.IntN(2) == 0 {
			text = fmt.Sprintf(`{"name":%s,"b":{"name":"x%d","c":[%s]},"name":%g}`, text, rnd.IntN(99), text, rnd.NormFloat64())
		}
		got, err := plain.Parse([]byte(text))
		var d Document
		root, slow := d.Parse([]byte(text))
		if (err == nil) != (slow == nil) || err != nil && err.Error() != slow.Error() {
			t.Fatalf("%q: %v, but %v", text, err, slow)
		}
		if err == nil && !data.Equal(got, valueOf(root)) {
			t.Fatalf("%q: %s, but %s", text, data.Text(got), data.Text(valueOf(root)))
		}
	}
}

// valueOf is the value of a node, by the Document's own ways.
func valueOf(n Node) any {
	switch n.Kind() {
	case True, False:
		return n.Kind() == True
	case Integer:
		return n.Int64()
	case Float:
		return n.Float64()
	case String:
		return n.Text()
	case Array:
		out := []any{}
		e := n.First()
		for range n.Len() {
			out = append(out, valueOf(e))
			e = e.Next()
		}
		return out
	case Object:
		m := data.NewMap()
		name := n.First()
		for range n.Len() {
			m.Put(name.Text(), valueOf(name.Next()))
			name = name.Next().Next()
		}
		return m
	}
	return nil
}
