// Command bench is for measuring kstreamlab beside its peers on a real Kafka: a bare franz-go loop, and Apache Kafka Streams.
//
//	bench run ANCHOR WORKLOAD [GUARANTEE] [THREADS]   one measurement, one JSON line
//	bench report RESULTS                              medians of a file of such lines
//	bench drivers ROUNDS                              the test driver beside TopologyTestDriver, a table
//	bench workers ROUNDS                              standalone workers beside Kafka Connect's, a table
//	bench connect ROUNDS                              converters and transforms beside Kafka Connect's, a table
//
// The other subcommands are the Go anchors themselves, started as processes of their own so that their CPU and memory are theirs.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: bench run ANCHOR WORKLOAD [GUARANTEE] [THREADS] | bench report RESULTS | bench drivers ROUNDS | bench connect ROUNDS | bench workers ROUNDS")
		os.Exit(2)
	}
	a := os.Args[2:]
	switch os.Args[1] {
	case "run":
		measureOne(a)
	case "report":
		report(a[0])
	case "drivers":
		rounds, err := strconv.Atoi(a[0])
		check(err)
		compareDrivers(rounds)
	case "connect":
		rounds, err := strconv.Atoi(a[0])
		check(err)
		compareConnect(rounds)
	case "workers":
		rounds, err := strconv.Atoi(a[0])
		check(err)
		compareWorkers(rounds)
	case "connect-classes":
		connectClasses(a[0])
	case "streamstest":
		testDriver(a)
	case "raw":
		raw(a)
	case "kstreamlab":
		ours(a)
	default:
		fmt.Fprintf(os.Stderr, "bench: unknown command %q\n", os.Args[1])
		os.Exit(2)
	}
}

type result map[string]any

func measureOne(a []string) {
	guarantee, threads := "at_least_once", "1"
	if len(a) < 2 {
		check(fmt.Errorf("run needs an anchor and a workload"))
	}
	if len(a) > 2 {
		guarantee = a[2]
	}
	if len(a) > 3 {
		threads = a[3]
	}
	m := run(a[0], a[1], guarantee, threads)
	m["anchor"], m["workload"] = a[0], a[1]
	b, _ := os.ReadFile("/proc/loadavg") // absent elsewhere than on Linux: then no load is noted
	if f := strings.Fields(string(b)); len(f) > 0 {
		m["load1"], _ = strconv.ParseFloat(f[0], 64)
	}
	out, err := json.Marshal(m)
	check(err)
	fmt.Println(string(out))
}

func run(anchor, w, guarantee, threads string) result {
	expected := int64(nIn)
	if w == "L" {
		expected = 0
	}
	var argv []string
	switch anchor {
	case "streams":
		argv = streamsCmd(w, guarantee, threads, expected)
	case "raw", "kstreamlab":
		argv = goCmd(anchor, w, guarantee, threads, expected)
	default:
		check(fmt.Errorf("no anchor %q: raw, streams and kstreamlab are known", anchor))
	}
	if w == "L" {
		m := latency(argv)
		m["guarantee"] = guarantee
		return m
	}
	return throughput(w, argv, guarantee, threads)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func event(name string, n int64) {
	now := time.Now()
	fmt.Printf("{\"ev\":%q,\"n\":%d,\"t_ms\":%d,\"t_us\":%d}\n", name, n, now.UnixMilli(), now.UnixMicro())
}
