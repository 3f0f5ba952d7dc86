package conformance

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

func diffText(what, want, got string) string {
	if want == got {
		return ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "nothing", "nothing"
		if i < len(w) {
			a = strconv.Quote(w[i])
		}
		if i < len(g) {
			b = strconv.Quote(g[i])
		}
		if a != b {
			return fmt.Sprintf("%s, line %d: want %s, got %s\nwant:\n%s\ngot:\n%s", what, i+1, a, b, want, got)
		}
	}
	return ""
}

// diffRecords compares each topic by itself first, then the order over all topics.
func diffRecords(want []Record, got []streamstest.Record) string {
	topics := map[string]bool{}
	for _, r := range want {
		topics[r.Topic] = true
	}
	for _, r := range got {
		topics[r.Topic] = true
	}
	for _, t := range slices.Sorted(maps.Keys(topics)) {
		var w []Record
		var g []streamstest.Record
		for _, r := range want {
			if r.Topic == t {
				w = append(w, r)
			}
		}
		for _, r := range got {
			if r.Topic == t {
				g = append(g, r)
			}
		}
		if d := diffList(w, g); d != "" {
			return fmt.Sprintf("topic %s: %s", t, d)
		}
	}
	if d := diffList(want, got); d != "" {
		return "order over topics: " + d
	}
	return ""
}

func diffList(want []Record, got []streamstest.Record) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return fmt.Sprintf("record %d: want none, got %s", i, showGot(&got[i]))
		case i >= len(got):
			return fmt.Sprintf("record %d: want %s, got none", i, showWant(&want[i]))
		case !same(&want[i], &got[i]):
			return fmt.Sprintf("record %d:\n want %s\n got  %s", i, showWant(&want[i]), showGot(&got[i]))
		}
	}
	return ""
}

func same(w *Record, g *streamstest.Record) bool {
	if w.Topic != g.Topic || !sameBytes(w.Key, g.Key) || !sameBytes(w.Value, g.Value) || (w.Timestamp == nil) != (g.Timestamp < 0) ||
		w.Timestamp != nil && *w.Timestamp != g.Timestamp || len(w.Headers) != len(g.Headers) {
		return false
	}
	for i, h := range w.Headers {
		if h.Name != g.Headers[i].Key || !h.Any && !sameBytes(h.Value, g.Headers[i].Value) {
			return false
		}
	}
	return true
}

// sameBytes tells null from empty.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func showBytes(b []byte) string {
	if b == nil {
		return "null"
	}
	return strconv.QuoteToASCII(string(b))
}

func showWant(r *Record) string {
	ts := "null"
	if r.Timestamp != nil {
		ts = strconv.FormatInt(*r.Timestamp, 10)
	}
	s := fmt.Sprintf("%s: %s = %s @%s", r.Topic, showBytes(r.Key), showBytes(r.Value), ts)
	for _, h := range r.Headers {
		if h.Any {
			s += fmt.Sprintf(" %s:*", h.Name)
		} else {
			s += fmt.Sprintf(" %s:%s", h.Name, showBytes(h.Value))
		}
	}
	return s
}

func showGot(r *streamstest.Record) string {
	s := fmt.Sprintf("%s: %s = %s @%d", r.Topic, showBytes(r.Key), showBytes(r.Value), r.Timestamp)
	for _, h := range r.Headers {
		s += fmt.Sprintf(" %s:%s", h.Key, showBytes(h.Value))
	}
	return s
}

// diffStores compares what the stores hold.
func diffStores(want map[string]Store, d *streamstest.Driver) string {
	views, err := d.Stores()
	if err != nil {
		return fmt.Sprintf("stores: %v", err)
	}
	got := map[string]streamstest.StoreView{}
	for _, v := range views {
		got[v.Name] = v
	}
	if w, g := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)); !slices.Equal(w, g) {
		return fmt.Sprintf("stores: want %v, got %v", w, g)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w, g := want[name], got[name]
		if w.Kind == "internal" || w.Kind == "versioned" {
			continue
		}
		if g.Internal { // rows are recorded of others only, and of these whether there are any
			if len(w.Entries) != len(g.Rows) {
				return fmt.Sprintf("store %s: want %d rows, got %d", name, len(w.Entries), len(g.Rows))
			}
			continue
		}
		var rows []string
		for _, e := range w.Entries {
			row, err := canonical(e)
			if err != nil {
				return fmt.Sprintf("store %s: %v", name, err)
			}
			rows = append(rows, row)
		}
		have, err := entries(&g)
		if err != nil {
			return fmt.Sprintf("store %s: %v", name, err)
		}
		if d := diffText("store "+name, strings.Join(rows, "\n"), strings.Join(have, "\n")); d != "" {
			return d
		}
	}
	return ""
}

func canonical(b json.RawMessage) (string, error) {
	v, err := serde.CanonicalJSON().Decode("", b)
	if err != nil {
		return "", err
	}
	return text(v)
}

func text(v any) (string, error) {
	b, err := serde.CanonicalJSON().Append(nil, "", v)
	return string(b), err
}

// entries are a store's rows as the cases write them.
func entries(v *streamstest.StoreView) ([]string, error) {
	key, ok1 := v.Key.(serde.Serde[any])
	value, ok2 := v.Value.(serde.Serde[any])
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("its serdes are not of any: %T, %T", v.Key, v.Value)
	}
	type line struct{ order, text string }
	var lines []line
	for _, r := range v.Rows {
		k, err := key.Decode("", r.Key)
		if err != nil {
			return nil, err
		}
		x, err := value.Decode("", r.Value)
		if err != nil {
			return nil, err
		}
		row := []any{shown(k)}
		if v.Kind.Windowed() {
			row = append(row, r.Window.Start, r.Window.End)
		}
		order, err := text(row[0])
		if err != nil {
			return nil, err
		}
		row = append(row, shown(x))
		if r.Timestamp >= 0 {
			row = append(row, r.Timestamp)
		}
		s, err := text(row)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{fmt.Sprintf("%s %020d %020d", order, r.Window.Start, r.Window.End), s})
	}
	if v.Kind.Windowed() {
		slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.order, b.order) })
	}
	var out []string
	for _, l := range lines {
		out = append(out, l.text)
	}
	return out, nil
}

// shown is a value as the cases show it: bytes as 0x and hexadecimal digits, a windowed key as [key, start, end].
func shown(v any) any {
	switch v := v.(type) {
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case serde.Windowed[any]:
		return []any{shown(v.Key), v.Window.Start, v.Window.End}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = shown(v[i])
		}
		return out
	}
	return v
}
