package scenarios_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kstreamlab/kstreamlab/scenarios"
)

const goodApp = `app: shop
steps:
  - {id: orders, op: stream, topic: orders, serde: {key: string, value: json}}
  - {id: by-key, op: group-by-key, in: orders}
  - {id: totals, op: count, in: by-key, store: {name: totals}}
  - {id: changes, op: to-stream, in: totals}
  - {id: out, op: to, in: changes, topic: totals}
`

const goodScenario = `name: shop
cluster: {brokers: 3}
start: "2024-05-01T00:00:00Z"
topics:
  - {name: orders, partitions: 2, serde: {key: string, value: json}}
  - {name: totals, partitions: 2, serde: {key: string, value: long}}
apps:
  - file: app.yaml
    instances: 2
    store: pebble
    config: {num.stream.threads: "2"}
workload:
  - topic: orders
    file: orders.jsonl
    key: value.who
    value: value
    timestamp: timestamp
    arrival: timestamp
    until: "2025-01-01T00:00:00Z"
faults:
  - {at: "2024-05-01T00:00:30Z", crash: shop-1, restart_after: 10s}
  - {between: ["2024-05-01T00:00:00Z", "2024-05-01T00:01:00Z"], pause: any, for: 20s}
expect:
  - caught-up: {app: shop, within: 5m}
  - exactly-once: {topic: totals}
  - store-equals-changelog: {app: shop, store: totals}
  - rows: {topic: totals, rows: [{key: ada, value: 2}, {key: bob, value: 1}]}
`

const goodOrders = `{"timestamp": 1714521600000, "value": {"who": "ada", "amount": 1.5}}
{"timestamp": 1714521610000, "value": {"who": "bob"}}
{"timestamp": 1714521650000, "value": {"who": "ada"}}
`

func load(scenario, app, orders string) (*scenarios.Scenario, error) {
	return scenarios.Load(fstest.MapFS{"dir/scenario.yaml": {Data: []byte(scenario)}, "dir/app.yaml": {Data: []byte(app)}, "dir/orders.jsonl": {Data: []byte(orders)}}, "dir/scenario.yaml")
}

func TestAFileIsAScenario(t *testing.T) {
	s, err := load(goodScenario, goodApp, goodOrders)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Apps[0]; a.Name != "shop" || a.Instances != 2 || !a.Pebble || a.Config["num.stream.threads"] != "2" {
		t.Errorf("%+v", a)
	}
	pass(t, s, 1)
}

