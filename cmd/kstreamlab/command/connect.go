package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func newConnect(o Options) *cobra.Command {
	c := &cobra.Command{
		Use:   "connect",
		Short: "Connectors: data into and out of Kafka",
		Long: `Connectors: data into and out of Kafka.

A worker.properties and connectors' files that Kafka Connect runs are run here as they are. To try them without a cluster of your own, start
one with kstreamlab broker.`,
		Example: `  kstreamlab connect validate worker.properties file-source.properties
  kstreamlab connect standalone worker.properties file-source.properties file-sink.json`,
	}
	c.AddCommand(newConnectStandalone(o), newConnectValidate(o))
	return c
}

func newConnectStandalone(o Options) *cobra.Command {
	var f standaloneFlags
	c := &cobra.Command{
		Use:   "standalone WORKER.properties CONNECTOR...",
		Short: "Run connectors in one process until it is told to stop",
		Long: `Run connectors in one process until it is told to stop.

WORKER.properties has Kafka's properties of a standalone worker; bootstrap.servers, key.converter, value.converter and
offset.storage.file.filename are the ones to begin with. Each CONNECTOR is a file with a connector's configuration: Java properties, a flat JSON
object, or JSON with name, config and, if wanted, initial_state, as Kafka's REST interface takes it. Placeholders ${provider:path:key} are
resolved by the config providers that the worker's properties declare.

All files are checked before anything starts. A connector or task that fails later is logged with its stack trace; the others go on. What sources have
read is kept in the file of offsets, and what sinks have written in their group's offsets: a process that was killed goes on from there, and
repeats at most what was not committed yet (offset.flush.interval.ms). The partitions of a sink that was killed are free again when its session has
timed out (consumer.session.timeout.ms, 45 s).

The collector of memory runs after 128 MB of new objects at the earliest, as with a JVM's young generation, unless GOGC or GOMEMLIMIT is set.

SIGTERM or SIGINT commits what is done and ends with code 0. Exit code 1: the cluster cannot be reached, a configuration cannot be, or the file
of offsets is in use. 2: a wrong flag or file.`,
		Example: `  kstreamlab connect standalone worker.properties file-source.properties file-sink.json
  kstreamlab connect standalone --log warn --log-format json worker.properties sink.json`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: connectFiles,
		RunE:              func(c *cobra.Command, args []string) error { return runStandalone(c, o, args[0], args[1:], f) },
	}
	c.Flags().StringVar(&f.level, "log", "info", "log from this level on: debug, info, warn or error")
	c.Flags().StringVar(&f.format, "log-format", "text", "text, or json: an object a line")
	complete(c, "log", []string{"debug", "info", "warn", "error"})
	complete(c, "log-format", []string{"text", "json"})
	return c
}

// standaloneFlags are the flags of connect standalone.
type standaloneFlags struct{ level, format string }

func (f standaloneFlags) logger(w io.Writer) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(f.level)); err != nil {
		return nil, fmt.Errorf("--log %q: debug, info, warn or error is expected", f.level)
	}
	o := &slog.HandlerOptions{Level: l}
	switch f.format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("--log-format %q: text or json is expected", f.format)
}

