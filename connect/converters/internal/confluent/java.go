package confluent

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// JavaHash is the hashCode of a value that is a key of maps.
func JavaHash(v any) uint32 {
	switch v := v.(type) {
	case string:
		return stringHash(v)
	case int8:
		return uint32(int32(v))
	case int16:
		return uint32(int32(v))
	case int32:
		return uint32(v)
	case int64:
		return uint32(v) ^ uint32(uint64(v)>>32)
	case bool:
		if v {
			return 1231
		}
		return 1237
	}
	return 0
}

func stringHash(s string) uint32 {
	var h uint32
	for _, r := range s {
		if r < 0x10000 {
			h = 31*h + uint32(r)
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		h = 31*(31*h+uint32(hi)) + uint32(lo)
	}
	return h
}

// HashOrder is the order in which a java.util.HashMap of that many buckets at first (a power of two) has entries that came in this order: Java's
// bytes have it.
func HashOrder(entries []data.Entry, buckets int) []data.Entry {
	return hashOrder(entries, buckets, JavaHash)
}

// UTF8Order is that of a HashMap whose keys are Avro's Utf8.
func UTF8Order(entries []data.Entry, buckets int) []data.Entry {
	return hashOrder(entries, buckets, func(key any) uint32 {
		h := uint32(1)
		s, _ := key.(string)
		for i := range len(s) {
			h = 31*h + uint32(int32(int8(s[i])))
		}
		return h
	})
}

func hashOrder(entries []data.Entry, buckets int, hash func(any) uint32) []data.Entry {
	if len(entries) < 2 {
		return entries
	}
	for 4*len(entries) > 3*buckets {
		buckets *= 2
	}
	type slot struct{ bucket, entry int }
	slots := make([]slot, len(entries))
	for i, e := range entries {
		h := hash(e.Key)
		slots[i] = slot{int((h ^ h>>16) & uint32(buckets-1)), i}
	}
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.bucket, b.bucket) })
	out := make([]data.Entry, len(entries))
	for i, s := range slots {
		out[i] = entries[s.entry]
	}
	return out
}

// Scrub is a name encoded as in a URL, with an underscore for everything that is no letter or digit: é is _C3_A9. What begins with a digit
// gets an x before it, and with strict what begins with an underscore too.
func Scrub(name string, strict bool) string {
	if name == "" {
		return ""
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_':
			b.WriteByte(c)
		case c == '.' || c == '-' || c == '*' || c == ' ':
			b.WriteByte('_')
		default:
			b.Write([]byte{'_', hex[c>>4], hex[c&15]})
		}
	}
	out := b.String()
	if first := name[0]; first >= '0' && first <= '9' || strict && first == '_' {
		return "x" + out
	}
	return out
}