// TestWrongFiles changes one thing in good files: each error is one line with file, line, column and a remedy.
func TestWrongFiles(t *testing.T) {
	in := func(file, old, new, want string) [4]string { return [4]string{file, old, new, want} }
	cases := [][4]string{
		in("scenario", "name: shop", "name: [shop", "dir/scenario.yaml:2:1: ',' or ']' must be specified"),
		in("scenario", "name: shop\n", "", `dir/scenario.yaml:1:1: the scenario has no name: add the field "name"`),
		in("scenario", "brokers: 3", "brokers: 300", "dir/scenario.yaml:2:20: cluster.brokers: 300: 1 to 100 brokers are expected"),
		in("scenario", "brokers: 3", "broker: 3", `dir/scenario.yaml:2:11: unknown field "broker": did you mean "brokers"?`),
		in("scenario", "workload:", "workloads:", `dir/scenario.yaml:12:1: unknown field "workloads": did you mean "workload"?`),
		in("scenario", "brokers: 3", "brokers: many", "dir/scenario.yaml:2:20: "),
		in("scenario", `start: "2024-05-01T00:00:00Z"`, `start: yesterday`, `dir/scenario.yaml:3:8: "yesterday" is not a time: RFC 3339 is expected, such as 2013-01-10T14:20:00Z`),
		in("scenario", "{name: totals, partitions: 2", "{partitions: 2", "dir/scenario.yaml:6:6: topic 2 has no name"),
		in("scenario", "name: totals, partitions: 2", "name: totals, partitions: 0", `dir/scenario.yaml:6:32: topic "totals": partitions: 0: at least 1 is expected`),
		in("scenario", "name: totals, partitions: 2", "name: orders, partitions: 2", `dir/scenario.yaml:6:12: topic "orders" is there twice: leave one of them out`),
		in("scenario", "value: long", "value: lung", `dir/scenario.yaml:6:63: topic "totals": unknown serde "lung": did you mean "long"?`),
		in("scenario", "{name: totals,", "{name: sums,", `dir/scenario.yaml:8:11: app "app.yaml" uses topic "totals", which is not among the scenario's topics: add it to "topics"`),
		in("scenario", "file: app.yaml", "instances: 1", `dir/scenario.yaml:`),
		in("scenario", "file: app.yaml", "file: apps.yaml", `dir/scenario.yaml:8:11: app "apps.yaml": open dir/apps.yaml: file does not exist`),
		in("scenario", "store: pebble", "store: disk", `dir/scenario.yaml:10:12: store: "disk": memory or pebble is expected`),
		in("scenario", `num.stream.threads: "2"`, `num.stream.threads: "two"`, `dir/scenario.yaml:8:5: app "app.yaml": Invalid value two for configuration num.stream.threads: `),
		in("scenario", "topic: orders\n", "topic: order\n", `dir/scenario.yaml:13:12: workload: topic "order" is not among the scenario's topics`),
		in("scenario", "    file: orders.jsonl\n", "", `dir/scenario.yaml:13:5: workload 1 names no file: add the field "file"`),
		in("scenario", "file: orders.jsonl", "file: nothing.jsonl", `dir/scenario.yaml:14:11: workload: open dir/nothing.jsonl: file does not exist`),
		in("scenario", "key: value.who", "key: value.", `dir/scenario.yaml:15:10: key: the expression "value." does not compile: Syntax error: `),
		in("scenario", "key: value.who", "key: v.who", `dir/scenario.yaml:15:10: key: the expression "v.who" does not compile: undeclared reference to 'v'`),
		in("scenario", "key: value.who", "key: value.whom", "dir/orders.jsonl:1:1: key: no such key: whom"),
		in("scenario", "arrival: timestamp", "arrival: value.who", "dir/orders.jsonl:1:1: arrival: milliseconds are expected, not a string"),
		in("scenario", `until: "2025-01-01T00:00:00Z"`, "until: soon", `dir/scenario.yaml:19:12: "soon" is not a time: `),
		in("orders", `{"timestamp": 1714521610000`, `{"timestamp": 1714521500000`, "dir/orders.jsonl:2:1: arrival 1714521500000 is before that of the line above, 1714521600000: the file must be in order of arrival"),
		in("orders", `{"who": "bob"}}`, `{"who": "bob"`, "dir/orders.jsonl:2:1: a JSON object is expected: unexpected EOF"),
		in("scenario", "crash: shop-1", "crash: shop-3", `dir/scenario.yaml:21:6: fault 1: there is no instance "shop-3": there are shop-1, shop-2, and "any"`),
		in("scenario", "crash: shop-1", "explode: shop-1", `dir/scenario.yaml:21:34: unknown field "explode"`),
		in("scenario", "crash: shop-1, restart_after: 10s", "for: 10s", "dir/scenario.yaml:21:6: fault 1: exactly one of crash and pause is expected"),
		in("scenario", ", for: 20s", "", `dir/scenario.yaml:22:6: fault 2: a pause needs a length: add "for"`),
		in("scenario", "for: 20s", "for: 20x", "dir/scenario.yaml:22:6: fault: "),
		in("scenario", `at: "2024-05-01T00:00:30Z", `, "", "dir/scenario.yaml:21:6: fault 1: when? either at: TIME or between: [TIME, TIME] is expected"),
		in("scenario", `["2024-05-01T00:00:00Z", "2024-05-01T00:01:00Z"]`, `["2024-05-01T00:01:00Z", "2024-05-01T00:00:00Z"]`, "dir/scenario.yaml:22:6: fault 2: the span ends, at 2024-05-01T00:00:00Z, before it begins, at 2024-05-01T00:01:00Z"),
		in("scenario", `{between: ["2024-05-01T00:00:00Z", "2024-05-01T00:01:00Z"], pause: any`, `{at: "2024-05-01T00:00:35Z", pause: shop-1`, "dir/scenario.yaml:22:6: fault 2: pause shop-1 at 2024-05-01T00:00:35Z overlaps another one of the same instance: move one of them"),
		in("scenario", "caught-up: {app: shop", "caught-up: {app: ship", `dir/scenario.yaml:24:17: application "ship" is not among the scenario's apps`),
		in("scenario", "exactly-once: {topic: totals}", "exactly-once: {topic: sums}", `dir/scenario.yaml:25:20: topic "sums" is not among the scenario's topics`),
		in("scenario", "store: totals}", "store: sums}", `dir/scenario.yaml:26:30: application "shop" has no store "sums": it has totals`),
		in("scenario", "  - exactly-once: {topic: totals}", "  - {}", "dir/scenario.yaml:25:5: expectation 2: exactly one of windowed-counts, late-drops, exactly-once, store-equals-changelog, caught-up, same-without-faults, file-lines and rows is expected"),
		in("scenario", "exactly-once: {topic: totals}", "windowed-counts: {topic: totals, input: orders, size: 0s}", `dir/scenario.yaml:25:`),
		in("app", "op: count", "op: cuont", `dir/app.yaml:5:22: unknown op "cuont" in step "totals": did you mean "count"?`),
		in("app", "op: group-by-key, in: orders", "op: filter, in: orders, where: value.", `dir/app.yaml:4:`),
	}
	for _, c := range cases {
		t.Run(c[2], func(t *testing.T) {
			files := map[string]string{"scenario": goodScenario, "app": goodApp, "orders": goodOrders}
			if n := strings.Count(files[c[0]], c[1]); n != 1 {
				t.Fatalf("%q is there %d times", c[1], n)
			}
			files[c[0]] = strings.Replace(files[c[0]], c[1], c[2], 1)
			_, err := load(files["scenario"], files["app"], files["orders"])
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); !strings.HasPrefix(got, c[3]) || strings.Contains(got, "\n") {
				t.Errorf("\n got %s\nwant %s", got, c[3])
			}
		})
	}
}
