package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kstreamlab/kstreamlab/broker/fake"
)

type brokerFlags struct {
	brokers, port int
	data, topics  string
	set           []string
	noCreate      bool
	asJSON        bool
}

func newBroker() *cobra.Command {
	var f brokerFlags
	c := &cobra.Command{
		Use:   "broker",
		Short: "Run a development broker that any Kafka client can use",
		Long: `Run a development broker that any Kafka client can use, until SIGTERM or SIGINT.

It is a Kafka cluster in one process, on the loopback interface: producers, consumers, groups, transactions, the administration. When it is
ready it says on one line where it listens. Data are in memory, or with --data in a directory that a later run goes on with. It keeps
one log a partition: it is for development, and what it does not do as Kafka does is in docs/divergence.md.

Exit code 0: it was told to stop. 1: it could not start. 2: a wrong flag.`,
		Example: `  kstreamlab broker
  kstreamlab broker --brokers 3 --port 19092 --topics orders:6,customers:1
  kstreamlab broker --port 0 --json
  kstreamlab broker --data ./broker-data --set log.retention.ms=86400000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runBroker(c, f) },
	}
	c.Flags().IntVar(&f.brokers, "brokers", 1, "how many brokers, 1 to 100")
	c.Flags().IntVar(&f.port, "port", 9092, "port of the first broker; the others have those after it. 0: free ones")
	c.Flags().StringVar(&f.data, "data", "", "directory that data are kept in over restarts; without it they are in memory")
	c.Flags().StringVar(&f.topics, "topics", "", "NAME:PARTITIONS,...: topics to create where they are not there")
	c.Flags().StringArrayVar(&f.set, "set", nil, "NAME=VALUE: a setting of the brokers, by Kafka's name")
	c.Flags().BoolVar(&f.noCreate, "no-auto-create", false, "do not let clients create topics by using them")
	c.Flags().BoolVar(&f.asJSON, "json", false, "say where it listens as one JSON object")
	return c
}

func runBroker(c *cobra.Command, f brokerFlags) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	cluster, err := fake.New(cfg)
	if err != nil {
		var busy *net.OpError
		if errors.As(err, &busy) && errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%s is taken: give --port another number, or 0 for a free one", busy.Addr)
		}
		return &failedError{err}
	}
	defer cluster.Close()
	if err := f.announce(c, cluster.Bootstrap()); err != nil {
		return &failedError{err}
	}
	<-signals
	return nil
}

// announce says where the brokers listen.
func (f brokerFlags) announce(c *cobra.Command, addresses []string) error {
	bootstrap := strings.Join(addresses, ",")
	if f.asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"bootstrap": bootstrap, "brokers": addresses, "pid": os.Getpid()})
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "kstreamlab: %d %s on %s\n", len(addresses), plural(len(addresses), "broker listens", "brokers listen"), bootstrap)
	return err
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func (f brokerFlags) config() (fake.Config, error) {
	cfg := fake.Config{Brokers: f.brokers, Port: f.port, DataDir: f.data, AutoCreate: !f.noCreate, Topics: map[string]int{}, BrokerConfigs: map[string]string{}}
	if f.brokers < 1 || f.brokers > 100 {
		return cfg, fmt.Errorf("--brokers %d: 1 to 100 is expected", f.brokers)
	}
	if f.port < 0 || f.port+f.brokers-1 > 65535 {
		return cfg, fmt.Errorf("--port %d: the ports of %d brokers must be from 1 to 65535", f.port, f.brokers)
	}
	for _, topic := range strings.Split(f.topics, ",") {
		if topic = strings.TrimSpace(topic); topic == "" {
			continue
		}
		name, count, ok := strings.Cut(topic, ":")
		n, err := strconv.Atoi(count)
		if !ok || name == "" || err != nil || n < 1 {
			return cfg, fmt.Errorf("--topics %q: NAME:PARTITIONS is expected", topic)
		}
		cfg.Topics[name] = n
	}
	for _, s := range f.set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return cfg, fmt.Errorf("--set %q: NAME=VALUE is expected", s)
		}
		cfg.BrokerConfigs[name] = value
	}
	return cfg, nil
}
