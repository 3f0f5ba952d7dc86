package fake_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// BenchmarkBrokerBesideKfake produces and consumes a million records of 100 bytes, by turns on the development broker and on kfake as
// it is, seven rounds each in one process. It reports the medians: records a second, and what the broker reaches of kfake, by the clock and by
// the processor time that both sides used, which a machine that has other work does not falsify. Run it with -benchtime 1x.
func BenchmarkBrokerBesideKfake(b *testing.B) {
	const rounds = 7
	for range b.N {
		rates := map[string][]float64{}
		for round := range rounds {
			order := []string{"broker", "kfake"}
			if round%2 == 1 {
				slices.Reverse(order)
			}
			for _, which := range order {
				for name, rate := range throughput(b, which) {
					rates[which+"-"+name] = append(rates[which+"-"+name], rate)
				}
			}
		}
		median := func(name string) float64 {
			slices.Sort(rates[name])
			return rates[name][rounds/2]
		}
		for _, name := range []string{"produced", "consumed"} {
			b.ReportMetric(median("broker-"+name), "broker-"+name+"/s")
			b.ReportMetric(median("kfake-"+name), "kfake-"+name+"/s")
			b.ReportMetric(100*median("broker-"+name)/median("kfake-"+name), "%"+name)
			b.ReportMetric(100*median("broker-"+name+"-cpu")/median("kfake-"+name+"-cpu"), "%"+name+"-cpu")
		}
		b.ReportMetric(0, "ns/op")
	}
}

// throughput is the records a second of a new cluster over TCP with one client: by the clock, and of processor time (-cpu).
func throughput(b *testing.B, which string) map[string]float64 {
	b.Helper()
	const records, partitions = 1_000_000, 6
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	var bootstrap []string
	if which == "broker" {
		c, err := fake.New(fake.Config{Topics: map[string]int{"t": partitions}})
		must(err)
		defer c.Close()
		bootstrap = c.Bootstrap()
	} else {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "t"))
		must(err)
		defer c.Close()
		bootstrap = c.ListenAddrs()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	to, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(1<<17))
	must(err)
	defer to.Close()
	slab := make([]kgo.Record, records)
	value := make([]byte, 90)
	rates := map[string]float64{}
	measure := func(name string, f func()) {
		runtime.GC()
		wall, cpu := time.Now(), cpuTime()
		f()
		rates[name+"-cpu"] = records / (cpuTime() - cpu).Seconds()
		rates[name] = records / time.Since(wall).Seconds()
	}
	measure("produced", func() {
		for i := range slab {
			slab[i] = kgo.Record{Topic: "t", Partition: int32(i / 100 % partitions), Key: fmt.Appendf(nil, "%010d", i), Value: value}
			to.Produce(ctx, &slab[i], func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		}
		must(to.Flush(ctx))
	})
	from, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.ConsumeTopics("t"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	must(err)
	defer from.Close()
	measure("consumed", func() {
		for n := 0; n < records; {
			fetches := from.PollFetches(ctx)
			must(fetches.Err())
			n += fetches.NumRecords()
		}
	})
	return rates
}
