package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

type runFlags struct {
	on, bootstrap, seeds, jsonFile, traceFile, logLevel string
	seed                                                uint64
	export                                              []string
	recreate, quiet                                     bool
}

func newRun(o Options) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SCENARIO.yaml",
		Short: "Run a scenario and check what it expects",
		Long: `Run a scenario and check what it expects.

In the simulator each seed runs twice, and the traces of both runs must be equal. On a fake or real cluster the workload is written at
full speed, and faults come when it has reached their moment.

Exit code 0: everything holds. 1: an expectation does not, or a run failed. 2: a wrong flag or file.`,
		Example: `  kstreamlab run scenarios/library/departures/scenario.yaml
  kstreamlab run scenario.yaml --seed 7 --json verdict.json --export departures-per-hour=table.jsonl
  kstreamlab run scenario.yaml --seeds 1..500
  kstreamlab run scenario.yaml --on fake
  kstreamlab run scenario.yaml --on kafka --bootstrap localhost:9092`,
		Args: oneFile("a scenario file"),
		RunE: func(c *cobra.Command, args []string) error { return runScenario(c, o, args[0], f) },
	}
	c.Flags().StringVar(&f.on, "on", "simulated", "where: simulated, fake or kafka")
	c.Flags().StringVar(&f.bootstrap, "bootstrap", "", "brokers of the real cluster, HOST:PORT,...")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "the seed")
	c.Flags().StringVar(&f.seeds, "seeds", "", "a range of seeds, A..B")
	c.Flags().StringVar(&f.jsonFile, "json", "", "write the verdict to a file as JSON (a list with --seeds); - is standard output")
	c.Flags().StringArrayVar(&f.export, "export", nil, "TOPIC=FILE: write the topic's final table, one JSON object a line")
	c.Flags().StringVar(&f.traceFile, "trace", "", "write every event to a file, one a line; - is standard error")
	c.Flags().StringVar(&f.logLevel, "log", "", "print the engine's log from this level on: debug, info, warn or error")
	c.Flags().BoolVar(&f.recreate, "recreate", false, "on a real cluster: delete the scenario's topics and groups if they exist")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "no progress")
	must(c.RegisterFlagCompletionFunc("on", cobra.FixedCompletions([]string{"simulated", "fake", "kafka"}, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

func must(err error) {
	if err != nil {
		panic(err) // a flag of that name is not there: a mistake of this file
	}
}

func oneFile(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s needs %s, and got %d arguments: see %s --help", c.CommandPath(), what, len(args), c.CommandPath())
		}
		return nil
	}
}

// splitFile is a file's directory as a file system, and its name in it. Files named with ".." from there are out of reach, by fs.FS's
// rules: the file system begins high enough.
func splitFile(name string) (fs.FS, string) {
	if filepath.IsAbs(name) || strings.HasPrefix(filepath.Clean(name), "..") {
		abs, err := filepath.Abs(name)
		if err == nil {
			return os.DirFS("/"), strings.TrimPrefix(filepath.ToSlash(abs), "/")
		}
	}
	return os.DirFS("."), filepath.ToSlash(filepath.Clean(name))
}

func logger(level string, w io.Writer) (*slog.Logger, error) {
	if level == "" {
		return nil, nil
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log %q: debug, info, warn or error is expected", level)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}

func runScenario(c *cobra.Command, own Options, name string, f runFlags) error {
	exports, err := parseExports(f.export)
	if err != nil {
		return err
	}
	from, to, err := seedRange(f)
	if err != nil {
		return err
	}
	o := scenarios.Options{On: scenarios.On(f.on), Bootstrap: f.bootstrap, Recreate: f.recreate}
	switch {
	case !slices.Contains([]scenarios.On{scenarios.Simulated, scenarios.Fake, scenarios.Kafka}, o.On):
		return fmt.Errorf("--on %q: simulated, fake or kafka is expected", f.on)
	case o.On == scenarios.Kafka && f.bootstrap == "":
		return errors.New("--on kafka needs --bootstrap HOST:PORT")
	case o.On != scenarios.Kafka && f.bootstrap != "":
		return fmt.Errorf("--bootstrap is for --on kafka, not for --on %s", f.on)
	}
	if o.Log, err = logger(f.logLevel, c.ErrOrStderr()); err != nil {
		return err
	}
	fsys, path := splitFile(name)
	s, err := scenarios.LoadWithPlugins(fsys, path, func() *connect.Plugins { return own.plugins(file.Standard{}) })
	if err != nil {
		return err
	}
	for _, e := range exports {
		if !slices.ContainsFunc(s.Topics, func(t scenarios.Topic) bool { return t.Name == e.topic }) {
			return fmt.Errorf("--export %s: the scenario has no such topic", e.topic)
		}
		o.Export = append(o.Export, e.topic)
	}
	closeTrace, err := openTrace(&o, f.traceFile, c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer closeTrace()
	r := &runner{c: c, f: f, o: o, exports: exports, progress: newProgress(c.ErrOrStderr(), f.quiet)}
	return r.run(s, from, to)
}

func openTrace(o *scenarios.Options, name string, errs io.Writer) (func(), error) {
	switch name {
	case "":
		return func() {}, nil
	case "-":
		o.Trace = errs
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	o.Trace = f
	return func() { _ = f.Close() }, nil // a trace is a by-product
}

// runner runs the seeds and reports.
type runner struct {
	c        *cobra.Command
	f        runFlags
	o        scenarios.Options
	exports  []export
	progress *progress
	verdicts []*scenarios.Verdict
	failed   []uint64
	err      error
}

func (r *runner) run(s *scenarios.Scenario, from, to uint64) error {
	out := r.c.OutOrStdout()
	if r.f.seeds == "" {
		r.o.Progress = r.progress.show
	}
	began := time.Now()
	done := 0
	scenarios.RunSeeds(r.c.Context(), s, r.o, from, to, func(v *scenarios.Verdict, err error) {
		done++
		r.progress.clear()
		if err != nil {
			if r.err == nil {
				r.err = err
			}
			r.failed = append(r.failed, from+uint64(done-1))
			fmt.Fprintf(out, "seed %d: %v\n", from+uint64(done-1), err)
			return
		}
		r.verdicts = append(r.verdicts, v)
		if !v.Pass() {
			r.failed = append(r.failed, v.Seed)
		}
		if r.f.seeds == "" || !v.Pass() {
			_ = v.Write(out) // standard output: nothing to do about it
		}
		if r.f.seeds != "" {
			r.progress.line(fmt.Sprintf("%d of %d seeds, %d failed, %s", done, to-from+1, len(r.failed), time.Since(began).Round(time.Second)))
		}
	})
	r.progress.clear()
	var usage *scenarios.UsageError
	if errors.As(r.err, &usage) {
		return r.err
	}
	if err := r.write(); err != nil {
		return err
	}
	if r.f.seeds != "" {
		r.summary(out, from, to, time.Since(began))
	}
	if len(r.failed) > 0 {
		fmt.Fprintf(out, "replay: kstreamlab run %s --seed %d%s\n", r.c.Flags().Arg(0), r.failed[0], onFlags(r.f))
		return &failedError{}
	}
	return nil
}

func onFlags(f runFlags) string {
	if f.on == "simulated" {
		return ""
	}
	s := " --on " + f.on
	if f.bootstrap != "" {
		s += " --bootstrap " + f.bootstrap
	}
	return s
}

func (r *runner) summary(out io.Writer, from, to uint64, wall time.Duration) {
	var virtual, runs time.Duration
	for _, v := range r.verdicts {
		virtual += v.Virtual
		runs += v.Wall
	}
	fmt.Fprintf(out, "%d seeds (%d..%d): %d passed, %d failed; wall time %s", to-from+1, from, to, len(r.verdicts)-len(r.failedVerdicts()), len(r.failed), wall.Round(time.Millisecond))
	if r.o.On == scenarios.Simulated && runs > 0 {
		fmt.Fprintf(out, ", each run twice with equal traces; virtual to wall time of a run %.0f", virtual.Seconds()/runs.Seconds())
	}
	fmt.Fprintln(out)
}

func (r *runner) failedVerdicts() (out []*scenarios.Verdict) {
	for _, v := range r.verdicts {
		if !v.Pass() {
			out = append(out, v)
		}
	}
	return out
}

// write writes the JSON verdict and the exported tables.
func (r *runner) write() error {
	if r.f.jsonFile != "" {
		var v any = r.verdicts
		if r.f.seeds == "" {
			if len(r.verdicts) == 0 {
				return &failedError{r.err}
			}
			v = r.verdicts[0]
		}
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		if err := writeFile(r.f.jsonFile, append(b, '\n'), r.c.OutOrStdout()); err != nil {
			return err
		}
	}
	for _, e := range r.exports {
		if len(r.verdicts) == 0 {
			return &failedError{r.err}
		}
		t, ok := r.verdicts[0].Table(e.topic)
		if !ok {
			return fmt.Errorf("--export %s: the run left no such table", e.topic)
		}
		var b bytes.Buffer
		if err := t.WriteJSON(&b); err != nil {
			return err
		}
		if err := writeFile(e.file, b.Bytes(), r.c.OutOrStdout()); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(name string, b []byte, out io.Writer) error {
	if name == "-" {
		_, err := out.Write(b)
		return err
	}
	return os.WriteFile(name, b, 0o644)
}

type export struct{ topic, file string }

func parseExports(list []string) (out []export, err error) {
	for _, e := range list {
		topic, file, ok := strings.Cut(e, "=")
		if !ok || topic == "" || file == "" {
			return nil, fmt.Errorf("--export %q: TOPIC=FILE is expected", e)
		}
		out = append(out, export{topic, file})
	}
	return out, nil
}

func seedRange(f runFlags) (from, to uint64, err error) {
	if f.seeds == "" {
		return f.seed, f.seed, nil
	}
	a, b, ok := strings.Cut(f.seeds, "..")
	from, err1 := strconv.ParseUint(a, 10, 64)
	to, err2 := strconv.ParseUint(b, 10, 64)
	if !ok || err1 != nil || err2 != nil || to < from || to-from >= 1_000_000 {
		return 0, 0, fmt.Errorf("--seeds %q: A..B is expected, two whole numbers, at most a million seeds", f.seeds)
	}
	return from, to, nil
}
