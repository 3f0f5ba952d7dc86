package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A proc is an anchor that runs; it reports events as JSON lines on its standard output.
type proc struct {
	cmd   *exec.Cmd
	began time.Time
	mu    sync.Mutex
	seen  map[string]ev
	wake  chan struct{}
	eof   chan struct{}
}

type ev struct {
	Ev  string `json:"ev"`
	N   int64  `json:"n"`
	TMS int64  `json:"t_ms"`
	TUS int64  `json:"t_us"`
}

func spawn(argv []string) *proc {
	p := &proc{cmd: exec.Command(argv[0], argv[1:]...), seen: map[string]ev{}, wake: make(chan struct{}, 1), eof: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := os.OpenFile(filepath.Join(work(), "anchor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(err)
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	check(err)
	p.began = time.Now()
	check(p.cmd.Start())
	go func() {
		defer close(p.eof)
		s := bufio.NewScanner(out)
		for s.Scan() {
			var e ev
			if json.Unmarshal(s.Bytes(), &e) != nil || e.Ev == "" {
				fmt.Fprintln(log, s.Text())
				continue
			}
			p.mu.Lock()
			p.seen[e.Ev] = e
			p.mu.Unlock()
			select {
			case p.wake <- struct{}{}:
			default:
			}
		}
	}()
	return p
}

func (p *proc) get(name string) (ev, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.seen[name]
	return e, ok
}

func (p *proc) await(name string, limit time.Duration) ev {
	end := time.After(limit)
	for {
		if e, ok := p.get(name); ok {
			return e
		}
		select {
		case <-p.wake:
		case <-p.eof:
			if e, ok := p.get(name); ok {
				return e
			}
			p.stop()
			check(fmt.Errorf("%v ended before %q", p.cmd.Args[len(p.cmd.Args)-1], name))
		case <-end:
			p.stop()
			check(fmt.Errorf("no %q in %v", name, limit))
		}
	}
}

// stop ends it and says what it used: CPU seconds and peak resident megabytes.
func (p *proc) stop() result {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.eof:
	case <-time.After(40 * time.Second):
		p.cmd.Process.Kill()
		<-p.eof
	}
	p.cmd.Wait()
	r := result{}
	if s := p.cmd.ProcessState; s != nil {
		r["cpu_s"] = round((s.UserTime() + s.SystemTime()).Seconds(), 2)
		r["peak_rss_mb"] = s.SysUsage().(*syscall.Rusage).Maxrss / 1024
	}
	return r
}

func round(f float64, digits int) float64 {
	s := 1.0
	for range digits {
		s *= 10
	}
	return float64(int64(f*s+0.5)) / s
}

func work() string { return os.Getenv("BENCH_WORK") }

var runID = fmt.Sprintf("%d", time.Now().UnixNano()/1e6)

func javaCmd(class string, args ...string) []string {
	c := []string{"java", "-Xshare:auto", "-XX:-UsePerfData", "-Djava.io.tmpdir=" + work(), "-Dbench.run=" + runID,
		"-Dlog4j2.configurationFile=" + os.Getenv("BENCH_LOG4J"), "-cp", os.Getenv("BENCH_CLASSPATH"), class}
	return append(c, args...)
}

func streamsCmd(w, guarantee, threads string, n int64, extra ...string) []string {
	return javaCmd("bench.Streams", append([]string{w, boot(), "streams-" + w + "-" + runID, filepath.Join(work(), "state-"+runID),
		guarantee, threads, fmt.Sprint(n)}, extra...)...)
}

func goCmd(anchor, w, guarantee, threads string, n int64) []string {
	return []string{os.Args[0], anchor, w, boot(), anchor + "-" + w + "-" + runID, filepath.Join(work(), "state-"+runID), guarantee, fmt.Sprint(n), outTopic(w), threads}
}

func boot() string { return os.Getenv("BENCH_BOOTSTRAP") }
