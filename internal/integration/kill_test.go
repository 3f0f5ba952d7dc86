//go:build integration

package integration_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/internal/integration"
)

var killRounds = flag.Int("kill.rounds", 3, "rounds of TestKilledProcesses")

// build makes the kstreamlab binary.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kstreamlab")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/kstreamlab").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// process is one `kstreamlab streams run`, with a state directory that outlives it.
type process struct {
	t           *testing.T
	binary, dir string
	job         *job
	cmd         *exec.Cmd
	log         *os.File
	ended       chan error
}

func newProcess(j *job, binary, name string) *process {
	p := &process{t: j.t, binary: binary, dir: filepath.Join(j.t.TempDir(), name), job: j}
	var err error
	p.log, err = os.Create(filepath.Join(j.t.TempDir(), name+".log"))
	j.must(err)
	j.t.Cleanup(p.clean)
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.binary, "streams", "run", p.job.file, "--bootstrap", strings.Join(integration.Bootstrap(), ","), "--set", "state.dir="+p.dir)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func(c *exec.Cmd) { ended <- c.Wait() }(p.cmd)
	p.ended = ended
}

func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatalf("the process is not there to be killed: %v", err)
	}
	var exit *exec.ExitError
	if err := <-p.ended; !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		p.t.Fatalf("the process did not end by the signal: %v", err)
	}
	p.cmd = nil
}

// terminate sends SIGTERM, and wants exit code 0.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("after SIGTERM: %v", err)
		}
	case <-time.After(30 * time.Second):
		p.t.Error("the process does not end after SIGTERM")
		return
	}
	p.cmd = nil
}

// clean ends a process that a failed test has left, and shows the log of it.
func (p *process) clean() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // it may have ended by itself
		<-p.ended
	}
	p.log.Close()
	if p.t.Failed() {
		text, err := os.ReadFile(p.log.Name())
		p.t.Logf("%s: %v\n%s", filepath.Base(p.log.Name()), err, text)
	}
}

// TestKilledProcesses runs the departures job with two real processes, one of which is killed with SIGKILL in the middle and
// comes back with the disk that it left. The final table is exact each time.
func TestKilledProcesses(t *testing.T) {
	binary := build(t)
	data := departuresData(t)
	want := recount(data, jobPartitions)
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := 1; round <= *killRounds; round++ {
		at, back := 10+rnd.IntN(70), 1+rnd.IntN(19)
		t.Run(fmt.Sprintf("round %d, killed at %d%%, back at %d%%", round, at, at+back), func(t *testing.T) {
			j := newJob(t, fmt.Sprintf("kill-%d-%d", os.Getpid(), round))
			both := []*process{newProcess(j, binary, "a"), newProcess(j, binary, "b")}
			for _, p := range both {
				p.start()
			}
			j.await(time.Minute, func() error { return j.members(4) })
			victim := both[round%2]
			j.write(data, 10*time.Second, map[int]func(){at: victim.kill, at + back: victim.start})
			j.await(time.Minute, j.committed)
			j.await(time.Minute, func() error { return j.members(4) })
			if d := cmp.Diff(want, j.table()); d != "" {
				t.Errorf("the final table (-want +got):\n%s", d)
			}
			for _, p := range both {
				p.terminate()
			}
		})
	}
}

// TestTerminatedProcess ends one of two processes with SIGTERM: it commits, leaves the group at once, and ends with code 0; the
// other one has everything within two seconds.
func TestTerminatedProcess(t *testing.T) {
	data := departuresData(t)
	j := newJob(t, fmt.Sprintf("term-%d", os.Getpid()))
	binary := build(t)
	a, b := newProcess(j, binary, "a"), newProcess(j, binary, "b")
	a.start()
	b.start()
	j.await(time.Minute, func() error { return j.members(4) })
	j.write(data, 5*time.Second, map[int]func(){50: func() {
		a.terminate()
		j.await(2*time.Second, func() error { return j.members(2) })
	}})
	j.await(time.Minute, j.committed)
	if d := cmp.Diff(recount(data, jobPartitions), j.table()); d != "" {
		t.Errorf("the final table (-want +got):\n%s", d)
	}
	b.terminate()
}
