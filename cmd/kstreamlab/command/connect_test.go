package command

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// standalone is the command on a folder of files.
type standalone struct {
	t    *testing.T
	dir  string
	seen map[string]int // lines that sinks wrote to standard output
}

func (s *standalone) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *standalone) command(args ...string) *exec.Cmd {
	cmd := exec.Command("kstreamlab", append([]string{"connect", "standalone", "--log", "warn"}, args...)...)
	cmd.Dir = s.dir
	return cmd
}

// start starts a worker and reads what its sinks write, until so many lines are known.
func (s *standalone) start(until int, args ...string) (cmd *exec.Cmd, rest *bufio.Reader) {
	s.t.Helper()
	cmd = s.command(args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for len(s.seen) < until {
		if err := s.line(lines); err != nil {
			s.t.Fatalf("%d of %d lines: %v: %s", len(s.seen), until, err, &errs)
		}
	}
	return cmd, lines
}

// line reads a line and counts it. An end without a line end is none.
func (s *standalone) line(lines *bufio.Reader) error {
	line, err := lines.ReadString('\n')
	if err == nil {
		s.seen[strings.TrimSuffix(line, "\n")]++
	}
	return err
}

// count counts what a worker that has ended had written: it may have committed that.
func (s *standalone) count(lines *bufio.Reader) {
	for s.line(lines) == nil {
	}
}

// TestStandaloneSurvivesAKill copies lines through a topic by a worker that is killed on the way: the next one goes on, and no line is lost.
func TestStandaloneSurvivesAKill(t *testing.T) {
	cluster, err := fake.New(fake.Config{Topics: map[string]int{"lines": 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	s := &standalone{t: t, dir: t.TempDir(), seen: map[string]int{}}
	s.write("worker.properties", "bootstrap.servers="+strings.Join(cluster.Bootstrap(), ",")+`
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=String
offset.storage.file.filename=offsets
offset.flush.interval.ms=100
consumer.session.timeout.ms=6000
`)
	s.write("source.properties", "name=in\nconnector.class=FileStreamSource\nfile=input\ntopic=lines\nbatch.size=50\n")
	s.write("sink.json", `{"name": "out", "config": {"connector.class": "FileStreamSink", "topics": "lines", "consumer.override.max.poll.records": 100}}`)
	const n = 30_000 // more than a pipe holds: the first worker cannot come to the end
	var input strings.Builder
	for i := range n {
		fmt.Fprintf(&input, "line %d\n", i)
	}
	s.write("input", input.String())
	files := []string{"worker.properties", "source.properties", "sink.json"}
	cmd, rest := s.start(n/100, files...)

	text, err := s.command(files...).CombinedOutput()
	if want := "worker.properties: offset.storage.file.filename: offsets is in use by another worker"; err == nil || err.Error() != "exit status 1" || !strings.Contains(string(text), want) {
		t.Errorf("a second worker on the same offsets: %v: %s", err, text)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.count(rest)
	_ = cmd.Wait() // it was killed
	if len(s.seen) == n {
		t.Fatal("the first worker has copied everything")
	}
	cmd, rest = s.start(n, files...)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, rest); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	for i := range n {
		if s.seen[fmt.Sprintf("line %d", i)] == 0 {
			t.Fatalf("line %d is lost", i)
		}
	}
}

func TestStandaloneSaysThatThereIsNoCluster(t *testing.T) {
	s := &standalone{t: t, dir: t.TempDir()}
	s.write("worker.properties", "bootstrap.servers=127.0.0.1:1\nkey.converter=String\nvalue.converter=String\noffset.storage.file.filename=offsets\n")
	s.write("sink.json", `{"name": "out", "connector.class": "FileStreamSink", "topics": "lines"}`)
	text, err := s.command("worker.properties", "sink.json").CombinedOutput()
	const want = "kstreamlab: worker.properties: bootstrap.servers: cannot reach a cluster at 127.0.0.1:1: is it up, and is this its address?"
	if err == nil || err.Error() != "exit status 1" || !strings.HasPrefix(string(text), want) {
		t.Errorf("%v: %s", err, text)
	}
}