// connectFiles completes the arguments: a worker's properties first, then connectors' files.
func connectFiles(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return []string{"properties"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return []string{"properties", "json"}, cobra.ShellCompDirectiveFilterFileExt
}

// connectConfig is what the files say.
type connectConfig struct {
	worker     *worker.Config
	providers  *worker.Providers
	connectors []connectorFile
}

// connectorFile is a connector's file.
type connectorFile struct {
	file  string
	props map[string]string // with placeholders
	state worker.State      // to begin with
}

func readConnect(h host.Host, plugins *connect.Plugins, workerFile string, connectorFiles []string) (*connectConfig, error) {
	props := map[string]string{}
	if err := readJavaProperties(workerFile, props); err != nil {
		return nil, err
	}
	var out connectConfig
	var err error
	if out.providers, err = worker.NewProviders(worker.Environment{FS: h.FS(), Getenv: os.LookupEnv, Host: h, Plugins: plugins}, props); err != nil {
		return nil, fmt.Errorf("%s: %w", workerFile, err)
	}
	if props, err = out.providers.Resolve(context.Background(), props); err != nil {
		return nil, fmt.Errorf("%s: %w", workerFile, err)
	}
	if out.worker, err = parseWorker(plugins, workerFile, props); err != nil {
		return nil, err
	}
	named := map[string]string{}
	for _, name := range connectorFiles {
		c, err := readConnector(name)
		if err != nil {
			return nil, err
		}
		if other, twice := named[c.props["name"]]; twice {
			return nil, fmt.Errorf("%s: name: %s has a connector of the name %q too: give each its own", name, other, c.props["name"])
		}
		named[c.props["name"]] = name
		out.connectors = append(out.connectors, c)
	}
	return &out, nil
}

// parseWorker reads a worker's properties; the error tells everything that is wrong, a line a property.
func parseWorker(plugins *connect.Plugins, file string, props map[string]string) (*worker.Config, error) {
	var lines []string
	for _, v := range worker.ConfigFaults(plugins, props) {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", file, v.Name, strings.Join(v.Errors, " ")))
	}
	if len(lines) > 0 {
		return nil, errors.New(strings.Join(lines, "\n"))
	}
	cfg, err := worker.ParseConfig(plugins, props)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return cfg, nil
}

// readConnector reads a connector's file in one of its three forms.
func readConnector(name string) (connectorFile, error) {
	c := connectorFile{file: name, props: map[string]string{}, state: worker.Running}
	text, err := os.ReadFile(name)
	if err != nil {
		return c, err
	}
	if filepath.Ext(name) != ".json" {
		return c, readJavaProperties(name, c.props)
	}
	return c, c.parse(text)
}

// parse reads a connector's JSON: name and config, as Kafka's REST interface takes it, or the properties themselves. Numbers and booleans are
// taken as their text, as Kafka does.
func (c *connectorFile) parse(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var whole map[string]any
	if err := d.Decode(&whole); err != nil {
		return fmt.Errorf("%s: a JSON object of properties is expected, or one with name and config: %w", c.file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: there is something after the JSON object: one connector a file", c.file)
	}
	props, prefix := whole, ""
	if config, ok := whole["config"].(map[string]any); ok {
		props, prefix = config, "config."
		if err := c.head(whole, config); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		switch v := props[k].(type) {
		case string:
			c.props[k] = v
		case json.Number:
			c.props[k] = v.String()
		case bool:
			c.props[k] = strconv.FormatBool(v)
		case nil: // as if it were not there
		default:
			return fmt.Errorf("%s: %s%s: a text, a number or a boolean is expected, not a list or an object", c.file, prefix, k)
		}
	}
	return nil
}

// head reads what stands beside config.
func (c *connectorFile) head(whole, config map[string]any) error {
	if name := whole["name"]; name != nil {
		if inner := config["name"]; inner != nil && inner != name {
			return fmt.Errorf("%s: config.name: %v is not name, %v: leave it out", c.file, inner, name)
		}
		config["name"] = name
	}
	for _, k := range slices.Sorted(maps.Keys(whole)) {
		switch k {
		case "name", "config":
		case "initial_state":
			state, _ := whole[k].(string)
			c.state = worker.State(strings.ToUpper(state))
			if c.state == worker.Running {
				continue
			}
			if c.state != worker.Paused && c.state != worker.Stopped {
				return fmt.Errorf("%s: initial_state: RUNNING, PAUSED or STOPPED is expected, not %v", c.file, whole[k])
			}
		default:
			return fmt.Errorf("%s: %s: only name, config and initial_state are expected: properties of the connector belong into config", c.file, k)
		}
	}
	return nil
}

func readJavaProperties(name string, into map[string]string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	all, err := worker.ParseProperties(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for k, v := range all {
		into[k] = v
	}
	return nil
}

func runStandalone(c *cobra.Command, o Options, workerFile string, connectorFiles []string, f standaloneFlags) error {
	log, err := f.logger(c.ErrOrStderr())
	if err != nil {
		return err
	}
	host.MakeRoom()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h := host.NewLive(ctx, host.LiveConfig{Name: "connect", Log: log})
	plugins := o.plugins(file.Standard{In: newStandardInput().read, Out: c.OutOrStdout()})
	files, err := readConnect(h, plugins, workerFile, connectorFiles)
	if err != nil {
		return err
	}
	if err := validateConnectors(ctx, c.ErrOrStderr(), plugins, files, printFaults); err != nil {
		return err
	}
	cfg := files.worker
	lock, err := h.FS().Lock(cfg.OffsetFile() + ".lock")
	if err != nil {
		return &failedError{fmt.Errorf("%s: offset.storage.file.filename: %s is in use by another worker, or cannot be written: give each worker a file of its own (%w)",
			workerFile, cfg.OffsetFile(), err)}
	}
	defer lock.Close() //nolint:errcheck // it ends with the process anyway
	store, err := worker.OpenOffsetFile(h, cfg.OffsetFile())
	if err != nil {
		return &failedError{fmt.Errorf("%s: offset.storage.file.filename: %w", workerFile, err)}
	}
	cluster, err := reach(ctx, h, workerFile, cfg)
	if err != nil {
		return err
	}
	defer cluster.Close()
	w := worker.New(h, cluster, plugins, cfg, store)
	w.UseProviders(files.providers)
	for _, x := range files.connectors {
		if x.state == worker.Stopped {
			log.Info("connect: not started, as initial_state says", "connector", x.props["name"])
			continue
		}
		if err := w.StartConnectorAs(ctx, x.props, x.state); err != nil {
			w.Stop(ctx)
			return &failedError{fmt.Errorf("%s: %s", x.file, data.Throwable(err))}
		}
		log.Info("connect: started", "connector", x.props["name"])
	}
	return untilSignal(ctx, log, w, files.providers)
}

// reach connects to the cluster, and finds out at once when it is not there.
func reach(ctx context.Context, h host.Host, workerFile string, cfg *worker.Config) (*kafka.Cluster, error) {
	bootstrap := cfg.Values.List("bootstrap.servers")
	cluster, err := kafka.New(kafka.Config{Host: h, Bootstrap: bootstrap, Properties: cfg.ClientProperties()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", workerFile, err)
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if _, err := cluster.Admin().DescribeTopics(ctx); err != nil {
		cluster.Close()
		return nil, &failedError{fmt.Errorf("%s: bootstrap.servers: cannot reach a cluster at %s: is it up, and is this its address? (%w)",
			workerFile, strings.Join(bootstrap, ","), err)}
	}
	return cluster, nil
}

const reachTimeout = 15 * time.Second

// untilSignal waits for a signal and stops the worker.
func untilSignal(ctx context.Context, log *slog.Logger, w *worker.Worker, providers *worker.Providers) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	log.Info("connect: stopping", "signal", (<-signals).String())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.Stop(ctx)
	}()
	select {
	case <-stopped:
		log.Info("connect: stopped")
		return asFailure(providers.Close())
	case <-signals:
		return &failedError{errors.New("stopped at once by a second signal")}
	}
}
