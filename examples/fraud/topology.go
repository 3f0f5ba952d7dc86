package main

import (
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// fraudDetection reads transactions, which are keyed by user, and writes alerts.
func fraudDetection() (*streams.Topology, error) {
	b := streams.NewBuilder()
	transactions := streams.Stream(b, "transactions", streams.Consumed[string, Transaction]{Value: serde.JSON[Transaction]()})
	alerts := streams.Process(transactions, newDetector, streams.ProcessOptions{
		Name: "fraud-detector",
		Add: []*streams.StoreBuilder{
			streams.NewKeyValueStore(summaryStore, serde.String(), serde.JSON[Summary]()),
			streams.NewWindowStore(recentStore, 2*keep, time.Minute, serde.String(), serde.JSON[Transaction]()),
		},
	})
	alerts.To("alerts", streams.Produced[string, Alert]{Value: serde.JSON[Alert]()})
	return b.Build()
}
