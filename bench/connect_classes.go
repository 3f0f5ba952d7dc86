package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// transforms are what is measured of Kafka's transforms: class and configuration.
var transforms = []string{
	"Cast$Value;spec=amount:string,id:int32",
	"DropHeaders;headers=tenant",
	"ExtractField$Value;field=place",
	"Filter",
	"Flatten$Value;delimiter=_",
	"HeaderFrom$Value;fields=user;headers=user;operation=copy",
	"HoistField$Value;field=order",
	"InsertField$Value;timestamp.field=ts;static.field=source;static.value=shop",
	"InsertHeader;header=source;value.literal=shop",
	"MaskField$Value;fields=user",
	"RegexRouter;regex=(.*)ders;replacement=$1der",
	"ReplaceField$Value;exclude=paid;renames=amount:total",
	"SetSchemaMetadata$Value;schema.name=Purchase;schema.version=2",
	"TimestampConverter$Value;field=at;target.type=string;format=yyyy-MM-dd HH:mm:ss",
	"TimestampRouter;topic.format=${topic}-${timestamp};timestamp.format=yyyyMMdd",
	"ValueToKey;fields=id,user",
}

// distinct is how many different records each step takes in turn, here as on the JVM.
const distinct = 64

// orders are the records that both sides work on.
func orders() (*data.Schema, []*connect.Record) {
	str, i64 := data.PrimitiveSchema(data.String), data.PrimitiveSchema(data.Int64)
	inner := data.NewStructBuilder().Name("Place").Field("city", str).Field("zip", data.PrimitiveSchema(data.Int32)).MustBuild()
	schema := data.NewStructBuilder().Name("Order").Field("id", i64).Field("user", str).Field("amount", data.PrimitiveSchema(data.Float64)).
		Field("paid", data.PrimitiveSchema(data.Boolean)).Field("at", i64).Field("place", inner).MustBuild()
	cities := []string{"Berlin", "Hamburg", "Kiel", "Potsdam"}
	all := make([]*connect.Record, distinct)
	for i := range all {
		at := 1700000000123 + int64(i)*3600017
		place := data.NewStruct(inner).MustPut("city", cities[i%4]).MustPut("zip", int32(10115+i))
		value := data.NewStruct(schema).MustPut("id", int64(123456+7919*i)).MustPut("user", fmt.Sprintf("user-%d", 4711+i)).MustPut("amount", 99.5+0.25*float64(i)).
			MustPut("paid", i%2 == 0).MustPut("at", at).MustPut("place", place)
		r := connect.NewSinkRecord(broker.TopicPartition{Topic: "orders"}, int64(42+i), str, fmt.Sprintf("key-%d", i), schema, value)
		r.Timestamp = at
		r.Headers = data.NewHeaders(data.Header{Key: "trace", Schema: str, Value: "abc"}, data.Header{Key: "tenant", Schema: str, Value: "7"})
		all[i] = r
	}
	return schema, all
}

// steps are the names of what is measured, in order.
func steps() []string {
	all := []string{"json, write", "json, read", "json with schemas, write", "json with schemas, read", "avro, write", "avro, read"}
	for _, suffix := range []string{"", shared} {
		for _, x := range transforms {
			name, _, _ := strings.Cut(x, ";")
			all = append(all, name+suffix)
		}
	}
	return all
}

// shared is the end of the names of steps that give a transform records that somebody else keeps.
const shared = ", shared record"

