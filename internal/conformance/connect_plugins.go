package conformance

import (
	"github.com/kstreamlab/kstreamlab/connect"
)

// ConnectPlugins are all plugins of this module: what the cases run with.
func ConnectPlugins() *connect.Plugins {
	p := connect.NewPlugins()
	return p
}
