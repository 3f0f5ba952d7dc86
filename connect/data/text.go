package data

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/internal/simpledate"
)

// Buffer is a bytes value that was a java.nio.ByteBuffer in Kafka: it is accepted wherever []byte is, and tells itself apart in texts only.
type Buffer []byte

// ClassOf is the Java class of a value, as Class.getName prints it; for nil it is null, for a foreign Go type that type.
func ClassOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case int8:
		return "java.lang.Byte"
	case int16:
		return "java.lang.Short"
	case int32:
		return "java.lang.Integer"
	case int64:
		return "java.lang.Long"
	case float32:
		return "java.lang.Float"
	case float64:
		return "java.lang.Double"
	case bool:
		return "java.lang.Boolean"
	case string:
		return "java.lang.String"
	case []byte:
		return "[B"
	case Buffer:
		return "java.nio.HeapByteBuffer"
	case Decimal:
		return "java.math.BigDecimal"
	case *big.Int:
		return "java.math.BigInteger"
	case time.Time:
		return "java.util.Date"
	case []any:
		return "java.util.ArrayList"
	case *Map:
		return "java.util.LinkedHashMap"
	case *Struct:
		return "org.apache.kafka.connect.data.Struct"
	}
	return fmt.Sprintf("%T", v)
}

// Text is what Java's String.valueOf prints: the text of a value in error messages, of StringConverter, and of a router's topic. The identity
// that Java prints of a byte array is left out: "[B@<id>".
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int8:
		return strconv.Itoa(int(v))
	case int16:
		return strconv.Itoa(int(v))
	case int32:
		return strconv.Itoa(int(v))
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		return FloatText(v)
	case float64:
		return DoubleText(v)
	case []byte:
		return "[B@<id>"
	case Buffer:
		return fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", len(v), len(v))
	case time.Time:
		return simpledate.Text(v.UnixMilli())
	case []any:
		return listText(v)
	case fmt.Stringer: // Decimal, *big.Int, *Map, *Struct
		return v.String()
	}
	return fmt.Sprint(v)
}

func listText(v []any) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, e := range v {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Text(e))
	}
	b.WriteByte(']')
	return b.String()
}
