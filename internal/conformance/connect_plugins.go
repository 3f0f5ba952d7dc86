package conformance

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/converters"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// connectHost is the machine that plugins run on.
var connectHost = host.NewMachine()

// ConnectPlugins are all plugins of this module: what the cases run with.
func ConnectPlugins() *connect.Plugins {
	p := connect.NewPlugins()
	converters.Register(p)
	json.Register(p)
	return p
}
