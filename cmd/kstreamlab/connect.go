package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func newConnect() *cobra.Command {
	c := &cobra.Command{Use: "connect", Short: "Connectors: data into and out of Kafka"}
	c.AddCommand(newConnectStandalone(), newConnectValidate())
	return c
}

func newConnectStandalone() *cobra.Command {
	var logLevel string
	c := &cobra.Command{
		Use:   "standalone WORKER.properties CONNECTOR...",
		Short: "Run connectors in one process until it is told to stop",
		Long: `Run connectors in one process until it is told to stop.

WORKER.properties has Kafka's properties of a standalone worker. Each CONNECTOR is a file with a connector's configuration: Java properties,
a flat JSON object, or JSON with name and config as Kafka's REST interface takes it. Placeholders ${provider:path:key} are resolved by the
config providers that the worker's properties declare.

SIGTERM or SIGINT commits what is done and ends with code 0. Exit code 1: a connector cannot be started. 2: a wrong flag or file.`,
		Example: `  kstreamlab connect standalone worker.properties file-source.properties file-sink.json`,
		Args:    cobra.MinimumNArgs(2),
		RunE:    func(c *cobra.Command, args []string) error { return runStandalone(c, args[0], args[1:], logLevel) },
	}
	c.Flags().StringVar(&logLevel, "log", "info", "log from this level on: debug, info, warn or error")
	return c
}

// connectConfig is what the files say, with placeholders resolved.
type connectConfig struct {
	worker     map[string]string
	connectors []map[string]string
}

func readConnect(h host.Host, workerFile string, connectorFiles []string) (*connectConfig, error) {
	props := map[string]string{}
	if err := readJavaProperties(workerFile, props); err != nil {
		return nil, err
	}
	env := worker.Environment{FS: h.FS(), Getenv: os.LookupEnv}
	providers, err := worker.NewProviders(env, props)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", workerFile, err)
	}
	var out connectConfig
	if out.worker, err = providers.Resolve(props); err != nil {
		return nil, fmt.Errorf("%s: %w", workerFile, err)
	}
	for _, name := range connectorFiles {
		raw, err := readConnector(name)
		if err != nil {
			return nil, err
		}
		resolved, err := providers.Resolve(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.connectors = append(out.connectors, resolved)
	}
	return &out, nil
}

// readConnector reads a connector's file in one of its three forms.
func readConnector(name string) (map[string]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(name) != ".json" {
		props := map[string]string{}
		return props, readJavaProperties(name, props)
	}
	return parseConnector(name, text)
}

// parseConnector reads a connector's JSON: name and config, as Kafka's REST interface takes it, or the properties themselves. Numbers and booleans are
// taken as their text, as Kafka does.
func parseConnector(file string, text []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var whole map[string]any
	if err := d.Decode(&whole); err != nil {
		return nil, fmt.Errorf("%s: a JSON object of properties is expected, or one with name and config: %w", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is something after the JSON object: one connector a file", file)
	}
	props, prefix := whole, ""
	if config, ok := whole["config"].(map[string]any); ok {
		props, prefix = config, "config."
		if _, named := props["name"]; !named && whole["name"] != nil {
			props["name"] = whole["name"]
		}
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		switch v := props[k].(type) {
		case string:
			out[k] = v
		case json.Number:
			out[k] = v.String()
		case bool:
			out[k] = strconv.FormatBool(v)
		case nil: // as if it were not there
		default:
			return nil, fmt.Errorf("%s: %s%s: a text, a number or a boolean is expected, not a list or an object", file, prefix, k)
		}
	}
	return out, nil
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

func runStandalone(c *cobra.Command, workerFile string, connectorFiles []string, logLevel string) error {
	log, err := logger(logLevel, c.ErrOrStderr())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h := host.NewLive(ctx, host.LiveConfig{Name: "connect", Log: log})
	files, err := readConnect(h, workerFile, connectorFiles)
	if err != nil {
		return err
	}
	plugins := builtin.Plugins(file.Standard{In: newStandardInput().read, Out: c.OutOrStdout()})
	cfg, err := worker.ParseConfig(plugins, files.worker)
	if err != nil {
		return fmt.Errorf("%s: %w", workerFile, err)
	}
	store, err := worker.OpenOffsetFile(h, cfg.OffsetFile())
	if err != nil {
		return err
	}
	cluster, err := kafka.New(kafka.Config{Host: h, Bootstrap: cfg.Values.List("bootstrap.servers"), Properties: cfg.ClientProperties()})
	if err != nil {
		return fmt.Errorf("%s: %w", workerFile, err)
	}
	defer cluster.Close()
	w := worker.New(h, cluster, plugins, cfg, store)
	for i, props := range files.connectors {
		if err := w.StartConnector(props); err != nil {
			w.Stop(ctx)
			return &failedError{fmt.Errorf("%s: %s", connectorFiles[i], data.Throwable(err))}
		}
		log.Info("connect: started", "connector", props["name"])
	}
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
		return nil
	case <-signals:
		return &failedError{errors.New("stopped at once by a second signal")}
	}
}
