package data

import (
	"math/big"
	"strconv"
	"time"
)

// The names of the logical types. A schema with such a name has values of the logical Go type.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"

	// ScaleParameter is the parameter of a Decimal schema that holds its scale.
	ScaleParameter = "scale"
)

const millisPerDay = 24 * 60 * 60 * 1000

// The schemas of the logical types without parameters.
var (
	DateSchema      = DateBuilder().MustBuild()
	TimeSchema      = TimeBuilder().MustBuild()
	TimestampSchema = TimestampBuilder().MustBuild()
)

// DecimalBuilder starts a Decimal schema.
func DecimalBuilder(scale int32) *Builder {
	return NewBuilder(Bytes).Name(DecimalName).Parameter(ScaleParameter, strconv.Itoa(int(scale))).Version(1)
}

// DateBuilder starts a Date schema: days.
func DateBuilder() *Builder { return NewBuilder(Int32).Name(DateName).Version(1) }

// TimeBuilder starts a Time schema: milliseconds of a day.
func TimeBuilder() *Builder { return NewBuilder(Int32).Name(TimeName).Version(1) }

// TimestampBuilder starts a Timestamp schema: milliseconds since the epoch.
func TimestampBuilder() *Builder { return NewBuilder(Int64).Name(TimestampName).Version(1) }

// DecimalScale is the scale of a Decimal schema.
func DecimalScale(s *Schema) (int32, error) {
	if s.parameters == nil {
		return 0, NullPointerException.Errorf("the schema has no parameters")
	}
	text, ok := s.Parameter(ScaleParameter)
	if !ok {
		return 0, DataException.Errorf("Invalid Decimal schema: scale parameter not found.")
	}
	scale, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, DataException.Wrap(NumberFormatException.Errorf("For input string: %q", text), "Invalid scale parameter found in Decimal schema: ")
	}
	return int32(scale), nil
}

// DecimalToBytes is Kafka's Decimal.fromLogical: the unscaled value in two's complement, big endian. The scale must be the schema's.
func DecimalToBytes(s *Schema, d Decimal) ([]byte, error) {
	scale, err := DecimalScale(s)
	if err != nil {
		return nil, err
	}
	if scale != d.scale {
		return nil, DataException.Errorf("Decimal value has mismatching scale for given Decimal schema. Schema has scale %d, value has scale %d.", scale, d.scale)
	}
	return TwosComplement(d.unscaled()), nil
}

// DecimalFromBytes is Kafka's Decimal.toLogical.
func DecimalFromBytes(s *Schema, b []byte) (Decimal, error) {
	scale, err := DecimalScale(s)
	if err != nil {
		return Decimal{}, err
	}
	if len(b) == 0 {
		return Decimal{}, NumberFormatException.Errorf("Zero length BigInteger")
	}
	return Decimal{FromTwosComplement(b), scale}, nil
}

// TwosComplement is Java's BigInteger.toByteArray: the shortest that has room for the sign.
func TwosComplement(i *big.Int) []byte {
	if i.Sign() >= 0 {
		n := i.BitLen()/8 + 1
		return i.FillBytes(make([]byte, n))
	}
	// The bits of -i are those of (|i|-1) inverted.
	m := new(big.Int).Not(i)
	b := m.FillBytes(make([]byte, m.BitLen()/8+1))
	for j := range b {
		b[j] = ^b[j]
	}
	return b
}

// FromTwosComplement is Java's BigInteger(byte[]). b must not be empty.
func FromTwosComplement(b []byte) *big.Int {
	i := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		i.Sub(i, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return i
}

func mismatch(s *Schema, want, what string) error {
	if s.Name() != want {
		return DataException.Errorf("Requested conversion of %s object but the schema does not match.", what)
	}
	return nil
}

// DateToDays is Kafka's Date.fromLogical: days since the epoch. t must be midnight UTC.
func DateToDays(s *Schema, t time.Time) (int32, error) {
	if err := mismatch(s, DateName, "Date"); err != nil {
		return 0, err
	}
	ms := t.UnixMilli()
	if ms%millisPerDay != 0 {
		return 0, DataException.Errorf("Kafka Connect Date type should not have any time fields set to non-zero values.")
	}
	return int32(ms / millisPerDay), nil
}

// DateFromDays is Kafka's Date.toLogical.
func DateFromDays(s *Schema, days int32) (time.Time, error) {
	if err := mismatch(s, DateName, "Date"); err != nil {
		return time.Time{}, err
	}
	return Millis(int64(days) * millisPerDay), nil
}

// TimeToMillis is Kafka's Time.fromLogical: milliseconds since midnight. t must be within the first day of 1970, or its end.
func TimeToMillis(s *Schema, t time.Time) (int32, error) {
	if err := mismatch(s, TimeName, "Time"); err != nil {
		return 0, err
	}
	ms := t.UnixMilli()
	if ms < 0 || ms > millisPerDay {
		return 0, DataException.Errorf("Kafka Connect Time type should not have any date fields set to non-zero values.")
	}
	return int32(ms), nil
}

// TimeFromMillis is Kafka's Time.toLogical.
func TimeFromMillis(s *Schema, ms int32) (time.Time, error) {
	if err := mismatch(s, TimeName, "Date"); err != nil { // Kafka says Date here too
		return time.Time{}, err
	}
	if ms < 0 || ms > millisPerDay {
		return time.Time{}, DataException.Errorf("Time values must use number of milliseconds greater than 0 and less than 86400000")
	}
	return Millis(int64(ms)), nil
}

// TimestampToMillis is Kafka's Timestamp.fromLogical.
func TimestampToMillis(s *Schema, t time.Time) (int64, error) {
	if err := mismatch(s, TimestampName, "Timestamp"); err != nil {
		return 0, err
	}
	return t.UnixMilli(), nil
}

// TimestampFromMillis is Kafka's Timestamp.toLogical.
func TimestampFromMillis(s *Schema, ms int64) (time.Time, error) {
	if err := mismatch(s, TimestampName, "Timestamp"); err != nil {
		return time.Time{}, err
	}
	return Millis(ms), nil
}

// Millis is the value of a Date, Time or Timestamp schema for milliseconds since the epoch.
func Millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
