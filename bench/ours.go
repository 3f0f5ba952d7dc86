package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// ours is kstreamlab: WORKLOAD BOOTSTRAP APP_ID STATE_DIR GUARANTEE EXPECTED OUT THREADS, with the topologies of the JVM anchor and the
// defaults of the library. BENCH_PROFILE names a file for a CPU profile.
func ours(a []string) {
	want, err := strconv.ParseInt(a[5], 10, 64)
	check(err)
	defer profile()()
	cnt := &counter{want: want}
	top, err := workload(a[0], a[6], cnt)
	check(err)
	cfg, err := streams.ParseConfig(map[string]string{"application.id": a[2], "bootstrap.servers": a[1], "state.dir": a[3], "processing.guarantee": a[4],
		"num.stream.threads": a[7]})
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h := host.NewLive(ctx, host.LiveConfig{Name: a[2], Log: log})
	cluster, err := kafka.New(kafka.Config{Bootstrap: strings.Split(a[1], ","), Host: h})
	check(err)
	defer cluster.Close()
	inst := streams.NewInstance(top, cfg, cluster, h)
	check(inst.Start())
	go halves(cnt)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-stop
		inst.Stop(true)
	}()
	check(inst.Wait(ctx))
}

// halves reports when half of the records have passed, as the JVM anchor does.
func halves(c *counter) {
	for c.want > 0 && c.count() < c.want/2 {
		time.Sleep(5 * time.Millisecond)
	}
	if c.want > 0 {
		event("half_us", time.Since(c.first).Microseconds())
	}
}

func workload(w, out string, cnt *counter) (*streams.Topology, error) {
	b := streams.NewBuilder()
	str, bytes := serde.String(), serde.Bytes()
	count := func(_ string, _ []byte, n int64) (int64, error) {
		cnt.add(1)
		return n + 1, nil
	}
	zero := func() (int64, error) { return 0, nil }
	switch w {
	case "W1", "L":
		in := "in"
		if w == "L" {
			in = "lat-in"
		}
		s := streams.Stream(b, in, streams.Consumed[[]byte, []byte]{Key: bytes, Value: bytes})
		m := streams.MapValues(s, func(_, v []byte) ([]byte, error) { return v, nil })
		m.Peek(func(_, _ []byte) error { cnt.add(1); return nil }).
			To(out, streams.Produced[[]byte, []byte]{Key: bytes, Value: bytes})
	case "W4":
		s := streams.Stream(b, "in", streams.Consumed[string, []byte]{Key: str, Value: bytes})
		t := streams.Aggregate(s.GroupByKey().WindowedBy(streams.TumblingWindows(time.Minute, time.Minute)), zero, count, streams.Materialized[string, int64]{Key: str, Value: serde.Long()})
		t.ToStream().To(out)
	case "K":
		s := streams.Stream(b, "in", streams.Consumed[string, []byte]{Key: str, Value: bytes})
		t := streams.Aggregate(s.GroupByKey(), zero, count, streams.Materialized[string, int64]{Key: str, Value: serde.Long()})
		t.ToStream().To(out)
	default:
		return nil, fmt.Errorf("kstreamlab has no workload %q: W1, W4, K and L are known", w)
	}
	return b.Build()
}

// profile writes a CPU profile to the file that BENCH_PROFILE names, from now until the function that it returns is called.
func profile() (stop func()) {
	f := os.Getenv("BENCH_PROFILE")
	if f == "" {
		return func() {}
	}
	out, err := os.Create(f)
	check(err)
	check(pprof.StartCPUProfile(out))
	return func() {
		pprof.StopCPUProfile()
		check(out.Close())
	}
}
