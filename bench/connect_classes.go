package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

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

// connectClasses is the Go side: the same converters and transforms on the same record, each alone on one thread.
func connectClasses() {
	h := host.NewMachine()
	plugins := builtin.Plugins(file.Standard{})
	str, i64 := data.PrimitiveSchema(data.String), data.PrimitiveSchema(data.Int64)
	inner := data.NewStructBuilder().Name("Place").Field("city", str).Field("zip", data.PrimitiveSchema(data.Int32)).MustBuild()
	schema := data.NewStructBuilder().Name("Order").Field("id", i64).Field("user", str).Field("amount", data.PrimitiveSchema(data.Float64)).
		Field("paid", data.PrimitiveSchema(data.Boolean)).Field("at", i64).Field("place", inner).MustBuild()
	value := data.NewStruct(schema).MustPut("id", int64(123456)).MustPut("user", "user-4711").MustPut("amount", 99.5).MustPut("paid", true).
		MustPut("at", int64(1700000000123)).MustPut("place", data.NewStruct(inner).MustPut("city", "Berlin").MustPut("zip", int32(10115)))

	converter := func(name, class string, props config.Props) {
		c, err := plugins.NewConverter(h, class)
		check(err)
		check(c.Configure(props, false))
		bytes, err := c.FromConnect("t", nil, schema, value)
		check(err)
		measureStep(name+", write", func() error { _, err := c.FromConnect("t", nil, schema, value); return err })
		measureStep(name+", read", func() error { _, err := c.ToConnect("t", nil, bytes); return err })
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
		r := connect.NewSinkRecord(broker.TopicPartition{Topic: "orders"}, 42, str, "key-1", schema, value)
		r.Timestamp = 1700000000123
		r.Headers = data.NewHeaders(data.Header{Key: "trace", Schema: str, Value: "abc"}, data.Header{Key: "tenant", Schema: str, Value: "7"})
		measureStep(parts[0], func() error { _, err := t.Apply(r); return err })
	}
	event("done", 0)
}

// measureStep reports how often a second a step runs, after a time to warm up.
func measureStep(name string, step func() error) {
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		for range 256 {
			check(step())
		}
	}
	began, n := time.Now(), 0
	for time.Since(began) < 1500*time.Millisecond {
		for range 256 {
			check(step())
		}
		n += 256
	}
	event(name, int64(float64(n)/time.Since(began).Seconds()))
}

// compareConnect runs the classes of both, one after the other, ROUNDS times, and prints medians.
func compareConnect(rounds int) {
	args := []string{}
	for _, x := range transforms {
		name, _, _ := strings.Cut(x, ";")
		args = append(args, name+"="+x)
	}
	var names []string
	theirs, ours := map[string][]float64{}, map[string][]float64{}
	for range rounds {
		_, t := rates(javaCmd("bench.ConnectClasses", args...))
		for name, r := range t {
			theirs[name] = append(theirs[name], r)
		}
		var o map[string]float64
		names, o = rates([]string{os.Args[0], "connect-classes", ""})
		for name, r := range o {
			ours[name] = append(ours[name], r)
		}
	}
	fmt.Println("| | Kafka Connect, records/s | kstreamlab, records/s | ratio |\n| --- | --- | --- | --- |")
	for _, name := range names {
		a, b := middle(theirs[name]), middle(ours[name])
		fmt.Printf("| %s | %.0f | %.0f | %.1f |\n", name, a, b, b/a)
	}
}

// rates runs a process that prints rates as events, to its end. names are in the order in which they came.
func rates(argv []string) (names []string, all map[string]float64) {
	cmd := exec.Command(argv[0], argv[1:]...)
	log, err := os.OpenFile(filepath.Join(work(), "anchor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	check(err)
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	all = map[string]float64{}
	for s := bufio.NewScanner(out); s.Scan(); {
		var e ev
		if json.Unmarshal(s.Bytes(), &e) == nil && e.Ev != "" && e.Ev != "done" {
			names = append(names, e.Ev)
			all[e.Ev] = float64(e.N)
		}
	}
	check(cmd.Wait())
	return names, all
}
