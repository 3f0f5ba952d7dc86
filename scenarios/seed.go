package scenarios

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// RunSeed runs a scenario under one seed. In the simulator it runs twice, and the traces are compared.
func RunSeed(s *Scenario, o Options, seed uint64) (*Verdict, error) {
	if o.On == "" {
		o.On = Simulated
	}
	undisturbed, err := runUndisturbed(s, o, seed)
	if err != nil {
		return nil, err
	}
	first, err := once(s, o, seed, 1, undisturbed)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Scenario: s.Name, On: o.On, Seed: seed, TraceHash: first.hash, Virtual: first.virtual, Wall: first.wall, Records: first.records,
		Steps: first.steps, Findings: first.findings, tables: first.tables}
	if o.On != Simulated {
		return v, nil
	}
	o.Trace = nil // the first run's is enough
	second, err := once(s, o, seed, 2, undisturbed)
	if err != nil {
		return nil, fmt.Errorf("second run of seed %d: %w", seed, err)
	}
	if first.hash != second.hash {
		v.Differs = firstDifference(s, o, seed, first.hash, second.hash, undisturbed)
	}
	return v, nil
}

// firstDifference runs the seed again, twice, side by side, and finds the first event in which the runs differ.
func firstDifference(s *Scenario, o Options, seed uint64, h1, h2 string, undisturbed map[string][]partitionLog) string {
	o.Progress = nil
	a, b := retrace(s, o, seed, undisturbed), retrace(s, o, seed, undisturbed)
	defer a.close()
	defer b.close()
	for n := 1; ; n++ {
		okA, okB := a.lines.Scan(), b.lines.Scan()
		if !okA && !okB {
			return fmt.Sprintf("trace hashes %s and %s; two further runs were alike in all %d events", h1, h2, n-1)
		}
		if !bytes.Equal(a.lines.Bytes(), b.lines.Bytes()) {
			return fmt.Sprintf("trace hashes %s and %s; first difference of two further runs at event %d:\n           %s\n           %s", h1, h2, n, a.text(okA), b.text(okB))
		}
	}
}

// retracing is a run whose trace is read while it goes on.
type retracing struct {
	lines *bufio.Scanner
	r     *io.PipeReader
	ended chan struct{}
}

func retrace(s *Scenario, o Options, seed uint64, undisturbed map[string][]partitionLog) *retracing {
	r, w := io.Pipe()
	t := &retracing{lines: bufio.NewScanner(r), r: r, ended: make(chan struct{})}
	t.lines.Buffer(nil, maxLine)
	o.Trace = w
	go func() {
		defer close(t.ended)
		_, err := once(s, o, seed, 3, undisturbed)
		w.CloseWithError(err)
	}()
	return t
}

func (t *retracing) text(more bool) string {
	if more {
		return t.lines.Text()
	}
	if err := t.lines.Err(); err != nil {
		return fmt.Sprintf("(the run failed: %v)", err)
	}
	return "(the run has ended)"
}

// close waits for the run, which goes on unread.
func (t *retracing) close() {
	t.r.Close()
	<-t.ended
}

// RunSeeds runs a range of seeds, several side by side in the simulator, and gives each verdict to done in the order of the seeds. It
// stops early when ctx ends.
func RunSeeds(ctx context.Context, s *Scenario, o Options, from, to uint64, done func(*Verdict, error)) {
	workers := 1
	if o.On == "" || o.On == Simulated {
		workers = runtime.GOMAXPROCS(0)
	}
	type outcome struct {
		v   *Verdict
		err error
	}
	n := to - from + 1
	results := make([]chan outcome, n)
	for i := range results {
		results[i] = make(chan outcome, 1)
	}
	var next uint64
	var mu sync.Mutex
	for range workers {
		go func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= n {
					return
				}
				if ctx.Err() != nil {
					results[i] <- outcome{nil, ctx.Err()}
					continue
				}
				v, err := RunSeed(s, o, from+i)
				results[i] <- outcome{v, err}
			}
		}()
	}
	for _, c := range results {
		r := <-c
		done(r.v, r.err)
	}
}
