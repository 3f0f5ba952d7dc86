package streams_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// BenchmarkForeignKeyJoin updates rows of a left table of 1,000 rows that name 100 right ones: subscription, answer and result, in the test driver with
// its stores in memory. An iteration is an update of a left row.
func BenchmarkForeignKeyJoin(b *testing.B) {
	sb := streams.NewBuilder()
	streams.JoinForeign(streams.InnerJoin, streams.Table(sb, "l", texts), streams.Table(sb, "r", texts), func(_, v string) (string, error) {
		return v[:4], nil
	}, func(_, l string, _ bool, r string, _ bool) (string, error) { return l + r, nil },
		streams.TableJoined[string, string]{}, streams.Materialized[string, string]{Value: serde.String()}).ToStream().To("out", writing)
	top, err := sb.Build()
	if err != nil {
		b.Fatal(err)
	}
	d, err := streamstest.Open(top, streamstest.Options{Manual: true, Properties: map[string]string{"statestore.cache.max.bytes": "0"}})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	record := func(topic, key, value string) streamstest.Record {
		return streamstest.Record{Topic: topic, Record: broker.Record{Key: []byte(key), Value: []byte(value), Timestamp: 1}}
	}
	for i := range 100 {
		if err := d.Pipe(record("r", fmt.Sprintf("%04d", i), strings.Repeat("r", 50))); err != nil {
			b.Fatal(err)
		}
	}
	var updates []streamstest.Record
	for i := range 10_000 {
		updates = append(updates, record("l", fmt.Sprint("key", i%1000), fmt.Sprintf("%04d%d%s", i%97, i, strings.Repeat("v", 50))))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := d.Pipe(updates[i%len(updates)]); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 0 {
			if err := d.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