// connectClasses is the Go side of one step: the same converter or transform on the same records, alone on one thread. Of an empty name it does all.
func connectClasses(only string) {
	defer profile()()
	host.MakeRoom() // as the worker's command does
	h := host.NewMachine()
	plugins := builtin.Plugins(file.Standard{})
	schema, records := orders()

	measure := func(name string, steps func(n int) error) {
		if only == "" || only == name {
			measureStep(name, steps)
		}
	}
	converter := func(name, class string, props config.Props) {
		c, err := plugins.NewConverter(h, class)
		check(err)
		check(c.Configure(props, false))
		written := make([][]byte, distinct)
		for i, r := range records {
			written[i], err = c.FromConnect("t", nil, schema, r.Value)
			check(err)
		}
		measure(name+", write", func(n int) (err error) {
			for i := range n {
				if keptBytes[i%kept], err = c.FromConnect("t", nil, schema, records[i%distinct].Value); err != nil {
					return err
				}
			}
			return nil
		})
		measure(name+", read", func(n int) (err error) {
			for i := range n {
				if keptValues[i%kept], err = c.ToConnect("t", nil, written[i%distinct]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	converter("json", "org.apache.kafka.connect.json.JsonConverter", config.Props{"schemas.enable": "false"})
	converter("json with schemas", "org.apache.kafka.connect.json.JsonConverter", config.Props{"schemas.enable": "true"})
	converter("avro", "io.confluent.connect.avro.AvroConverter", config.Props{"schema.registry.url": "mock://bench"})

	for _, x := range transforms {
		parts := strings.Split(x, ";")
		t, err := plugins.NewTransform(h, "org.apache.kafka.connect.transforms."+parts[0])
		check(err)
		props := config.Props{}
		for _, p := range parts[1:] {
			k, v, _ := strings.Cut(p, "=")
			props[k] = v
		}
		check(t.Configure(props))
		if name := parts[0]; only == "" || only == name {
			measureTransform(name, records, t.(connect.InPlaceTransform))
		}
		measure(parts[0]+shared, func(n int) (err error) {
			for i := range n {
				if keptRecords[i%kept], err = t.Apply(records[i%distinct]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	event("done", 0)
}

// kept is how many of the last results of a step are kept, here as on the JVM: a result that nobody keeps need not be made.
const kept = 1024

var (
	keptRecords [kept]*connect.Record
	keptBytes   [kept][]byte
	keptValues  [kept]data.SchemaAndValue
)

// measureStep reports how often a step runs in a second of the process's CPU time, the collector's with it, after some time to warm up: BENCH_STEP
// seconds (1.5) after a third of that. steps runs it n times.
func measureStep(name string, steps func(n int) error) {
	reportRate(name, func(limit time.Duration) float64 {
		for began, n := cpuTime(), 0; ; {
			check(steps(block))
			n += block
			if used := cpuTime() - began; used >= limit {
				return float64(n) / used.Seconds()
			}
		}
	})
}

// block is how many steps are made between two looks at the clock.
const block = 4 * kept

// measureTransform is measureStep for a transform as a worker's chain calls it: with records that were just made, in a block, whose making is not
// measured, here as on the JVM.
func measureTransform(name string, inputs []*connect.Record, t connect.InPlaceTransform) {
	all := make([]*connect.Record, block)
	reportRate(name, func(limit time.Duration) float64 {
		var used time.Duration
		for n := 0; ; {
			freshRecords(all, inputs)
			began := cpuTime()
			for i, r := range all {
				var err error
				if all[i], err = t.ApplyInPlace(r); err != nil {
					check(err)
				}
			}
			used += cpuTime() - began
			n += block
			if used >= limit {
				return float64(n) / used.Seconds()
			}
		}
	})
}

// freshRecords makes records and headers like inputs in turn, as the worker makes those of one poll.
func freshRecords(all, inputs []*connect.Record) {
	records := make([]connect.Record, len(all))
	var headers data.HeaderSlab
	for i := range all {
		r := &records[i]
		*r = *inputs[i%distinct]
		r.Headers = data.Headers{}
		headers.Grow(2)
		for h := range inputs[i%distinct].Headers.All() {
			r.Headers = headers.Append(r.Headers, h.Key, h.Schema, h.Value)
		}
		all[i] = r
	}
}

// reportRate reports what rate measures in BENCH_STEP seconds, after a third of that to warm up.
func reportRate(name string, rate func(time.Duration) float64) {
	limit := 1500 * time.Millisecond
	if s := os.Getenv("BENCH_STEP"); s != "" {
		seconds, err := strconv.ParseFloat(s, 64)
		check(err)
		limit = time.Duration(seconds * float64(time.Second))
	}
	rate(limit / 3)
	event(name, int64(rate(limit)))
}

// cpuTime is what the process has used so far, to the nanosecond.
func cpuTime() time.Duration {
	var t unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t))
	return time.Duration(t.Nano())
}

// compareConnect runs each step on both, one after the other, ROUNDS times, and prints medians. Every step has a process of its own, on one core and the
// same one: what ran before cannot spoil what the JVM knows of types. A JVM of one core takes its serial collector, and Go one thread at a time: both
// find out by themselves.
func compareConnect(rounds int) {
	cpu := os.Getenv("BENCH_CPU")
	if cpu == "" {
		cpu = "0"
	}
	onOne := []string{"taskset", "-c", cpu}
	theirs, ours := map[string][]float64{}, map[string][]float64{}
	for range rounds {
		for _, name := range steps() {
			theirs[name] = append(theirs[name], rateOf(append(onOne, javaCmd("bench.ConnectClasses", append([]string{name}, transforms...)...)...)))
			ours[name] = append(ours[name], rateOf(append(onOne, os.Args[0], "connect-classes", name)))
		}
	}
	fmt.Println("| | Kafka Connect, records/s | kstreamlab, records/s | ratio |\n| --- | --- | --- | --- |")
	for _, name := range steps() {
		a, b := middle(theirs[name]), middle(ours[name])
		fmt.Printf("| %s | %.0f | %.0f | %.1f |\n", name, a, b, b/a)
	}
}

// rateOf runs a process that prints one rate as an event, to its end.
func rateOf(argv []string) (r float64) {
	cmd := exec.Command(argv[0], argv[1:]...)
	log, err := os.OpenFile(filepath.Join(work(), "anchor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(err)
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	for s := bufio.NewScanner(out); s.Scan(); {
		var e ev
		if json.Unmarshal(s.Bytes(), &e) == nil && e.Ev != "" && e.Ev != "done" {
			r = float64(e.N)
		}
	}
	check(cmd.Wait())
	return r
}
