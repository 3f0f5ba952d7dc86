// Package data is for everything that carries data through Connect: schemas, values with or without a schema, structs, the logical types,
// headers, and the rules that hold for them. It is org.apache.kafka.connect.data and org.apache.kafka.connect.header in Go.
//
// # Values
//
// A value is an any that holds one of:
//
//	schema type                   Go                          Java
//	int8 int16 int32 int64        int8 int16 int32 int64      Byte Short Integer Long
//	float32 float64               float32 float64             Float Double
//	boolean string                bool string                 Boolean String
//	bytes                         []byte, Buffer              byte[], ByteBuffer
//	array                         []any                       List
//	map                           *Map                        Map
//	struct                        *Struct                     Struct
//	Decimal                       Decimal                     BigDecimal
//	Date Time Timestamp           time.Time                   java.util.Date: whole milliseconds, UTC
//
// and nil for null. Without a schema a *big.Int (BigInteger) may occur too. Other Go types (int, uint8, map[string]any) are refused where a
// schema is validated, like a foreign class in Java.
//
// A value is immutable once it is in a record: transforms and converters make new ones, and may share what they do not change.
//
// # Errors
//
// Errors are *Error: they carry the Java class and the message that Kafka has in the same place, because both reach users through the
// REST interface, logs and dead letter queues.
package data
