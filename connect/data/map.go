package data

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Entry is one entry of a Map.
type Entry struct{ Key, Value any }

// Map is a map value that keeps the order in which keys came. Keys may be any value, also nil. The zero Map is empty. Several readers may
// share it once it is not changed any more.
type Map struct {
	entries []Entry
	index   map[any]int // by hashed key; only when there are many entries
}

// indexFrom is the size from which on a map has an index.
const indexFrom = 32

// NewMap returns a map of entries; a later one of the same key replaces an earlier.
func NewMap(entries ...Entry) *Map {
	m := &Map{entries: make([]Entry, 0, len(entries))}
	for _, e := range entries {
		m.Put(e.Key, e.Value)
	}
	return m
}

// MapOfStrings returns a map with the given keys and values in turn: k, v, k, v.
func MapOfStrings(pairs ...any) *Map {
	m := &Map{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Put(pairs[i], pairs[i+1])
	}
	return m
}

// MakeMap returns an empty map with room for n entries.
func MakeMap(n int) *Map { return &Map{entries: make([]Entry, 0, n)} }

// Len is the number of entries. A nil map has none.
func (m *Map) Len() int {
	if m == nil {
		return 0
	}
	return len(m.entries)
}

// Entries are the entries in order: the map's own slice.
func (m *Map) Entries() []Entry {
	if m == nil {
		return nil
	}
	return m.entries
}

// Get is the value of a key.
func (m *Map) Get(key any) (value any, ok bool) {
	i := m.find(key)
	if i < 0 {
		return nil, false
	}
	return m.entries[i].Value, true
}

// Put sets a key's value. A key that is there keeps its place.
func (m *Map) Put(key, value any) {
	if i := m.find(key); i >= 0 {
		m.entries[i].Value = value
		return
	}
	m.Append(key, value)
}

// Append adds an entry whose key the map does not have yet, which is not checked: for those who read maps.
func (m *Map) Append(key, value any) {
	m.entries = append(m.entries, Entry{key, value})
	if m.index == nil && len(m.entries) >= indexFrom {
		m.reindex()
	} else if m.index != nil {
		m.index[hashed(key)] = len(m.entries) - 1
	}
}

// Delete removes a key, if it is there.
func (m *Map) Delete(key any) {
	i := m.find(key)
	if i < 0 {
		return
	}
	m.entries = append(m.entries[:i], m.entries[i+1:]...)
	if m.index != nil {
		m.reindex()
	}
}

// Copy returns a map with the same entries, which may be changed.
func (m *Map) Copy() *Map {
	c := &Map{entries: append(make([]Entry, 0, m.Len()+1), m.Entries()...)}
	if len(c.entries) >= indexFrom {
		c.reindex()
	}
	return c
}

func (m *Map) reindex() {
	m.index = make(map[any]int, 2*len(m.entries))
	for i, e := range m.entries {
		m.index[hashed(e.Key)] = i
	}
}

func (m *Map) find(key any) int {
	if m == nil {
		return -1
	}
	if m.index != nil {
		if i, ok := m.index[hashed(key)]; ok {
			return i
		}
		return -1
	}
	if s, ok := key.(string); ok {
		for i := range m.entries {
			if k, ok := m.entries[i].Key.(string); ok && k == s {
				return i
			}
		}
		return -1
	}
	for i := range m.entries {
		if Equal(m.entries[i].Key, key) {
			return i
		}
	}
	return -1
}

// hashed is a comparable value that is equal for equal keys.
func hashed(key any) any {
	type bits32 uint32
	type bits64 uint64
	type milli int64
	type text struct{ class, text string }
	switch k := key.(type) {
	case nil, int8, int16, int32, int64, bool, string:
		return k
	case float32:
		return bits32(floatBits32(k))
	case float64:
		return bits64(floatBits64(k))
	case time.Time:
		return milli(k.UnixMilli())
	case Decimal:
		return text{"decimal", fmt.Sprint(k.unscaled(), "e", k.scale)}
	case *big.Int:
		return text{"bigint", k.String()}
	case []byte:
		return text{"bytes", string(k)}
	case Buffer:
		return text{"buffer", string(k)}
	case []any, *Map, *Struct:
		return text{string(ClassOf(k)), canonical(k)}
	}
	return text{"other", fmt.Sprintf("%T %v", key, key)}
}

// canonical is a text that is equal for equal lists, maps and structs of the same class, and only for them.
func canonical(v any) string {
	var parts []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			parts = append(parts, fmt.Sprintf("%q", fmt.Sprintf("%T%v", hashed(e), hashed(e))))
		}
	case *Map:
		for _, e := range v.Entries() {
			k, w := hashed(e.Key), hashed(e.Value)
			parts = append(parts, fmt.Sprintf("%q", fmt.Sprintf("%T%q%T%q", k, fmt.Sprint(k), w, fmt.Sprint(w))))
		}
		slices.Sort(parts)
	case *Struct:
		parts = append(parts, fmt.Sprint(v.schema.hash))
		for _, e := range v.values {
			parts = append(parts, fmt.Sprintf("%q", fmt.Sprintf("%T%v", hashed(e), hashed(e))))
		}
	}
	return strings.Join(parts, ",")
}

func floatBits32(f float32) uint32 {
	if f != f {
		return 0x7fc00000
	}
	return math.Float32bits(f)
}

func floatBits64(f float64) uint64 {
	if f != f {
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

// Equal compares without order.
func (m *Map) Equal(o *Map) bool {
	if m == o {
		return true
	}
	if m == nil || o == nil || m.Len() != o.Len() {
		return false
	}
	for _, e := range m.entries {
		v, ok := o.Get(e.Key)
		if !ok || !Equal(e.Value, v) {
			return false
		}
	}
	return true
}

func (m *Map) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, e := range m.Entries() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Text(e.Key))
		b.WriteByte('=')
		b.WriteString(Text(e.Value))
	}
	b.WriteByte('}')
	return b.String()
}
