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

// TestOldNames gives properties by the names that they once had; today's name wins where both are set.
func TestOldNames(t *testing.T) {
	parse := func(props map[string]string) Config {
		t.Helper()
		props["application.id"], props["bootstrap.servers"] = "a", "b:1"
		c, err := ParseConfig(props)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := parse(map[string]string{"cache.max.bytes.buffering": "77"}); c.CacheBytes != 77 {
		t.Errorf("cache of %d bytes, want 77", c.CacheBytes)
	}
	if c := parse(map[string]string{"cache.max.bytes.buffering": "77", "statestore.cache.max.bytes": "88"}); c.CacheBytes != 88 {
		t.Errorf("cache of %d bytes, want 88", c.CacheBytes)
	}
	if c := parse(map[string]string{"default.deserialization.exception.handler": "continue"}); !c.ContinueDeserialization {
		t.Error("the old name of the deserialization handler is not read")
	}
	if _, err := ParseConfig(map[string]string{"application.id": "a", "bootstrap.servers": "b:1", "cache.max.bytes.buffering": "many"}); err == nil || !strings.Contains(err.Error(), "cache.max.bytes.buffering") {
		t.Errorf("%v: want an error that names the property", err)
	}
}
