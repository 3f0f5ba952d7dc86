package operator

import (
	"reflect"

	"github.com/kstreamlab/kstreamlab/broker"
)

// given is a record that a processor of the user's was given. One that it forwards as it is counts as the same record, which in Kafka it is
// as an object.
type given struct {
	key, value any
	timestamp  int64
	headers    []broker.Header
}

// is says whether both are one record. What cannot be compared is the same when it is at the same place.
func (g *given) is(other *given) bool {
	return g.timestamp == other.timestamp && samePlace(g.key, other.key) && samePlace(g.value, other.value) && samePlace(g.headers, other.headers)
}

func samePlace(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if !x.IsValid() || !y.IsValid() || x.Type() != y.Type() {
		return !x.IsValid() && !y.IsValid()
	}
	switch x.Kind() {
	case reflect.Slice:
		return x.Pointer() == y.Pointer() && x.Len() == y.Len()
	case reflect.Map:
		return x.Pointer() == y.Pointer()
	}
	return x.Comparable() && x.Equal(y)
}
