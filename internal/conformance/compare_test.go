package conformance_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/kstreamlab/kstreamlab/internal/conformance"
)

// TestDifferencesAreFound changes one thing in a recorded case at a time: each must be told.
func TestDifferencesAreFound(t *testing.T) {
	file := filepath.Join("testdata", "streams", "cases", "caching", "evict.json")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out := run(t, string(good)); out != (conformance.Outcome{}) {
		t.Fatalf("the case as it is: %+v", out)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"describe", `"Topologies:\n   Sub`, `"Topologies:\n  Sub`, "describe, line 2"},
		{"value", `"value":"AAAAAAAAAAE=","timestamp":2,"show":["c",1]},`, `"value":"AAAAAAAAAAI=","timestamp":2,"show":["c",1]},`, "op 3: topic app-KSTREAM"},
		{"timestamp", `"value":"AAAAAAAAAAE=","timestamp":5,"show":["e",1]}
    ]`, `"value":"AAAAAAAAAAE=","timestamp":6,"show":["e",1]}
    ]`, "op 6: topic out: record 1"},
		{"header", `{"topic":"out","key":"YQ==","value":"AAAAAAAAAAE=","timestamp":0,`, `{"topic":"out","key":"YQ==","value":"AAAAAAAAAAE=","timestamp":0,"headers":[["h","MQ=="]],`, "op 3: topic out: record 0"},
		{"null for bytes", `{"topic":"out","key":"YQ==","value":"AAAAAAAAAAE=",`, `{"topic":"out","key":null,"value":"AAAAAAAAAAE=",`, "op 3: topic out: record 0"},
		{"a record too few", `    [],
    [],
    [],
    [
`, `    [],
    [],
    [{"topic":"out","key":null,"value":null,"timestamp":0}],
    [
`, "op 2: topic out: record 0: want out: null = null @0, got none"},
		{"a record too many", `"timestamp":5,"show":["e",1]}
    ]`, `"timestamp":5,"show":["e",1]}
    ],[{"topic":"x"}]`, "7 ops were done, and the case expects 8"},
		{"store", `["a",2,4]`, `["a",3,4]`, "store KSTREAM-AGGREGATE-STATE-STORE-0000000001, line 1"},
		{"store's timestamp", `["a",2,4]`, `["a",2,5]`, "store KSTREAM-AGGREGATE-STATE-STORE-0000000001, line 1"},
		{"store's name", `"stores": {"KSTREAM`, `"stores": {"XSTREAM`, "stores: want [XSTREAM"},
		{"dropped", `"dropped": 0`, `"dropped": 1`, "dropped records: want 1, got 0"},
		{"error", `"dropped": 0`, `"error": {"at": 4, "class": "X"}`, "error: want X at op 4"},
		{"error at build", `"dropped": 0`, `"error": {"at": "build", "class": "X"}`, "error: want X at build"},
		{"error at start", `"dropped": 0`, `"error": {"at": "start", "class": "X"}`, "error: want X at start"},
	} {
		bad := strings.Replace(string(good), c.old, c.new, 1)
		if bad == string(good) {
			t.Errorf("%s: the case has no %q", c.name, c.old)
			continue
		}
		if out := run(t, bad); !strings.HasPrefix(out.Diff, c.want) {
			t.Errorf("%s: %q, want %q", c.name, out.Diff, c.want)
		}
	}
}

func TestOrderOverTopicsIsCompared(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("testdata", "streams", "cases", "caching", "evict.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(good, &c); err != nil {
		t.Fatal(err)
	}
	sent := c["expect"].([]any)[3].([]any)
	sent[0], sent[1] = sent[1], sent[0]
	bad, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if out := run(t, string(bad)); !strings.HasPrefix(out.Diff, "op 3: order over topics") {
		t.Errorf("%q", out.Diff)
	}
}

func run(t *testing.T, file string) conformance.Outcome {
	t.Helper()
	all, err := conformance.Load(fstest.MapFS{"cases/x/y.json": {Data: []byte(file)}})
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Run(all[0])
}

func TestLoadRefuses(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"nothing":  {"README.md": {}},
		"no JSON":  {"cases/a/b.json": {Data: []byte("{")}},
		"no gzip":  {"random/x.jsonl.gz": {Data: []byte("{}")}},
		"a header": {"cases/a/b.json": {Data: []byte(`{"expect":[[{"headers":[[null,"x"]]}]]}`)}},
	} {
		if all, err := conformance.Load(fsys); err == nil {
			t.Errorf("%s: %d cases", name, len(all))
		}
	}
}
