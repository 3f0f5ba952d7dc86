package serde

// Void is the type of what is always null.
type Void = *struct{}

type voidSerde struct{}

// Nothing is Kafka's VoidSerde: it writes nothing and refuses to read anything, since a null never reaches a serde.
func Nothing() Serde[Void] { return voidSerde{} }

func (voidSerde) String() string { return "void" }
func (s voidSerde) Append(dst []byte, _ string, _ Void) ([]byte, error) {
	return dst, fail(s, "only null can be written")
}
func (s voidSerde) Decode(_ string, b []byte) (Void, error) {
	return nil, fail(s, "null expected, not %d bytes", len(b))
}
