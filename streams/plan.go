package streams

import (
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// What the packages of this module need that run a topology by other means than an Instance, such as streamstest. The types are internal.

// Plan is the compiled plan.
func (t *Topology) Plan() *topology.Topology { return t.t }

// TaskConfig is what the tasks of a topology share under a configuration.
func TaskConfig(t *Topology, c *Config, h host.Host) *task.Config {
	return &task.Config{ApplicationID: c.prefix(), Topology: t.t, Host: h, MaxTaskIdle: c.MaxTaskIdle.Milliseconds(), EmitInterval: 1000, Buffered: c.Buffered,
		ForgetTime: c.ForgetTime, AppConfigs: c.Properties, StateDir: c.stateDirOf, Handlers: handlers(c, h.Log().With("application", c.ApplicationID))}
}
