package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
)

// Filter drops every record that it is given; a predicate decides which these are. Kafka's Filter.
type Filter struct{}

var noProperties = config.NewDef()

// Config declares no properties.
func (*Filter) Config() *config.Def { return noProperties }

// Configure does nothing.
func (*Filter) Configure(config.Props) error { return nil }

// Close does nothing.
func (*Filter) Close() {}

// Apply drops the record.
func (*Filter) Apply(*connect.Record) (*connect.Record, error) { return nil, nil }

// ApplyInPlace drops the record.
func (*Filter) ApplyInPlace(*connect.Record) (*connect.Record, error) { return nil, nil }
