package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/declare"
)

func newStreams() *cobra.Command {
	c := &cobra.Command{Use: "streams", Short: "Stream processing applications"}
	c.AddCommand(newStreamsRun(), newStreamsDescribe(), newStreamsExplain(), newStreamsConfig())
	return c
}

type streamsFlags struct {
	bootstrap, config, logLevel string
	set                         []string
}

func newStreamsRun() *cobra.Command {
	var f streamsFlags
	c := &cobra.Command{
		Use:   "run APP.yaml",
		Short: "Run an application on a cluster until it is told to stop",
		Long: `Run an application on a cluster until it is told to stop.

SIGTERM or SIGINT commits what is processed, closes the tasks, leaves the group and ends with code 0; a second one ends at once.
Properties come from the file itself, then --config, then --set; later ones win. Exit code 1: the application failed. 2: a wrong flag,
file or topic.`,
		Example: `  kstreamlab streams run app.yaml --bootstrap localhost:9092
  kstreamlab streams run app.yaml --config streams.properties --set num.stream.threads=4 --set state.dir=/var/lib/app`,
		Args: oneFile("an app file"),
		RunE: func(c *cobra.Command, args []string) error { return runApp(c, args[0], f) },
	}
	c.Flags().StringVar(&f.bootstrap, "bootstrap", "", "brokers to begin with, HOST:PORT,...: bootstrap.servers")
	c.Flags().StringVar(&f.config, "config", "", "a .properties file with Kafka Streams properties")
	c.Flags().StringArrayVar(&f.set, "set", nil, "NAME=VALUE: one property")
	c.Flags().StringVar(&f.logLevel, "log", "info", "log from this level on: debug, info, warn or error")
	return c
}

func newStreamsConfig() *cobra.Command {
	return &cobra.Command{
		Use:     "config",
		Short:   "List the properties of an application",
		Example: "  kstreamlab streams config",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(c.OutOrStdout(), streams.PropertyDocs())
			return err
		},
	}
}

func loadApp(name string) (*declare.App, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return declare.Parse(name, data)
}

// properties puts the sources of properties over one another.
func (f streamsFlags) properties(app *declare.App) (map[string]string, error) {
	props := maps.Clone(app.Config)
	if f.config != "" {
		if err := readProperties(f.config, props); err != nil {
			return nil, err
		}
	}
	for _, s := range f.set {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("--set %q: NAME=VALUE is expected", s)
		}
		props[k] = v
	}
	if f.bootstrap != "" {
		props["bootstrap.servers"] = f.bootstrap
	}
	if props["application.id"] != app.Name {
		return nil, fmt.Errorf("application.id %q is not the app's name, %q: leave it out", props["application.id"], app.Name)
	}
	if props["bootstrap.servers"] == "" {
		return nil, errors.New("no brokers: give --bootstrap HOST:PORT, or the property bootstrap.servers")
	}
	if props["state.dir"] == "" {
		props["state.dir"] = filepath.Join(os.TempDir(), "kafka-streams")
	}
	return props, nil
}

// readProperties reads a Java properties file: NAME=VALUE or NAME: VALUE lines, comments with # or !, a backslash at the end of a line that
// goes on.
func readProperties(name string, into map[string]string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	held := ""
	for n := 1; in.Scan(); n++ {
		line := held + strings.TrimLeft(in.Text(), " \t\f")
		held = ""
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		if strings.HasSuffix(line, `\`) {
			held = strings.TrimSuffix(line, `\`)
			continue
		}
		i := strings.IndexAny(line, "=:")
		if i <= 0 {
			return fmt.Errorf("%s:%d:1: NAME=VALUE is expected, not %q", name, n, line)
		}
		into[strings.TrimSpace(line[:i])] = strings.TrimSpace(line[i+1:])
	}
	return in.Err()
}

func runApp(c *cobra.Command, name string, f streamsFlags) error {
	app, err := loadApp(name)
	if err != nil {
		return err
	}
	props, err := f.properties(app)
	if err != nil {
		return err
	}
	cfg, err := streams.ParseConfig(props)
	if err != nil {
		return fmt.Errorf("%s: %s", name, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	log, err := logger(f.logLevel, c.ErrOrStderr())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h := host.NewLive(ctx, host.LiveConfig{Name: app.Name, Log: log})
	cluster, err := kafka.New(kafka.Config{Host: h, Properties: clientProperties(props)})
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := checkTopics(ctx, cluster, app, log); err != nil {
		return err
	}
	return serve(ctx, app, streams.NewInstance(app.Topology, cfg, cluster, h), log)
}

// clientProperties are those of the properties that are for clients, with their prefixes. The instance says which client is which.
func clientProperties(props map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range props { // into a map again
		prefix, rest := property.Split(name)
		if _, known := property.Lookup(rest); prefix != "" || known {
			out[name] = value
		}
	}
	delete(out, "client.id")
	return out
}

// topicWait is how long a topic may be missing: brokers learn of a new one after the other.
const topicWait = 5 * time.Second

// checkTopics finds missing topics before anything starts, and says where the file names them.
func checkTopics(ctx context.Context, cluster broker.Cluster, app *declare.App, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	topics := append(append([]string(nil), app.InputTopics...), app.OutputTopics...)
	for began := time.Now(); ; time.Sleep(topicWait / 20) {
		have, err := cluster.Admin().DescribeTopics(ctx, topics...)
		if err != nil {
			return &failedError{fmt.Errorf("cannot reach the cluster: %w", err)}
		}
		i := slices.IndexFunc(topics, func(t string) bool { _, ok := have[t]; return !ok })
		if i < 0 {
			return nil
		}
		if time.Since(began) >= topicWait {
			p := app.Places[topics[i]]
			return &declare.Error{File: p.File, Line: p.Line, Column: p.Column, Text: fmt.Sprintf("topic %q does not exist on the cluster: create it before the application starts", topics[i])}
		}
		log.Debug("streams: waiting for a topic", "topic", topics[i])
	}
}

// serve runs an instance until a signal or its own end.
func serve(ctx context.Context, app *declare.App, inst *streams.Instance, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	if err := inst.Start(); err != nil {
		return &failedError{err}
	}
	log.Info("streams: started", "application", app.Name)
	ended := make(chan error, 1)
	go func() { ended <- inst.Wait(ctx) }()
	select {
	case err := <-ended:
		return asFailure(err)
	case s := <-signals:
		log.Info("streams: stopping", "signal", s.String())
		inst.Stop(true)
	}
	select {
	case err := <-ended:
		if err == nil {
			log.Info("streams: stopped", "application", app.Name)
		}
		return asFailure(err)
	case s := <-signals:
		return &failedError{fmt.Errorf("a second signal (%s) before the application had stopped", s)}
	}
}

func asFailure(err error) error {
	if err == nil {
		return nil
	}
	return &failedError{err}
}
