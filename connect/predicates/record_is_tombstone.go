package predicates

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
)

// RecordIsTombstone holds for records whose value is null, with a schema or without: Kafka's RecordIsTombstone.
type RecordIsTombstone struct{}

var noProperties = config.NewDef()

// Config declares no properties.
func (RecordIsTombstone) Config() *config.Def { return noProperties }

// Configure does nothing.
func (RecordIsTombstone) Configure(config.Props) error { return nil }

// Close does nothing.
func (RecordIsTombstone) Close() {}

// Holds looks at the value.
func (RecordIsTombstone) Holds(r *connect.Record) (bool, error) { return r.Value == nil, nil }
