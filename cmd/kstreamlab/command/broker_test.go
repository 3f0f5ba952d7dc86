package command

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// startBroker starts the command and returns the line that it says, and how long that took.
func startBroker(t *testing.T, args ...string) (cmd *exec.Cmd, line string, took time.Duration) {
	t.Helper()
	cmd = exec.Command("kstreamlab", append([]string{"broker"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("it says nothing: %v", err)
	}
	return cmd, line, time.Since(began)
}

// stopBroker stops it by a signal, and wants exit code 0 and nothing more said.
func stopBroker(t *testing.T, cmd *exec.Cmd, signal syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after %v: %v", signal, err)
	}
}

func TestBrokerStartsAtOnceAndSaysWhere(t *testing.T) {
	var best time.Duration
	for range 5 {
		cmd, line, took := startBroker(t, "--port", "0", "--topics", "a:6,b:3")
		m := regexp.MustCompile(`^kstreamlab: 1 broker listens on (127\.0\.0\.1:\d+)\n$`).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("it says %q", line)
		}
		conn, err := net.Dial("tcp", m[1])
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		stopBroker(t, cmd, syscall.SIGTERM)
		if best == 0 || took < best {
			best = took
		}
	}
	t.Logf("it listens after %s at best", best)
}

func TestBrokersKeepTheirData(t *testing.T) {
	dir := t.TempDir()
	for round, topics := range []string{"a:6", "a:2,b:3"} { // what is there stays as it is
		cmd, line, _ := startBroker(t, "--port", "0", "--brokers", "3", "--data", dir, "--topics", topics, "--json")
		var said struct {
			Bootstrap string
			Brokers   []string
			PID       int
		}
		if err := json.Unmarshal([]byte(line), &said); err != nil || len(said.Brokers) != 3 || said.Bootstrap != strings.Join(said.Brokers, ",") || said.PID != cmd.Process.Pid {
			t.Fatalf("it says %q: %v", line, err)
		}
		if n := partitions(t, said.Brokers, "a"); n != 6 {
			t.Errorf("round %d: a has %d partitions", round, n)
		}
		if n := partitions(t, said.Brokers, "b"); n != 3*round {
			t.Errorf("round %d: b has %d partitions", round, n)
		}
		stopBroker(t, cmd, syscall.SIGINT)
	}
}

func partitions(t *testing.T, brokers []string, topic string) int {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &topic
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(t.Context(), cl)
	if err != nil {
		t.Fatal(err)
	}
	return len(resp.Topics[0].Partitions)
}

func TestBrokerSaysThatAPortIsTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	if code := Run(Options{}, []string{"broker", "--port", port}, io.Discard, &errs); code != exitFailed || errs.String() != "kstreamlab: 127.0.0.1:"+port+" is taken: give --port another number, or 0 for a free one\n" {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}
