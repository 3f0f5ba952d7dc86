package streams

import (
	"slices"
	"strings"
	"testing"
)

func TestPropertiesAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(properties, func(a, b property) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the table of properties is not sorted by name, and look-ups are binary searches")
	}
}
