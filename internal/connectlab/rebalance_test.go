package connectlab_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// startSink runs a worker with two tasks of the same sink connector: all of them, on all machines, are one group.
func startSink(t *testing.T, m *machine, name string) {
	m.proc = m.k.NewProcess(name, m.disk)
	cluster := m.model.Client(m.proc)
	plugins := builtin.Plugins(file.Standard{})
	cfg, err := worker.ParseConfig(plugins, map[string]string{"key.converter": "String", "value.converter": "String",
		"offset.storage.file.filename": "offsets", "offset.flush.interval.ms": "1500", "consumer.session.timeout.ms": "6000"})
	if err != nil {
		t.Fatal(err)
	}
	m.proc.Go("main", func(ctx context.Context) {
		store, err := worker.OpenOffsetFile(m.proc, cfg.OffsetFile())
		if err != nil {
			t.Error(err)
			return
		}
		m.w = worker.New(m.proc, cluster, plugins, cfg, store)
		if err := m.w.StartConnector(ctx, map[string]string{"name": "out", "connector.class": "FileStreamSink", "file": "output", "topics": "lines", "tasks.max": "2"}); err != nil {
			t.Error(err)
		}
	})
}

// TestPartitionsMove writes to four partitions while machines come and crash. Every record must be on a disk, synced, in the end.
func TestPartitionsMove(t *testing.T) {
	const records = 400
	for seed := uint64(1); seed <= 10; seed++ {
		start := time.UnixMilli(1700000000000).UTC()
		k := sim.New(sim.Config{Seed: seed, Start: start})
		model := simulated.New(k, simulated.Config{Brokers: 3})
		var machines []*machine
		for i := range 3 {
			m := &machine{t: t, k: k, model: model, disk: sim.NewDisk(sim.DiskConfig{Seed: seed*10 + uint64(i)})}
			m.appendFile("output", 0, "")
			m.syncDirectory()
			machines = append(machines, m)
		}
		lab := k.NewProcess("writer", sim.NewDisk(sim.DiskConfig{}))
		lab.Go("records", func(ctx context.Context) { writeRecords(ctx, t, lab, model.Client(lab), records) })
		at := func(ms int, f func()) { k.At(start.Add(time.Duration(ms)*time.Millisecond), f) }
		at(1000, func() { startSink(t, machines[0], "m0") })
		at(9000, func() { startSink(t, machines[1], "m1") })
		at(15000+int(seed)*311, func() { machines[0].proc.Kill() })
		at(22000, func() { startSink(t, machines[2], "m2") })
		at(30000+int(seed)*173, func() { machines[1].proc.Kill() })
		at(33000, func() { startSink(t, machines[0], "m0") })
		if err := k.RunUntil(start.Add(3 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		for _, m := range machines {
			m.proc.Kill()
		}
		if err := k.RunUntil(start.Add(181 * time.Second)); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range machines {
			for line := range strings.Lines(m.readFile("output")) {
				seen[strings.TrimSuffix(line, "\n")] = true
			}
		}
		lost := 0
		for i := range records {
			if !seen[fmt.Sprint("record ", i)] {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("seed %d: %d of %d records are lost", seed, lost, records)
		}
		k.Close()
	}
}

// writeRecords writes records for 40 seconds, round the partitions.
func writeRecords(ctx context.Context, t *testing.T, lab *sim.Process, cluster broker.Cluster, n int) {
	if err := cluster.Admin().CreateTopics(ctx, broker.NewTopic{Name: "lines", Partitions: 4, ReplicationFactor: 3}); err != nil {
		t.Error(err)
		return
	}
	p, err := cluster.NewProducer(ctx, broker.ProducerConfig{})
	if err != nil {
		t.Error(err)
		return
	}
	for i := range n {
		r := broker.Record{Value: fmt.Append(nil, "record ", i), Timestamp: broker.NoTimestamp}
		if err := p.Send(ctx, broker.TopicPartition{Topic: "lines", Partition: int32(i % 4)}, []broker.Record{r}, nil); err != nil {
			t.Error(err)
		}
		if err := lab.Sleep(ctx, 100*time.Millisecond); err != nil {
			t.Error(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Error(err)
	}
}
