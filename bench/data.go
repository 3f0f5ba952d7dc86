package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	nIn = 1_000_000
)

func scatter(i, n int) int { return int(uint32(i) * 0x9E3779B1 % uint32(n)) }

func key(i, n int) []byte { return fmt.Appendf(nil, "k%06d", scatter(i, n)) }

func value(i int) []byte {
	b := fmt.Appendf(make([]byte, 0, 100), `{"id":%d,"user":"u%d","amount":%d.5,"flag":%t,"pad":"`, i, i%1000, i%997, i%2 == 0)
	for len(b) < 98 {
		b = append(b, 'x')
	}
	return append(b, `"}`...)
}

var base = time.Now().Add(-time.Hour).Truncate(time.Hour)

// topics are the inputs: how many records, and the i-th.
var topics = map[string]struct {
	n    int
	make func(i int) *kgo.Record
}{
	"in": {nIn, func(i int) *kgo.Record {
		return &kgo.Record{Key: key(i, 10_000), Value: value(i), Timestamp: base.Add(time.Duration(i) * 600 * time.Microsecond)}
	}},
}

func inputs(w string) []string {
	if w == "L" {
		return nil
	}
	return []string{"in"}
}

func outTopic(w string) string { return "out-" + strings.ToLower(w) + "-" + runID }

func client(o ...kgo.Opt) *kgo.Client {
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(boot(), ",")...)}, o...)...)
	check(err)
	return c
}

func create(adm *kadm.Client, topic string) {
	r, err := adm.CreateTopic(context.Background(), 4, 1, nil, topic)
	if err != nil && !strings.Contains(err.Error(), "already exists") && (r.Err == nil || !strings.Contains(r.Err.Error(), "EXISTS")) {
		check(err)
	}
}

// preload makes the inputs of w, once per broker.
func preload(w string) {
	c := client(kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(100_000), kgo.ProducerLinger(20*time.Millisecond))
	defer c.Close()
	adm := kadm.NewClient(c)
	for _, t := range inputs(w) {
		create(adm, t)
		if ends(adm, t, false) >= int64(topics[t].n) {
			continue
		}
		for i := range topics[t].n {
			r := topics[t].make(i)
			r.Topic = t
			c.Produce(context.Background(), r, func(_ *kgo.Record, err error) { check(err) })
		}
		check(c.Flush(context.Background()))
	}
}

// ends is the sum of the topic's end offsets; of committed records' with committed.
func ends(adm *kadm.Client, topic string, committed bool) int64 {
	list := adm.ListEndOffsets
	if committed {
		list = adm.ListCommittedOffsets
	}
	l, err := list(context.Background(), topic)
	if err != nil {
		return 0
	}
	var n int64
	l.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			n += o.Offset
		}
	})
	return n
}
