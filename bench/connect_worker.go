package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// nLines is how many lines of 100 bytes a worker copies.
const nLines = 1_000_000

// task is what the workers do to records on their way: nothing, or transforms on both sides of a converter.
type task struct {
	name, converter string
	source, sink    []string // properties
}

var tasks = []task{
	{name: "", converter: "org.apache.kafka.connect.storage.StringConverter"},
	{
		name: ", JSON and three transforms", converter: "org.apache.kafka.connect.json.JsonConverter",
		source: transformed("HoistField$Value;field=line", "InsertField$Value;topic.field=topic;static.field=source;static.value=shop", "InsertHeader;header=source;value.literal=shop"),
		sink:   transformed("DropHeaders;headers=source", "RegexRouter;regex=(.*);replacement=$1-read", "ExtractField$Value;field=line"),
	},
}

// transformed are the properties of a chain of Kafka's transforms, each a class and its configuration.
func transformed(chain ...string) (props []string) {
	var names []string
	for i, x := range chain {
		class, config, _ := strings.Cut(x, ";")
		names = append(names, fmt.Sprintf("t%d", i))
		prefix := fmt.Sprintf("transforms.t%d.", i)
		props = append(props, prefix+"type=org.apache.kafka.connect.transforms."+class)
		for p := range strings.SplitSeq(config, ";") {
			props = append(props, prefix+p)
		}
	}
	return append(props, "transforms="+strings.Join(names, ","))
}

// compareWorkers lets a standalone worker of each kind copy a file to a topic and the topic to a file, ROUNDS times, for each task, and prints medians.
func compareWorkers(rounds int) {
	dir, err := os.MkdirTemp(work(), "connect-")
	check(err)
	defer os.RemoveAll(dir)
	input := filepath.Join(dir, "input.txt")
	var text bytes.Buffer
	for i := range nLines {
		fmt.Fprintf(&text, "%099d\n", i)
	}
	check(os.WriteFile(input, text.Bytes(), 0o644))
	ours := filepath.Join(work(), "kstreamlab")
	rates := map[string][]float64{}
	for n := range rounds * len(tasks) * 2 {
		t, who := &tasks[n/2%len(tasks)], []string{"jvm", "ours"}[n%2]
		w := &copying{dir: dir, input: input, topic: fmt.Sprintf("copy-%s-%s-%d", who, runID, n), task: t}
		w.command = func(files ...string) []string {
			return append([]string{ours, "connect", "standalone", "--log", "warn"}, files...)
		}
		if who == "jvm" {
			w.command = func(files ...string) []string {
				return javaCmd("org.apache.kafka.connect.cli.ConnectStandalone", files...)
			}
		}
		in, out := w.run()
		source, sink := who+" file source"+t.name, who+" file sink"+t.name
		rates[source], rates[sink] = append(rates[source], in), append(rates[sink], out)
	}
	fmt.Println("| | Kafka Connect, records/s | kstreamlab, records/s | ratio |\n| --- | --- | --- | --- |")
	for _, t := range tasks {
		for _, what := range []string{"file source", "file sink"} {
			a, b := middle(rates["jvm "+what+t.name]), middle(rates["ours "+what+t.name])
			fmt.Printf("| %s | %.0f | %.0f | %.1f |\n", what+t.name, a, b, b/a)
		}
	}
}

// copying is one worker's turn.
type copying struct {
	dir, input, topic string
	task              *task
	command           func(files ...string) []string
}

// run copies both ways, each with a worker of its own, and returns the records a second, from the first record to the last.
func (w *copying) run() (source, sink float64) {
	c := client()
	defer c.Close()
	adm := kadm.NewClient(c)
	create(adm, w.topic)
	// Connect wants file connectors on its plugin path; the JVM's class path is where they are.
	worker := w.file("worker.properties", "bootstrap.servers="+boot(), "key.converter=org.apache.kafka.connect.storage.StringConverter",
		"value.converter="+w.task.converter, "value.converter.schemas.enable=false", "offset.storage.file.filename="+filepath.Join(w.dir, w.topic+".offsets"),
		"plugin.discovery=only_scan", "listeners=http://127.0.0.1:0")
	output := filepath.Join(w.dir, w.topic+".txt")
	in := w.file("source.properties", slices.Concat(w.task.source, []string{"name=in", "connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max=1",
		"file=" + w.input, "topic=" + w.topic})...)
	out := w.file("sink.properties", slices.Concat(w.task.sink, []string{"name=out-" + w.topic, "connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max=1",
		"file=" + output, "topics=" + w.topic})...)
	source = w.measure(w.command(worker, in), nLines, func() int64 { return ends(adm, w.topic, false) })
	sink = w.measure(w.command(worker, out), nLines, func() int64 {
		info, err := os.Stat(output)
		if err != nil {
			return 0
		}
		return info.Size() / 100
	})
	check(os.Remove(output))
	return source, sink
}

func (w *copying) file(name string, lines ...string) string {
	path := filepath.Join(w.dir, name)
	check(os.WriteFile(path, []byte(joinLines(lines)), 0o644))
	return path
}

func joinLines(lines []string) string {
	var b bytes.Buffer
	for _, l := range lines {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// measure runs a worker until count has reached n, and returns the rate from the first look that saw some to the last.
func (w *copying) measure(argv []string, n int64, count func() int64) float64 {
	p := spawn(argv)
	defer p.stop()
	var began time.Time
	var had int64
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		have := count()
		if have > 0 && began.IsZero() {
			began, had = time.Now(), have
		}
		if have >= n {
			return float64(have-had) / time.Since(began).Seconds()
		}
	}
	check(fmt.Errorf("%s: %d of %d records after three minutes", argv[len(argv)-1], count(), n))
	return 0
}
