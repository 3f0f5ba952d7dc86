//go:build integration

package integration_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
)

// library is where the departures job is.
const library = "../../scenarios/library/departures/"

const hour = int64(time.Hour / time.Millisecond)

// departuresData are the month's departures, by carrier, in order of arrival.
func departuresData(t *testing.T) []broker.Record {
	t.Helper()
	f, err := os.Open(library + "flights-2013-01.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []broker.Record
	in := bufio.NewScanner(z)
	for in.Scan() {
		var line struct {
			Timestamp int64
			Value     json.RawMessage
		}
		var value struct{ Carrier string }
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line.Value, &value); err != nil {
			t.Fatal(err)
		}
		out = append(out, broker.Record{Key: []byte(value.Carrier), Value: line.Value, Timestamp: line.Timestamp})
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// recount is the final table, worked out from the data alone: windows of an hour, an hour of grace.
func recount(data []broker.Record, partitions int32) string {
	counts, streamTime := map[string]uint64{}, map[int32]int64{}
	for _, r := range data {
		p := broker.PartitionForKey(r.Key, partitions)
		streamTime[p] = max(streamTime[p], r.Timestamp)
		if start := r.Timestamp - r.Timestamp%hour; start+hour > streamTime[p]-hour {
			counts[string(binary.BigEndian.AppendUint64(slices.Clone(r.Key), uint64(start)))]++
		}
	}
	table := map[string][]byte{}
	for k, n := range counts {
		table[k] = binary.BigEndian.AppendUint64(nil, n)
	}
	return render(table)
}

// render writes a table byte for byte, in hexadecimal, a row a line.
func render(table map[string][]byte) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(&b, "%s %s\n", hex.EncodeToString([]byte(k)), hex.EncodeToString(table[k]))
	}
	return b.String()
}

// job is the departures application of one round on the real cluster, under names of its own.
type job struct {
	t       *testing.T
	ctx     context.Context
	host    *host.Live
	cluster broker.Cluster
	app     string // application.id
	in, out string
	file    string // its app.yaml
}

const jobPartitions = 6

func newJob(t *testing.T, name string) *job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	j := &job{t: t, ctx: ctx, app: name, in: name + "-flights", out: name + "-per-hour", file: t.TempDir() + "/app.yaml"}
	j.host = host.NewLive(ctx, host.LiveConfig{Name: "test"})
	c, err := kafka.New(kafka.Config{Bootstrap: integration.Bootstrap(), Host: j.host})
	j.must(err)
	t.Cleanup(c.Close)
	j.cluster = c
	text, err := os.ReadFile(library + "app.yaml")
	j.must(err)
	app := strings.NewReplacer("app: departures", "app: "+j.app, "topic: flights", "topic: "+j.in, "topic: departures-per-hour", "topic: "+j.out,
		`session.timeout.ms: "10000"`, "session.timeout.ms: \"6000\"\n  heartbeat.interval.ms: \"500\"").Replace(string(text))
	j.must(os.WriteFile(j.file, []byte(app), 0o644))
	keep := map[string]string{"retention.ms": "-1"}
	for _, topic := range []string{j.in, j.out} {
		j.must(c.Admin().CreateTopics(ctx, broker.NewTopic{Name: topic, Partitions: jobPartitions, Configs: keep}))
	}
	j.await(time.Minute, func() error { // the broker answers before it knows them
		have, err := c.Admin().DescribeTopics(ctx, j.in, j.out)
		if err == nil && len(have) < 2 {
			err = fmt.Errorf("the topics are not there: %v", have)
		}
		return err
	})
	return j
}

func (j *job) must(err error) {
	j.t.Helper()
	if err != nil {
		j.t.Fatal(err)
	}
}

// write writes records spread evenly over a time, and calls each step once its share of them is written.
func (j *job) write(data []broker.Record, over time.Duration, steps map[int]func()) {
	j.t.Helper()
	p, err := j.cluster.NewProducer(j.ctx, broker.ProducerConfig{})
	j.must(err)
	defer p.Close()
	const parts = 100
	for i := range parts {
		for _, r := range data[len(data)*i/parts : len(data)*(i+1)/parts] {
			j.must(p.Send(j.ctx, broker.TopicPartition{Topic: j.in, Partition: broker.PartitionForKey(r.Key, jobPartitions)}, []broker.Record{r}, nil))
		}
		j.must(p.Flush(j.ctx))
		if step := steps[i]; step != nil {
			step()
		}
		j.must(j.host.Sleep(j.ctx, over/parts))
	}
}

// await looks until what says nil.
func (j *job) await(within time.Duration, what func() error) {
	j.t.Helper()
	for deadline := time.Now().Add(within); ; {
		err := what()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			j.t.Fatalf("after %s: %v", within, err)
		}
		j.must(j.host.Sleep(j.ctx, 50*time.Millisecond))
	}
}

// members says nil when the group has settled on n members that own all input partitions.
func (j *job) members(n int) error {
	g, err := j.cluster.Admin().DescribeGroup(j.ctx, j.app)
	if err != nil {
		return err
	}
	owned := 0
	for _, m := range g.Members {
		owned += len(m.Assigned)
	}
	if g.State != "Stable" || len(g.Members) != n || owned != jobPartitions {
		return fmt.Errorf("the group is %s with %d members that own %d partitions; expected are %d members and %d partitions", g.State, len(g.Members), owned, n, jobPartitions)
	}
	return nil
}

// committed says nil when the application has committed all its input.
func (j *job) committed() error {
	tps := j.partitions(j.in)
	ends, err := j.cluster.Admin().EndOffsets(j.ctx, broker.ReadUncommitted, tps...)
	if err != nil {
		return err
	}
	have, err := j.cluster.Admin().CommittedOffsets(j.ctx, j.app)
	if err != nil {
		return err
	}
	for _, tp := range tps {
		if have[tp].Offset < ends[tp] {
			return fmt.Errorf("%s is committed up to %d of %d", tp, have[tp].Offset, ends[tp])
		}
	}
	return nil
}

func (j *job) partitions(topic string) []broker.TopicPartition {
	var tps []broker.TopicPartition
	for p := range int32(jobPartitions) {
		tps = append(tps, broker.TopicPartition{Topic: topic, Partition: p})
	}
	return tps
}

// table is the output's final table, as a committed reader sees it.
func (j *job) table() string {
	j.t.Helper()
	tps := j.partitions(j.out)
	ends, err := j.cluster.Admin().EndOffsets(j.ctx, broker.ReadCommitted, tps...)
	j.must(err)
	c, err := j.cluster.NewConsumer(j.ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest})
	j.must(err)
	defer c.Close()
	at := map[broker.TopicPartition]int64{}
	for _, tp := range tps {
		if ends[tp] > 0 {
			at[tp] = 0
		}
	}
	j.must(c.Assign(j.ctx, at))
	table := map[string][]byte{}
	for len(at) > 0 {
		batches, err := c.Poll(j.ctx, 10_000, 20*time.Second)
		j.must(err)
		if len(batches) == 0 {
			j.t.Fatalf("nothing came for 20 s; the ends %v were not reached", at)
		}
		for _, b := range batches {
			for _, r := range b.Records {
				table[string(r.Key)] = slices.Clone(r.Value)
			}
			if b.Next >= ends[b.TopicPartition] {
				delete(at, b.TopicPartition)
			}
		}
	}
	return render(table)
}
