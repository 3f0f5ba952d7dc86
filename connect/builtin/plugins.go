// Package builtin is for having all plugins of this module in one registry: what the command, the conformance cases and scenarios run with.
package builtin

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/converters"
	"github.com/kstreamlab/kstreamlab/connect/converters/avro"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/converters/jsonschema"
	"github.com/kstreamlab/kstreamlab/connect/converters/protobuf"
	"github.com/kstreamlab/kstreamlab/connect/predicates"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
	"github.com/kstreamlab/kstreamlab/connect/transforms/debezium"
)

// Plugins are all of them. Connectors of standard input and output use std.
func Plugins(std file.Standard) *connect.Plugins {
	p := connect.NewPlugins()
	converters.Register(p)
	json.Register(p)
	avro.Register(p)
	jsonschema.Register(p)
	protobuf.Register(p)
	transforms.Register(p)
	debezium.Register(p)
	predicates.Register(p)
	file.Register(p, std)
	return p
}
