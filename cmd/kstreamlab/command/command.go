// Package command is for having all commands of kstreamlab in a program of one's own, with connectors, converters, transforms and predicates of one's own
// in it: what Kafka Connect's plugin.path is for.
//
//	func main() { command.Main(command.Options{Plugins: register}) }
//
//	func register(p *connect.Plugins) {
//		p.RegisterTransform("com.example.Shout", func(connect.Host) connect.Transform { return &Shout{} })
//	}
package command

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams/declare"
)

// Exit codes.
const (
	exitFailed = 1 // a scenario does not hold, an application ended with an error
	exitUsage  = 2 // a wrong flag, file or name
)

// Options are what a program adds.
type Options struct {
	// Plugins registers plugins beside those of this module; nil: none. One of the same class and version takes the place of this module's. Commands call it
	// once or more often.
	Plugins func(p *connect.Plugins)
}

// plugins are all that there are.
func (o Options) plugins(std file.Standard) *connect.Plugins {
	p := builtin.Plugins(std)
	if o.Plugins != nil {
		o.Plugins(p)
	}
	return p
}

// Main runs the command line of this process and ends it with the exit code.
func Main(o Options) { os.Exit(Run(o, os.Args[1:], os.Stdout, os.Stderr)) }

// Run runs a command line, without the program's name, and returns its exit code: 0, 1 when what was asked for has failed, 2 when it was asked for wrongly.
func Run(o Options, args []string, out, errs io.Writer) int {
	root := newRoot(o)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.Execute()
	if err == nil {
		return 0
	}
	var failed *failedError
	if errors.As(err, &failed) {
		if failed.err != nil {
			fmt.Fprintln(errs, "kstreamlab:", failed.err)
		}
		return exitFailed
	}
	fmt.Fprintln(errs, usageText(err))
	return exitUsage
}

// usageText is an error on one line: as it is where it begins with a place in a file, else after the program's name.
func usageText(err error) string {
	var file *scenarios.FileError
	var app *declare.Error
	if errors.As(err, &file) || errors.As(err, &app) {
		return err.Error()
	}
	return "kstreamlab: " + err.Error()
}

// failedError is a failure that is not the caller's mistake. A nil err has been reported already.
type failedError struct{ err error }

func (e *failedError) Error() string {
	if e.err == nil {
		return "failed"
	}
	return e.err.Error()
}

func newRoot(o Options) *cobra.Command {
	root := &cobra.Command{
		Use:   "kstreamlab",
		Short: "Kafka Streams in Go, with a deterministic laboratory around it",
		Long: `kstreamlab runs stream processing applications (Kafka Streams, in Go) and scenarios that try them under faults.

A scenario runs in a simulated cluster under virtual time, where every run replays from its seed; on a fake cluster in process, over
the wire; or on a real cluster.`,
		Example: `  kstreamlab run scenarios/library/departures/scenario.yaml
  kstreamlab run scenario.yaml --seeds 1..100
  kstreamlab streams run app.yaml --bootstrap localhost:9092`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(o), newStreams(), newConnect(o), newBroker(), newConfig(), newSchema(), newVersion())
	return root
}
