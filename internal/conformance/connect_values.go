package conformance

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

func runValues(c *connectCase) string {
	want := c.expect()
	switch op := c.text("op"); op {
	case "parseString", "roundTrip":
		return runParse(c, op == "roundTrip", want)
	case "inferSchema":
		s, err := data.InferSchema(valueOf(c.object["value"], schemaOf(c.object["schema"])))
		if d := diffError(want["error"], err); d != "" || err != nil {
			return d
		}
		return diffSchema(want["schema"], s)
	default:
		s := schemaOf(c.object["schema"])
		got, err := convert(c, strings.TrimPrefix(op, "convertTo"), s, valueOf(c.object["value"], s))
		return diffOutcome(want, s, got, err)
	}
}

func runParse(c *connectCase, back bool, want object) string {
	if isNull(c.object["input"]) {
		return ""
	}
	v, ok := data.ParseString(c.text("input"))
	if none := !isNull(want["none"]); none || !ok {
		if none == ok {
			return fmt.Sprintf("null: %v", !ok)
		}
		return ""
	}
	if d := diffSchema(want["schema"], v.Schema); d != "" {
		return d
	}
	if d := diffValue(want["value"], v.Schema, v.Value); d != "" || !back {
		return d
	}
	s, err := data.ConvertToString(v.Value)
	if err != nil || isNull(want["text"]) != (s == nil) || s != nil && s != decode[string](want["text"]) {
		return fmt.Sprintf("text %q %v, want %s", s, err, want["text"])
	}
	return ""
}

func convert(c *connectCase, to string, s *data.Schema, v any) (any, error) {
	numbers := map[string]data.Type{"Byte": data.Int8, "Short": data.Int16, "Integer": data.Int32, "Long": data.Int64, "Float": data.Float32, "Double": data.Float64}
	if t, ok := numbers[to]; ok {
		return data.ConvertToNumber(t, s, v)
	}
	switch to {
	case "Boolean":
		return data.ConvertToBoolean(s, v)
	case "String":
		return data.ConvertToString(v)
	case "List":
		return data.ConvertToList(v)
	case "Map":
		return data.ConvertToMap(v)
	case "Struct":
		return data.ConvertToStruct(v)
	case "Time":
		return data.ConvertToTime(s, v)
	case "Date":
		return data.ConvertToDate(s, v)
	case "Timestamp":
		return data.ConvertToTimestamp(s, v)
	case "Decimal":
		return data.ConvertToDecimal(v, decode[int32](c.object["scale"]))
	}
	must(fmt.Errorf("no such conversion: %s", to))
	return nil, nil
}
