package serde

// For is the serde of a Go type for which Kafka has exactly one: string, []byte, bool, int16, int32, int64, float32, float64, UUID and Void. ok is
// false for every other type: how a struct is written must be said.
func For[T any]() (s Serde[T], ok bool) {
	var zero T
	var found any
	switch any(zero).(type) {
	case string:
		found = String()
	case []byte:
		found = Bytes()
	case bool:
		found = Boolean()
	case int16:
		found = Short()
	case int32:
		found = Int()
	case int64:
		found = Long()
	case float32:
		found = Float()
	case float64:
		found = Double()
	case UUID:
		found = Uuid()
	case Void:
		found = Nothing()
	}
	s, ok = found.(Serde[T])
	return s, ok
}
