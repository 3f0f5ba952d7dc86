//go:build integration

package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
)

// classPath builds the JVM programs, once, and is what java needs to run them.
var classPath = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("mvn", "-q", "-B", "package", "dependency:build-classpath", "-DincludeScope=runtime", "-Dmdep.outputFile=target/classpath")
	cmd.Dir = "jvm"
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn: %w\n%s", err, out)
	}
	jars, err := os.ReadFile(filepath.Join("jvm", "target", "classpath"))
	return filepath.Join("jvm", "target", "classes") + ":" + string(jars), err
})

// java is a command that runs a class.
func java(t *testing.T, class string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, "java", "mvn")
	jars, err := classPath()
	must(t, err)
	options := []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Dlog4j2.configurationFile=../../../.ci/kafka/log4j2.xml", "-cp", jars, class}
	return exec.Command("java", append(options, args...)...)
}

func TestJavaConsoleTools(t *testing.T) {
	_, bootstrap := devBroker(t, "--port", "0", "--brokers", "3", "--topics", "console:3")
	// Keys: without them a producer may write all to one partition, and a group commits no offset for a partition where it has no position yet.
	var input, lines []string
	for i := range 1000 {
		lines = append(lines, fmt.Sprintf("line %04d", i))
		input = append(input, fmt.Sprintf("%d:%s", i%20, lines[i]))
	}
	producer := java(t, "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", bootstrap, "--topic", "console", "--compression-codec", "lz4",
		"--reader-property", "parse.key=true", "--reader-property", "key.separator=:")
	producer.Stdin = strings.NewReader(strings.Join(input, "\n") + "\n")
	if out, err := producer.CombinedOutput(); err != nil {
		t.Fatalf("the producer: %v\n%s", err, out)
	}
	consumer := java(t, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", bootstrap, "--topic", "console", "--from-beginning", "--group", "readers", "--max-messages", "1000", "--timeout-ms", "60000")
	var said bytes.Buffer
	consumer.Stderr = &said
	out, err := consumer.Output()
	if err != nil {
		t.Fatalf("the consumer: %v\n%s", err, &said)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	if d := cmp.Diff(lines, got); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
	groups, err := java(t, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", bootstrap, "--describe", "--group", "readers").CombinedOutput()
	if err != nil || strings.Count(string(groups), "console") != 3 {
		t.Errorf("the group command: %v\n%s", err, groups)
	}
}

// The word count of Kafka Streams, exactly once, with two threads on four partitions: its repartition and changelog topics are made by it,
// and its counts are right after each batch of lines, over a kill in between.
func TestJVMWordCount(t *testing.T) {
	_, bootstrap := devBroker(t, "--port", "0", "--topics", "lines:4,counts:4")
	c := client(t, bootstrap)
	state := t.TempDir()
	app := start(t, java(t, "clients.WordCount", bootstrap, state))
	want := map[string]int{}
	for batch := range 3 {
		var lines []string
		for i := range 400 {
			line := fmt.Sprintf("w%d Word%d all", i%7, i%50)
			lines = append(lines, line)
			for word := range strings.FieldsSeq(strings.ToLower(line)) {
				want[word]++
			}
		}
		write(t, c, "lines", 4, lines...)
		got, changes := map[string]int{}, 0
		read(t, c, "counts", 4, func(r broker.Record) bool {
			n, err := strconv.Atoi(string(r.Value))
			must(t, err)
			if n <= got[string(r.Key)] {
				t.Fatalf("batch %d: the count of %s goes from %d to %d", batch, r.Key, got[string(r.Key)], n)
			}
			got[string(r.Key)] = n
			changes++
			return cmp.Equal(want, got)
		})
		t.Logf("batch %d: %d words, %d changes", batch, len(got), changes)
		if batch == 0 {
			must(t, app.cmd.Process.Kill())
			<-app.ended
			app = start(t, java(t, "clients.WordCount", bootstrap, state))
		}
	}
	if code := app.terminate(); code != 143 && code != 0 {
		t.Errorf("the application ended with %d", code)
	}
	topics, err := c.Admin().DescribeTopics(t.Context())
	must(t, err)
	for _, suffix := range []string{"repartition", "changelog"} {
		name := "word-count-KSTREAM-AGGREGATE-STATE-STORE-0000000004-" + suffix
		if n := len(topics[name].Partitions); n != 4 {
			t.Errorf("%s has %d partitions", name, n)
		}
	}
}

// connect is a worker's REST interface.
type connect struct {
	t   *testing.T
	url string
}

// call returns the status and the answer; 0 while nobody answers.
func (w connect) call(method, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	must(w.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return resp.StatusCode, string(b)
}

// await calls until the answer is as wanted.
func (w connect) await(method, path, body string, is func(status int, answer string) bool) {
	w.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(90 * time.Second)
	for {
		status, answer := w.call(method, path, body)
		if is(status, answer) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			w.t.Fatalf("%s %s: the last answer is %d %s", method, path, status, answer)
		}
	}
}

// A worker in distributed mode keeps its configurations, offsets and states in topics of the broker. A connector runs, its records arrive, and
// a worker that takes over from one that was killed goes on where that was.
func TestJVMConnect(t *testing.T) {
	_, bootstrap := devBroker(t, "--port", "0", "--topics", "numbers:1")
	c := client(t, bootstrap)
	w, worker := startWorker(t, bootstrap)
	config := func(count int) string {
		b, err := json.Marshal(map[string]string{"connector.class": "clients.NumberSource", "topic": "numbers", "count": fmt.Sprint(count), "tasks.max": "1"})
		must(t, err)
		return string(b)
	}
	w.await("PUT", "/connectors/numbers/config", config(500), func(status int, _ string) bool { return status == 201 || status == 200 })
	running := func(_ int, answer string) bool { return strings.Count(answer, "RUNNING") == 2 }
	w.await("GET", "/connectors/numbers/status", "", running)
	expectNumbers(t, c, 500)
	w.await("GET", "/connectors/numbers/offsets", "", func(_ int, answer string) bool { return strings.Contains(answer, `"next":500`) })
	must(t, worker.cmd.Process.Kill())
	<-worker.ended
	w, worker = startWorker(t, bootstrap)
	w.await("PUT", "/connectors/numbers/config", config(700), func(status int, _ string) bool { return status == 200 })
	expectNumbers(t, c, 700)
	w.await("GET", "/connectors/numbers/status", "", running)
	w.await("DELETE", "/connectors/numbers", "", func(status int, _ string) bool { return status == 204 })
	w.await("GET", "/connectors", "", func(_ int, answer string) bool { return answer == "[]" })
	if code := worker.terminate(); code != 143 && code != 0 {
		t.Errorf("the worker ended with %d", code)
	}
}

// expectNumbers reads the first n numbers, each once.
func expectNumbers(t *testing.T, c broker.Cluster, n int) {
	t.Helper()
	next := 0
	read(t, c, "numbers", 1, func(r broker.Record) bool {
		if got, want := string(r.Value), fmt.Sprintf("number %d", next); got != want {
			t.Fatalf("%q comes instead of %q", got, want)
		}
		next++
		return next == n
	})
}

func startWorker(t *testing.T, bootstrap string) (connect, *process) {
	t.Helper()
	port := freePort(t)
	file := filepath.Join(t.TempDir(), "worker.properties")
	must(t, os.WriteFile(file, []byte(strings.Join([]string{"bootstrap.servers=" + bootstrap, "group.id=workers", "listeners=http://127.0.0.1:" + port,
		"key.converter=org.apache.kafka.connect.storage.StringConverter", "value.converter=org.apache.kafka.connect.storage.StringConverter", "offset.flush.interval.ms=200",
		"config.storage.topic=worker-configs", "offset.storage.topic=worker-offsets", "status.storage.topic=worker-states", "config.storage.replication.factor=1",
		"offset.storage.replication.factor=1", "status.storage.replication.factor=1", "offset.storage.partitions=5", "session.timeout.ms=6000", "heartbeat.interval.ms=1000", "plugin.discovery=only_scan", ""}, "\n")), 0o644))
	p := start(t, java(t, "org.apache.kafka.connect.cli.ConnectDistributed", file))
	w := connect{t, "http://127.0.0.1:" + port}
	w.await("GET", "/connectors", "", func(status int, _ string) bool {
		select {
		case <-p.ended:
			t.Fatalf("the worker has ended: %v", p.err)
		default:
		}
		return status == 200
	})
	return w, p
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, ln.Close())
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

var errPython = errors.New("no Python with librdkafka")

func TestLibrdkafka(t *testing.T) {
	need(t, "python3", "bash")
	path, err := exec.Command("bash", "../../../.ci/librdkafka/python").Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("%v: %v %s", errPython, err, exit.Stderr)
	}
	_, bootstrap := devBroker(t, "--port", "0", "--brokers", "2")
	cmd := exec.Command(strings.TrimSpace(string(path)), "librdkafka.py", bootstrap, "from-python")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	var got struct {
		Version        string
		Failed, Values []string
		Committed      int
		Again          int
	}
	must(t, json.Unmarshal(out, &got))
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprintf("plain %d", i))
		if i < 100 {
			want = append(want, fmt.Sprintf("committed %d", i))
		}
	}
	slices.Sort(want)
	if d := cmp.Diff(want, got.Values); d != "" || len(got.Failed) > 0 {
		t.Errorf("values (-want +got):\n%s\nfailed: %v", d, got.Failed)
	}
	if got.Again != 0 || got.Committed < 1100 {
		t.Errorf("committed %d, and read again %d", got.Committed, got.Again)
	}
	t.Logf("librdkafka %s", got.Version)
}

// Data and committed offsets outlive the broker, whether it was told to stop or killed.
func TestDataDirectoryOutlivesTheBroker(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for round := range 3 {
		p, bootstrap := devBroker(t, "--port", "0", "--data", dir, "--topics", "kept:2")
		c := client(t, bootstrap)
		write(t, c, "kept", 2, fmt.Sprintf("round %d", round))
		n := 0
		read(t, c, "kept", 2, func(broker.Record) bool { n++; return n == round+1 })
		if round == 1 {
			must(t, p.cmd.Process.Kill())
			<-p.ended
		} else if code := p.terminate(); code != 0 {
			t.Errorf("round %d: exit code %d", round, code)
		}
	}
}
