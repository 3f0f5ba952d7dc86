package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// throughput runs the anchor over the preloaded input. The rate is from the first to the last record at the anchor's last
// step; first_output_s is from the start of the process to the first record that a reader may see in the output topic.
func throughput(w string, argv []string, guarantee, threads string) result {
	preload(w)
	c := client()
	defer c.Close()
	adm := kadm.NewClient(c)
	create(adm, outTopic(w))
	defer os.RemoveAll(filepath.Join(work(), "state-"+runID))
	time.Sleep(300 * time.Millisecond)
	p := spawn(argv)
	first := make(chan float64, 1)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				first <- 0
				return
			default:
			}
			if ends(adm, outTopic(w), guarantee != "at_least_once") > 0 {
				first <- time.Since(p.began).Seconds()
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
	}()
	p.await("done", 150*time.Second)
	e, _ := p.get("elapsed_us")
	took := time.Since(p.began)
	m := p.stop()
	time.AfterFunc(time.Second, func() { close(stop) })
	fo := <-first
	m["guarantee"], m["threads"] = guarantee, threads
	m["records"], m["records_per_s"] = nIn, int64(float64(nIn)/(float64(e.N)/1e6))
	if h, ok := p.get("half_us"); ok && e.N > h.N {
		m["second_half_per_s"] = int64(float64(nIn) / 2 / (float64(e.N-h.N) / 1e6))
	}
	m["first_output_s"], m["wall_s"] = round(fo, 2), round(took.Seconds(), 2)
	m["out_records"] = ends(adm, outTopic(w), false)
	adm.DeleteTopic(context.Background(), outTopic(w))
	return m
}

// paced writes rate records a second to lat-in, each with its send time, until ctx ends.
func paced(ctx context.Context, rate int) {
	c := client(kgo.ProducerLinger(0), kgo.AllowAutoTopicCreation())
	defer c.Close()
	create(kadm.NewClient(c), "lat-in")
	began, sent := time.Now(), 0
	pad := fmt.Sprintf("%081d", 0)
	for ctx.Err() == nil {
		due := int(time.Since(began).Seconds() * float64(rate))
		for ; sent < due; sent++ {
			now := time.Now()
			c.Produce(context.Background(), &kgo.Record{Topic: "lat-in", Key: key(sent, 10_000), Value: []byte(strconv.FormatInt(now.UnixNano(), 10) + pad)}, nil)
		}
		time.Sleep(time.Millisecond)
	}
	c.Flush(context.Background())
}

// seen is one output record: its partition, when it was sent and when it was read.
type seen struct {
	part       int32
	sent, read int64
}

func watch(ctx context.Context, topic string, got func(seen)) {
	c := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(20*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	defer c.Close()
	for ctx.Err() == nil {
		f := c.PollFetches(ctx)
		now := time.Now().UnixNano()
		f.EachRecord(func(r *kgo.Record) {
			if len(r.Value) >= 19 {
				if s, err := strconv.ParseInt(string(r.Value[:19]), 10, 64); err == nil {
					got(seen{r.Partition, s, now})
				}
			}
		})
	}
}

func freshLat(adm *kadm.Client) {
	adm.DeleteTopic(context.Background(), "lat-in")
	time.Sleep(500 * time.Millisecond)
	create(adm, "lat-in")
	create(adm, outTopic("L"))
	time.Sleep(300 * time.Millisecond)
}

// latency measures from send to read through the anchor, at 2000 records a second, after 6 s of warming up.
func latency(argv []string) result {
	c := client()
	defer c.Close()
	adm := kadm.NewClient(c)
	freshLat(adm)
	defer os.RemoveAll(filepath.Join(work(), "state-"+runID))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := spawn(argv)
	var mu sync.Mutex
	var lat []float64
	firstSeen := make(chan struct{})
	var once sync.Once
	var from int64 = 1 << 62
	go watch(ctx, outTopic("L"), func(s seen) {
		once.Do(func() { close(firstSeen) })
		mu.Lock()
		if s.sent >= from {
			lat = append(lat, float64(s.read-s.sent)/1e6)
		}
		mu.Unlock()
	})
	go paced(ctx, 2000)
	select {
	case <-firstSeen:
	case <-time.After(60 * time.Second):
		p.stop()
		check(fmt.Errorf("no output"))
	}
	start := time.Since(p.began)
	time.Sleep(6 * time.Second)
	mu.Lock()
	from = time.Now().UnixNano()
	mu.Unlock()
	time.Sleep(8 * time.Second)
	mu.Lock()
	l := slices.Clone(lat)
	mu.Unlock()
	cancel()
	m := p.stop()
	slices.Sort(l)
	q := func(f float64) float64 { return round(l[min(len(l)-1, int(f*float64(len(l))))], 2) }
	m["rate"], m["samples"], m["first_output_s"] = 2000, len(l), round(start.Seconds(), 2)
	if len(l) > 0 {
		m["p50_ms"], m["p99_ms"], m["p999_ms"], m["max_ms"] = q(.5), q(.99), q(.999), round(l[len(l)-1], 2)
	}
	adm.DeleteTopic(context.Background(), outTopic("L"))
	return m
}
