package scenarios_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

// lines are what the workload appends, a line every 100 ms.
func lines(n int) (list []scenarios.Event) {
	start := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * 100 * time.Millisecond).UnixMilli()
		list = append(list, scenarios.Event{Arrival: at, Record: broker.Record{Value: fmt.Appendf(nil, "line %d", i), Timestamp: at}})
	}
	return list
}

// copyFile is a worker with a file source, two transforms, and a file sink.
func copyFile(t *testing.T, list ...faults.Fault) *scenarios.Scenario {
	t.Helper()
	return &scenarios.Scenario{Name: t.Name(),
		Topics: []scenarios.Topic{{Name: "lines", Partitions: 2}},
		Workers: []scenarios.Worker{{Name: "copier",
			Config: map[string]string{"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": "org.apache.kafka.connect.storage.StringConverter",
				"offset.flush.interval.ms": "2000"},
			Connectors: []map[string]string{
				{"name": "in", "connector.class": "FileStreamSource", "file": "input.txt", "topic": "lines", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
					"value.converter.schemas.enable": "false", "transforms": "wrap,mark", "transforms.wrap.type": "org.apache.kafka.connect.transforms.HoistField$Value",
					"transforms.wrap.field": "text", "transforms.mark.type": "org.apache.kafka.connect.transforms.InsertField$Value",
					"transforms.mark.static.field": "from", "transforms.mark.static.value": "file"},
				{"name": "out", "connector.class": "FileStreamSink", "file": "output.txt", "topics": "lines"},
			}}},
		Workload: []scenarios.Workload{{Worker: "copier", File: "input.txt", Records: lines(600)}},
		Faults:   list,
		Expect: []scenarios.Expectation{scenarios.FileLines{Worker: "copier", File: "output.txt", Of: "input.txt", Once: len(list) == 0,
			Line: func(line string) (string, bool) { return fmt.Sprintf(`{"text":%q,"from":"file"}`, line), true }}},
	}
}

// TestConnectLosesNothing copies a growing file through a topic while the worker's machine is killed, and paused for longer than its session.
func TestConnectLosesNothing(t *testing.T) {
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	crash := faults.Fault{Kind: faults.Crash, Instance: "copier", At: noon.Add(20*time.Second + 300*time.Millisecond), For: 5 * time.Second}
	pause := faults.Fault{Kind: faults.Pause, Instance: "copier", At: noon.Add(40 * time.Second), For: 70 * time.Second}
	for name, list := range map[string][]faults.Fault{"calm": nil, "crash": {crash}, "pause": {pause}, "both": {crash, pause}} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 3; seed++ {
				if v := run(t, copyFile(t, list...), seed); !v.Pass() {
					t.Errorf("seed %d:\n%s", seed, text(t, v))
				}
			}
		})
	}
}

// TestConnectOnFake runs it over the wire.
func TestConnectOnFake(t *testing.T) {
	s := copyFile(t)
	v, err := scenarios.RunSeed(s, scenarios.Options{On: scenarios.Fake}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Pass() {
		t.Error(text(t, v))
	}
}

// TestConnectThatFails drops lines that should be there, and names a class that is not there.
func TestConnectThatFails(t *testing.T) {
	s := copyFile(t)
	s.Expect = append(s.Expect, scenarios.FileLines{Worker: "copier", File: "output.txt", Of: "input.txt"})
	v := run(t, s, 1)
	if f := v.Findings[1]; f.Pass || !strings.Contains(f.Problems[0], `line "line 0" is not there`) {
		t.Errorf("%+v", f)
	}
	s = copyFile(t)
	s.Workers[0].Connectors[0]["connector.class"] = "Nowhere"
	if _, err := scenarios.RunSeed(s, scenarios.Options{}, 1); err == nil || !strings.Contains(err.Error(), "Nowhere") {
		t.Errorf("%v: want an error that names the class", err)
	}
	s = copyFile(t)
	s.Workers[0].Connectors[0]["transforms.wrap.type"] = "org.apache.kafka.connect.transforms.InsertField$Value"
	delete(s.Workers[0].Connectors[0], "transforms.wrap.field")
	s.Workers[0].Connectors[0]["transforms.wrap.static.field"], s.Workers[0].Connectors[0]["transforms.wrap.static.value"] = "a", "b"
	v = run(t, s, 1)
	found := false
	for _, f := range v.Findings {
		found = found || f.Name == "worker copier" && !f.Pass && strings.Contains(f.Problems[0], "has failed")
	}
	if !found {
		t.Errorf("a task that fails is not told:\n%s", text(t, v))
	}
}

// TestTheCopyOfTheLibrary runs the scenario file under faults.
func TestTheCopyOfTheLibrary(t *testing.T) {
	s, err := scenarios.Load(os.DirFS("library/copy"), "scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed <= 5; seed++ {
		if v := run(t, s, seed); !v.Pass() {
			t.Error(text(t, v))
		}
	}
}

// TestMistakesInWorkers shows what is told about a file that cannot be.
func TestMistakesInWorkers(t *testing.T) {
	good, err := os.ReadFile("library/copy/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"FileStreamSource", "FileStreamSauce", `s.yaml:14:9: connector 1 of worker "copier": there is no connector of class "FileStreamSauce"`},
		{"value.converter: org.apache.kafka.connect.storage.StringConverter", "value.converter: Nowhere", `s.yaml:10:7: worker "copier": `},
		{"append: {worker: copier", "append: {worker: copy", "s.yaml:29:15: workload 1: append: {worker, file} is expected, with one of the scenario's workers"},
		{"crash: copier", "crash: copiers", `s.yaml:32:6: fault 1: there is no instance "copiers": there are copier, and "any"`},
		{"of: input.txt", "of: other.txt", "s.yaml:37:7: file-lines: a file, and of: a file that the workload appends to, are expected"},
		{"+ line +", "+ lane +", `line: the expression`},
		{"connectors:", "conectors:", `unknown field "conectors": did you mean "connectors"?`},
	} {
		lines, err := os.ReadFile("library/copy/lines.jsonl")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(good), c.from, c.to, 1)
		_, err = scenarios.Load(fstest.MapFS{"s.yaml": {Data: []byte(text)}, "lines.jsonl": {Data: lines}}, "s.yaml")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: want %q", c.to, err, c.want)
		}
	}
}
