package conformance

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// connectHost is the machine that plugins run on.
var connectHost = host.NewMachine()

// ConnectPlugins are all plugins of this module: what the cases run with.
func ConnectPlugins() *connect.Plugins { return builtin.Plugins(file.Standard{}) }
