package declare_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/declare"
)

// head is what most files begin with: steps start on line 4.
const head = `app: a
config: {default.key.serde: string, default.value.serde: json}
steps:
  - {id: in, op: stream, topic: in}
`

func TestErrorsNameTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"unknown op", head + `  - {id: late, op: filtr, in: in, where: "true"}`, `app.yaml:5:20: unknown op "filtr" in step "late": did you mean "filter"?`},
		{"unknown op, nothing near", head + `  - {id: late, op: xyzzyxyzzy, in: in}`, `app.yaml:5:20: unknown op "xyzzyxyzzy" in step "late": it is one of aggregate, branch, cogroup`},
		{"unknown option", head + `  - {id: f, op: filter, in: in, were: "true"}`, `app.yaml:5:33: filter has no option "were" in step "f": did you mean "where"?`},
		{"missing option", head + `  - {id: f, op: filter, in: in}`, `app.yaml:5:5: f.where: an expression is needed`},
		{"unknown input", head + `  - {id: f, op: filter, in: im, where: "true"}`, `app.yaml:5:29: f.in: no earlier step is called "im": did you mean "in"?`},
		{"no input", head + `  - {id: f, op: filter, where: "true"}`, `app.yaml:5:5: f.in: this option is needed: the id of an earlier step`},
		{"same id", head + `  - {id: in, op: stream, topic: b}`, `app.yaml:5:10: step "in": two steps have this id: give each its own`},
		{"stream needed", head + "  - {id: t, op: table, topic: t}\n  - {id: k, op: select-key, in: t, key: key}", `app.yaml:6:33: k.in: a stream is needed, and "t" is a table`},
		{"pattern", head + "  - {id: t, op: stream, pattern: 't('}", `app.yaml:5:5: step "t": streams: "t(" is no pattern of topics: error parsing regexp: missing closing ): ` + "`t(`"},
		{"topic and pattern", head + "  - {id: t, op: stream, pattern: 'i.'}", `app.yaml:4:3: Invalid topology: Pattern i. will match a topic that has already been registered by another source.`},
		{"expression in double quotes", head + `  - {id: f, op: filter, in: in, where: "value.x > "}`, `app.yaml:5:51: f.where: "value.x > " is no valid expression: it ends too early: see https://cel.dev`},
		{"unknown variable", head + "  - id: f\n    op: filter\n    in: in\n    where: valu.x > 1\n", `app.yaml:8:12: f.where: "valu.x > 1" is no valid expression: there is no variable "valu": did you mean "value"?`},
		{"unknown variable further in", head + "  - id: f\n    op: filter\n    in: in\n    where: 'value.x > agg'\n", `app.yaml:8:23: f.where: "value.x > agg" is no valid expression: there is no variable "agg": it is one of key, value, window`},
		{"expression in a block", head + "  - id: f\n    op: filter\n    in: in\n    where: |\n      value.x > 1 &&\n        valu.y > 2\n", `app.yaml:10:9: f.where: "value.x > 1 &&\n valu.y > 2\n" is no valid`},
		{"folded expression", head + "  - id: f\n    op: filter\n    in: in\n    where: >\n      valu.x > 1\n", `app.yaml:9:7: f.where: "valu.x > 1\n" is no valid`},
		{"no overload", head + `  - {id: f, op: filter, in: in, where: "1 + 'a'"}`, `app.yaml:5:43: f.where: "1 + 'a'" is no valid expression: found no matching overload for '_+_' applied to '(int, string)': see https://cel.dev`},
		{"no variables", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: aggregate, in: g, init: key, add: agg}", `app.yaml:6:41: c.init: "key" is no valid expression: there is no variable "key" here`},
		{"null expression", head + `  - {id: m, op: map-values, in: in, value: null}`, `app.yaml:5:44: m.value: an expression is needed, as text, not nothing (null is written "null")`},
		{"unknown serde", head + `  - {id: o, op: to, in: in, topic: o, serde: {key: txt, value: strin}}`, `app.yaml:5:52: o.serde.key: unknown serde "txt"`},
		{"serde of a list", head + `  - {id: o, op: to, in: in, topic: o, serde: {key: list<json>}}`, `app.yaml:5:52: o.serde.key: unknown serde "list<json>": a list is of one of string, int, long, short, float, double, uuid, bytes`},
		{"windowed serde without size", head + `  - {id: o, op: to, in: in, topic: o, serde: {key: "time-windowed<string>"}}`, `app.yaml:5:52: o.serde.key: serde "time-windowed<string>" has no window size: write time-windowed<S,SIZE>`},
		{"duration", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: tumbling, size: soon}}", `app.yaml:6:62: c.window.size: "soon" is no duration: write milliseconds as a whole number`},
		{"window type", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: tumblin, size: 1}}", `app.yaml:6:46: c.window.type: unknown window type "tumblin": did you mean "tumbling"?`},
		{"window field", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: tumbling, size: 1, advance: 1}}", `app.yaml:6:65: c.window has no field "advance": it is one of grace, size, type`},
		{"window size missing", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: hopping, size: 10}}", `app.yaml:6:39: c.window.advance: this option is needed`},
		{"window refused by Kafka's rules", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: tumbling, size: 0}}", `app.yaml:6:5: step "c": streams: window size 0 ms: it must be larger than 0`},
		{"session windows", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: session, gap: -1}}", `app.yaml:6:5: step "c": streams: inactivity gap -1 ms of sessions: it cannot be negative`},
		{"emission of unlimited windows", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: unlimited}, emit: on-window-close}", `app.yaml:6:5: step "c": streams: unlimited windows never close`},
		{"suppress without windows", head + "  - {id: t, op: to-table, in: in}\n  - {id: f, op: suppress, in: t, until: window-closes}", `app.yaml:6:5: step "f": Invalid topology: KTABLE-SUPPRESS-0000000003 waits for windows to close, and there are none above it`},
		{"emit", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, emit: on-update}", `app.yaml:6:37: c.emit: only a windowed stream can be emitted by a strategy: give a window`},
		{"two topics", head + `  - {id: o, op: to, in: in, topic: o, topic_expr: "'x'"}`, `app.yaml:5:5: o: one of topic and topic_expr is needed`},
		{"no topic", head + `  - {id: s, op: stream}`, `app.yaml:5:5: s: one of topic, topics and pattern is needed`},
		{"empty topic", head + `  - {id: o, op: to, in: in, topic: ""}`, `app.yaml:5:5: step "o": Invalid topology: a sink below`},
		{"bad name", head + `  - {id: o, op: to, in: in, topic: o, name: a b}`, `app.yaml:5:5: step "o": Invalid topology: Name "a b" is illegal`},
		{"empty name", head + `  - {id: o, op: peek, in: in, name: ""}`, `app.yaml:5:5: step "o": Invalid topology: Name is illegal, it can't be empty`},
		{"branch", head + `  - {id: b, op: branch, in: in, branches: [{id: x, where: "true"}, {id: x, where: "true"}]}`, `app.yaml:5:68: b: two branches have the id "x": give each its own`},
		{"choice", head + `  - {id: s, op: stream, topic: t, reset: earlyest}`, `app.yaml:5:42: s.reset: "earlyest" is not one of earliest, latest, none`},
		{"reset by duration", head + `  - {id: s, op: stream, topic: t, reset: "by_duration:1h"}`, `app.yaml:5:5: step "s": streams: "by_duration:1h" is no reset policy: a duration of ISO 8601`},
		{"flag", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, store: {caching: off}}", `app.yaml:6:48: c.store.caching: "off" is not one of true, false`},
		{"retention", head + "  - {id: g, op: group-by-key, in: in}\n  - {id: c, op: count, in: g, window: {type: tumbling, size: 10}, store: {name: w, retention: 5}}", `app.yaml:6:5: step "c": streams: the retention of window store "w" is 5 ms`},
		{"merge of one name", head + "  - {id: a, op: peek, in: in}\n  - {id: b, op: merge, in: [in, a, a], name: m}", `app.yaml:6:46: b.name: a merge of 3 streams cannot be named: merge two at a time`},
		{"partitions", head + `  - {id: r, op: repartition, in: in, partitions: 0}`, `app.yaml:5:50: r.partitions: "0" is no whole number of at least 1`},
		{"processor", head + `  - {id: p, op: process, in: in, processor: cout}`, `app.yaml:5:45: p.processor: unknown processor "cout": did you mean "count"?`},
		{"no steps", "app: a\n", `app.yaml:1:1: the app has no steps: add the field "steps"`},
		{"no app", "steps: []\n", `app.yaml:1:1: the app has no app: give it one`},
		{"unknown field", "app: a\nstep: []\n", `app.yaml:2:1: unknown field "step": did you mean "steps"?`},
		{"steps is a mapping", "app: a\nsteps: {in: x}\n", `app.yaml:2:8: steps: a list is expected, not a mapping`},
		{"step is text", "app: a\nsteps: [in]\n", `app.yaml:2:9: step 1: a mapping is expected`},
		{"default serde", "app: a\nconfig: {default.key.serde: strng}\nsteps: []\n", `app.yaml:2:29: config.default.key.serde: unknown serde "strng": did you mean "string"?`},
		{"application.id", "app: a\nconfig: {application.id: b}\nsteps: []\n", `app.yaml:2:26: config.application.id: "b" is not the app's name, "a": leave it out`},
		{"twice", "app: a\napp: b\nsteps: []\n", `app.yaml:2:1: the file is no YAML: mapping key "app" already defined at [1:1]`},
		{"no YAML", "app: [a\nsteps: []\n", `app.yaml:`},
		{"empty", "", `app.yaml:1:1: the file is empty`},
		{"anchor", "app: &x a\nsteps: []\n", `app.yaml:1:6: anchors, aliases, tags and merges are not understood here: write the value out`},
		{"two documents", "app: a\nsteps: []\n---\napp: b\n", `app.yaml:4:`},
		{"not UTF-8", "app: \xff\n", `app.yaml:1:1: the file is not UTF-8`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := declare.Parse("app.yaml", []byte(c.file))
			var e *declare.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v: want an *Error", err)
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line: %q", err)
			}
		})
	}
}

func TestMissingSerdeIsFoundByCheck(t *testing.T) {
	app, err := declare.Parse("app.yaml", []byte("app: a\nsteps:\n  - {id: in, op: stream, topic: in, serde: {key: string}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "app.yaml:3:5: step \"in\": streams: step KSTREAM-SOURCE-0000000000 has no serde for its value: give one, or set default.value.serde"
	if err := app.Check(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
