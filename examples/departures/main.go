// Command departures is for showing a whole application in Go: the topology (topology.go), the program that runs it on a cluster, and a test
// that tries it under a crash (topology_test.go).
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/streams"
)

func main() {
	bootstrap := flag.String("bootstrap", "localhost:9092", "brokers to begin with")
	stateDir := flag.String("state-dir", os.TempDir(), "directory of the stores")
	flag.Parse()
	if err := run(*bootstrap, *stateDir); err != nil {
		log.Fatal(err)
	}
}

func run(bootstrap, stateDir string) error {
	topology, err := departures()
	if err != nil {
		return err
	}
	fmt.Print(topology.Describe())
	cfg, err := streams.ParseConfig(map[string]string{
		"application.id":       "departures",
		"bootstrap.servers":    bootstrap,
		"state.dir":            stateDir,
		"processing.guarantee": "exactly_once_v2",
	})
	if err != nil {
		return err
	}
	cluster, err := kafka.New(kafka.Config{Bootstrap: []string{bootstrap}})
	if err != nil {
		return err
	}
	defer cluster.Close()
	instance := streams.NewInstance(topology, cfg, cluster, nil)
	if err := instance.Start(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-ctx.Done()
		instance.Stop(true)
	}()
	return instance.Wait(context.Background())
}
