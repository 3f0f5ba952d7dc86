// Package javastring is for what Java's own classes do with strings, where the result shows: trimming, splitting, and the order of a hash map.
package javastring

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Trim is String.trim: all characters up to the blank are cut.
func Trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

// Blank is Kafka's Utils.isBlank, and Debezium's Strings.isNullOrBlank.
func Blank(s string) bool { return Trim(s) == "" }

// Split is String.split at a text that is no pattern: empty parts at the end are left out.
func Split(s, at string) []string {
	if s == "" {
		return []string{""}
	}
	parts := strings.Split(s, at)
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// HashCode is String.hashCode.
func HashCode(s string) int32 {
	var h int32
	for _, c := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(c)
	}
	return h
}

// HashOrder returns strings, which are distinct, in the order in which a java.util.HashMap has them as keys after they were put into it.
func HashOrder(all []string) []string {
	size := 16
	for len(all)*4 > size*3 {
		size *= 2
	}
	bucket := func(s string) int {
		h := uint32(HashCode(s))
		return int(h^h>>16) & (size - 1)
	}
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b string) int { return bucket(a) - bucket(b) })
	return out
}
