package state

// EncodeHeld is a record's value with the context that it came in, as Kafka's buffers write it.
func EncodeHeld(value []byte, ctx RecordContext) []byte {
	h := Held{New: value, Context: ctx}
	return h.encode()
}

// DecodeHeld reads what EncodeHeld writes.
func DecodeHeld(b []byte) (value []byte, ctx RecordContext, err error) {
	h, err := decodeHeld(b)
	if err != nil {
		return nil, ctx, err
	}
	return h.New, h.Context, nil
}
