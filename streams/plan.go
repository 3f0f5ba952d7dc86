package streams

import (
	"log/slog"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
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

// handlers are the built-in exception handlers of a configuration.
func handlers(c *Config, log *slog.Logger) task.Handlers {
	h := task.Handlers{DeadLetters: c.DeadLetters}
	h.Deserialization = func(id processor.TaskID, source string, tp broker.TopicPartition, r *broker.Record, err error) bool {
		log.Error("streams: cannot read a record", "task", id.String(), "source", source, "partition", tp.String(), "offset", r.Offset, "error", err)
		return c.ContinueDeserialization
	}
	h.Processing = func(id processor.TaskID, node string, ctx *processor.RecordContext, err error) bool {
		log.Error("streams: cannot process a record", "task", id.String(), "processor", node, "topic", ctx.Topic, "partition", ctx.Partition, "offset", ctx.Offset, "error", err)
		return c.ContinueProcessing
	}
	h.Production = func(tp broker.TopicPartition, err error) bool {
		log.Error("streams: cannot write a record", "partition", tp.String(), "error", err)
		return c.ContinueProduction
	}
	h.Serialization = func(id processor.TaskID, origin string, ctx *processor.RecordContext, err error) bool {
		log.Error("streams: cannot write a record: its "+origin+" does not serialize", "task", id.String(), "topic", ctx.Topic, "offset", ctx.Offset, "error", err)
		return c.ContinueProduction
	}
	return h
}
