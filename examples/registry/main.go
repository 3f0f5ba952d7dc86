// Command registry is for showing Avro with a Schema Registry: generic records in, records of an evolved schema out, a windowed count, and a registry that
// asks for a password. See README.md.
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
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

func main() {
	bootstrap := flag.String("bootstrap", "localhost:9092", "brokers to begin with")
	registry := flag.String("registry", "http://localhost:8081", "address of the Schema Registry")
	user := flag.String("user-info", os.Getenv("SCHEMA_REGISTRY_USER_INFO"), "USER:PASSWORD for the registry; default: SCHEMA_REGISTRY_USER_INFO of the environment")
	stateDir := flag.String("state-dir", filepath.Join(os.TempDir(), "kafka-streams"), "directory of the stores")
	flag.Parse()
	if err := run(properties(strings.Split(*bootstrap, ","), *stateDir, *registry, *user)); err != nil {
		log.Fatal(err)
	}
}

// properties are those of the application and of its serdes.
func properties(bootstrap []string, stateDir, registry, user string) map[string]string {
	p := map[string]string{
		"application.id":       "schema-registry-streams-app",
		"bootstrap.servers":    strings.Join(bootstrap, ","),
		"processing.guarantee": "exactly_once_v2",
		"state.dir":            stateDir,
		"schema.registry.url":  registry,
	}
	if user != "" {
		p["basic.auth.credentials.source"] = "USER_INFO"
		p["basic.auth.user.info"] = user
	}
	return p
}

func run(props map[string]string) error {
	registry, err := schemaregistry.Open(props)
	if err != nil {
		return err
	}
	topology, err := highValueOrders(registry)
	if err != nil {
		return err
	}
	fmt.Print(topology.Describe())
	cfg, err := streams.ParseConfig(props)
	if err != nil {
		return err
	}
	cluster, err := kafka.New(kafka.Config{Bootstrap: strings.Split(props["bootstrap.servers"], ",")})
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
