// Command fraud is for showing the Processor API: a key-value store and a window store, punctuation by the clock, and rules over both. See README.md.
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
	flag.Parse()
	if err := run(strings.Split(*bootstrap, ","), *stateDir); err != nil {
		log.Fatal(err)
	}
}

// properties are those of the application.
func properties(bootstrap []string, stateDir string) map[string]string {
	return map[string]string{
		"application.id":       "fraud-detection",
		"bootstrap.servers":    strings.Join(bootstrap, ","),
		"processing.guarantee": "exactly_once_v2",
		"state.dir":            stateDir,
	}
}

func run(bootstrap []string, stateDir string) error {
	topology, err := fraudDetection()
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
	signals, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := app.Wait(signals); !errors.Is(err, context.Canceled) {
		return err // it has ended by itself
	}
	app.Stop(true)
	closing, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return app.Wait(closing)
}
