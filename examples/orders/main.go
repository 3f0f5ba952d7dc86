// Command orders is for showing the whole order processing application: enrichment by a table, branches, tumbling, hopping and session windows, exactly once. See
// README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/streams"
)

func main() {
	bootstrap := flag.String("bootstrap", "localhost:9092", "brokers to begin with")
	stateDir := flag.String("state-dir", filepath.Join(os.TempDir(), "kafka-streams"), "directory of the stores")
	eventTime := flag.Bool("event-time", false, "take the records' own times instead of the clock")
	cleanUp := flag.Bool("clean-up", false, "remove the local state at the end")
	flag.Parse()
	if err := run(strings.Split(*bootstrap, ","), *stateDir, Options{EventTime: *eventTime}, *cleanUp); err != nil {
		log.Fatal(err)
	}
}

// properties are those of the application.
func properties(bootstrap []string, stateDir string) map[string]string {
	return map[string]string{
		"application.id":            "order-processing-app",
		"bootstrap.servers":         strings.Join(bootstrap, ","),
		"processing.guarantee":      "exactly_once_v2",
		"state.dir":                 stateDir,
		"commit.interval.ms":        "1000",
		"cache.max.bytes.buffering": "10485760", // the old name of statestore.cache.max.bytes
		"num.stream.threads":        "4",
	}
}

func run(bootstrap []string, stateDir string, o Options, cleanUp bool) error {
	topology, err := orderProcessing(o)
	if err != nil {
		return err
	}
	fmt.Print(topology.Describe())
	cfg, err := streams.ParseConfig(properties(bootstrap, stateDir))
	if err != nil {
		return err
	}
	cluster, err := kafka.New(kafka.Config{Bootstrap: bootstrap})
	if err != nil {
		return err
	}
	defer cluster.Close()
	app := streams.NewInstance(topology, cfg, cluster, nil)
	if err := app.Start(); err != nil {
		return err
	}
	if err := untilSignal(app, 30*time.Second); err != nil || !cleanUp {
		return err
	}
	return app.CleanUp()
}

// untilSignal waits for the end of the application. SIGTERM and SIGINT stop it: it has that long to finish what it has in hand.
func untilSignal(app *streams.Instance, within time.Duration) error {
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := app.Wait(signals)
	if !errors.Is(err, context.Canceled) {
		return err // it has ended by itself
	}
	app.Stop(true)
	closing, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return app.Wait(closing)
}
