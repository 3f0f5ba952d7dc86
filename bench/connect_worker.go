package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// nLines is how many lines of 100 bytes a worker copies.
const nLines = 1_000_000

// compareWorkers lets a standalone worker of each kind copy a file to a topic and the topic to a file, ROUNDS times, and prints medians.
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
	for round := range rounds {
		for _, who := range []string{"jvm", "ours"} {
			w := &copying{dir: dir, input: input, topic: fmt.Sprintf("copy-%s-%s-%d", who, runID, round)}
			w.command = func(files ...string) []string {
				return append([]string{ours, "connect", "standalone", "--log", "warn"}, files...)
			}
			if who == "jvm" {
				w.command = func(files ...string) []string {
					return javaCmd("org.apache.kafka.connect.cli.ConnectStandalone", files...)
				}
			}
			in, out := w.run()
			rates[who+" source"], rates[who+" sink"] = append(rates[who+" source"], in), append(rates[who+" sink"], out)
		}
	}
	fmt.Println("| | Kafka Connect, records/s | kstreamlab, records/s | ratio |\n| --- | --- | --- | --- |")
	for _, what := range []string{"source", "sink"} {
		a, b := middle(rates["jvm "+what]), middle(rates["ours "+what])
		fmt.Printf("| file %s | %.0f | %.0f | %.1f |\n", what, a, b, b/a)
	}
}

// copying is one worker's turn.
type copying struct {
	dir, input, topic string
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
		"value.converter=org.apache.kafka.connect.storage.StringConverter", "offset.storage.file.filename="+filepath.Join(w.dir, w.topic+".offsets"),
		"plugin.discovery=only_scan", "listeners=http://127.0.0.1:0")
	output := filepath.Join(w.dir, w.topic+".txt")
	in := w.file("source.properties", "name=in", "connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max=1", "file="+w.input, "topic="+w.topic)
	out := w.file("sink.properties", "name=out-"+w.topic, "connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max=1", "file="+output, "topics="+w.topic)
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
