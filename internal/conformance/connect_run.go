package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// connectCase is a vector while it runs: its members, and the plugins that it may use.
type connectCase struct {
	object
	plugins *connect.Plugins
}

// connectKinds runs each kind of case. What a case returns is where it differs, empty when it does not.
var connectKinds = map[string]func(c *connectCase) string{
	"project":  runProject,
	"validate": runValidate,
	"equal":    runEqual,
	"struct":   runStruct,
	"builder":  runBuilder,
	"logical":  runLogical,
	"headers":  runHeaders,
	"values":   runValues,
}

// unsupportedPlugin is panicked with where a case names a plugin that is not registered.
type unsupportedPlugin string

// RunConnect runs a case with the plugins that are registered.
func RunConnect(v *ConnectVector, plugins *connect.Plugins) (out Outcome) {
	run := connectKinds[v.Kind]
	if run == nil {
		return Outcome{Unsupported: "kind " + v.Kind}
	}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case unsupportedPlugin:
			out = Outcome{Unsupported: string(e)}
		case vectorError:
			out = Outcome{Diff: "the case cannot be read: " + e.Error()}
		default:
			out = Outcome{Diff: fmt.Sprint("panic: ", e)}
		}
	}()
	c := &connectCase{plugins: plugins}
	must(json.Unmarshal(v.Line, &c.object))
	return Outcome{Diff: run(c)}
}

// text is a member that is a string, else "".
func (c *connectCase) text(name string) string {
	if isNull(c.object[name]) {
		return ""
	}
	return decode[string](c.object[name])
}

// expect is the member expect, an object.
func (c *connectCase) expect() object { return decode[object](c.object["expect"]) }

// diffError compares an error with what is expected of it; want may be null.
func diffError(want json.RawMessage, err error) string {
	if isNull(want) {
		if err != nil {
			return fmt.Sprintf("failed: %s: %v", data.ClassOfError(err), err)
		}
		return ""
	}
	o := decode[object](want)
	class := decode[string](o["class"])
	if err == nil {
		return fmt.Sprintf("no error, want %s: %s", class, o["message"])
	}
	if !ours(class) {
		return "" // that it fails is the contract
	}
	if got := string(data.ClassOfError(err)); got != class {
		return fmt.Sprintf("error class %s, want %s (%v)", got, class, err)
	}
	if d := diffMessage(o["message"], err); d != "" {
		return d
	}
	return diffCause(o["cause"], err)
}

// ours says whether class and message of an error are part of the contract.
func ours(class string) bool {
	return strings.HasPrefix(class, "org.apache.kafka.") || strings.HasPrefix(class, "io.debezium.")
}

// diffMessage compares messages. A message with the text of a record in it need not be equal.
func diffMessage(want json.RawMessage, err error) string {
	got, ok := data.MessageOfError(err)
	if isNull(want) {
		if ok {
			return fmt.Sprintf("message %q, want null", got)
		}
		return ""
	}
	w := decode[string](want)
	if strings.Contains(w, "Record{") {
		return ""
	}
	if !ok || got != w {
		return fmt.Sprintf("message %q, want %q", got, w)
	}
	return ""
}

// diffCause compares causes of Kafka's own classes.
func diffCause(want json.RawMessage, err error) string {
	if isNull(want) {
		return ""
	}
	class := decode[string](decode[object](want)["class"])
	if !ours(class) || strings.Contains(string(want), "com.fasterxml") || strings.Contains(string(want), "java.lang.NumberFormatException") {
		return ""
	}
	var e *data.Error
	if !errors.As(err, &e) || e.Cause == nil {
		return "no cause, want " + string(want)
	}
	if d := diffError(want, e.Cause); d != "" {
		return "cause: " + d
	}
	return ""
}

// diffValue compares a value of a schema.
func diffValue(want json.RawMessage, s *data.Schema, got any) string {
	w := valueOf(want, s)
	if !equalValues(w, got) {
		return fmt.Sprintf("value %s, want %s", show(got), show(w))
	}
	return ""
}

func diffSchema(want json.RawMessage, got *data.Schema) string {
	w := schemaOf(want)
	if !w.Equal(got) {
		return fmt.Sprintf("schema %s, want %s", showSchema(got), showSchema(w))
	}
	return ""
}

// diffRecord compares a record.
func diffRecord(want json.RawMessage, got *connect.Record) string {
	w := recordOf(want)
	switch {
	case w.Topic != got.Topic || w.Partition != got.Partition || w.Timestamp != got.Timestamp:
		return fmt.Sprintf("topic, partition, timestamp %s %d %d, want %s %d %d", got.Topic, got.Partition, got.Timestamp, w.Topic, w.Partition, w.Timestamp)
	case !w.KeySchema.Equal(got.KeySchema):
		return fmt.Sprintf("key schema %s, want %s", showSchema(got.KeySchema), showSchema(w.KeySchema))
	case !w.ValueSchema.Equal(got.ValueSchema):
		return fmt.Sprintf("value schema %s, want %s", showSchema(got.ValueSchema), showSchema(w.ValueSchema))
	case !equalValues(w.Key, got.Key):
		return fmt.Sprintf("key %s, want %s", show(got.Key), show(w.Key))
	case !equalValues(w.Value, got.Value):
		return fmt.Sprintf("value %s, want %s", show(got.Value), show(w.Value))
	case !w.Headers.Equal(got.Headers):
		return fmt.Sprintf("headers %s, want %s", got.Headers, w.Headers)
	}
	same := *got
	same.Key, same.Value = w.Key, w.Value // other values are compared already
	if !w.Equal(&same) {
		return fmt.Sprintf("record %s, want %s", got, w)
	}
	return ""
}

// diffOutcome compares an outcome that is {"value":V} or a failure.
func diffOutcome(want object, s *data.Schema, got any, err error) string {
	if !isNull(want["error"]) || err != nil {
		return diffError(want["error"], err)
	}
	return diffValue(want["value"], s, got)
}
