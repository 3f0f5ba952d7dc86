package streams

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// Config is an application's configuration: Kafka Streams' properties under their own names, parsed.
type Config struct {
	ApplicationID       string
	TopicPrefix         string   // begins the names of internal topics; empty: ApplicationID
	ProcessID           [16]byte // zero: read from, or kept in, the state directory
	ClientID            string
	Endpoint            string
	StateDir            string
	Threads             int
	ExactlyOnce         bool
	CommitInterval      time.Duration
	TransactionTimeout  time.Duration
	SessionTimeout      time.Duration
	HeartbeatInterval   time.Duration
	MaxPollInterval     time.Duration
	MaxPollRecords      int
	MaxTaskIdle         time.Duration // negative: do not wait
	Buffered            int
	CacheBytes          int64
	Uncommitted         int64
	TaskTimeout         time.Duration
	PurgeInterval       time.Duration
	Reset               broker.ResetPolicy
	ResetAgo            *time.Duration // auto.offset.reset=by_duration, which then counts instead of Reset; nil: it is not
	ReplicationFactor   int16
	AdditionalRetention int64 // ms
	InstanceID          string
	InMemory            bool // default.dsl.store=in_memory
	// MemoryEngine keeps persistent stores in memory too: they are restored from their changelogs after a restart.
	MemoryEngine bool
	// ForgetTime: operators forget their stream time with each restart, as in Kafka Streams.
	ForgetTime bool
	// Continue tells which handlers skip instead of failing.
	ContinueDeserialization, ContinueProcessing, ContinueProduction bool
	DeadLetters                                                     string
	// Handlers are exception handlers of the application's own. They have no property: set them after ParseConfig.
	Handlers     Handlers
	TopicConfigs map[string]string
	// Properties are all as they were given, for the clients.
	Properties map[string]string
	// Unknown are the names that nothing understands; they are warned about once.
	Unknown []string
}

// ParseConfig parses properties. All errors are reported at once, each a *PropertyError.
func ParseConfig(props map[string]string) (Config, error) {
	v, unknown := check(props)
	unknown = v.checkClients(props, unknown)
	if v.text("application.id") == "" {
		v.errs = append(v.errs, errors.New(`Missing required configuration "application.id" which has no default value`))
	}
	ms := func(name string) time.Duration { return time.Duration(v.number(name)) * time.Millisecond }
	c := Config{
		ApplicationID: v.text("application.id"), TopicPrefix: v.text(topicPrefix), ClientID: v.text("client.id"), Endpoint: v.text("application.server"), StateDir: v.text("state.dir"),
		Threads: int(v.number("num.stream.threads")), ExactlyOnce: v.text("processing.guarantee") == "exactly_once_v2",
		CommitInterval: ms("commit.interval.ms"), TransactionTimeout: ms("transaction.timeout.ms"), SessionTimeout: ms("session.timeout.ms"),
		HeartbeatInterval: ms("heartbeat.interval.ms"), MaxPollInterval: ms("max.poll.interval.ms"), MaxPollRecords: int(v.number("max.poll.records")),
		MaxTaskIdle: ms("max.task.idle.ms"), Buffered: int(v.number("buffered.records.per.partition")), CacheBytes: v.number("statestore.cache.max.bytes"),
		Uncommitted: v.number("statestore.uncommitted.max.bytes"), TaskTimeout: ms("task.timeout.ms"), PurgeInterval: ms("repartition.purge.interval.ms"), ReplicationFactor: int16(v.number("replication.factor")),
		AdditionalRetention: v.number("windowstore.changelog.additional.retention.ms"), InstanceID: v.text("group.instance.id"),
		InMemory: v.inMemory(), ForgetTime: v.text(operatorTime) == "forgotten",
		ContinueDeserialization: continues(v.text("deserialization.exception.handler")), ContinueProcessing: continues(v.text("processing.exception.handler")),
		ContinueProduction: continues(v.text("production.exception.handler")), DeadLetters: v.text("errors.dead.letter.queue.topic.name"),
		TopicConfigs: map[string]string{}, Properties: maps.Clone(props), Unknown: unknown,
	}
	c.TopicPrefix = c.prefix()
	if c.ExactlyOnce && !v.has("commit.interval.ms") {
		c.CommitInterval = 100 * time.Millisecond
	}
	if c.ExactlyOnce && c.TransactionTimeout < c.CommitInterval {
		v.errs = append(v.errs, fmt.Errorf("transaction.timeout.ms %d must not be smaller than commit.interval.ms %d: the broker would abort transactions before they are committed",
			c.TransactionTimeout.Milliseconds(), c.CommitInterval.Milliseconds()))
	}
	if strings.ContainsAny(c.ApplicationID, "/\\") || c.ApplicationID == "." || c.ApplicationID == ".." {
		v.errs = append(v.errs, &PropertyError{Name: "application.id", Value: c.ApplicationID, Want: "it names topics and a directory: letters, digits, '.', '_' and '-' only"})
	}
	if r, err := topology.ParseReset(v.text(offsetReset)); err == nil { // else it is reported already
		c.Reset = r.Policy
		if r.ByTime {
			c.ResetAgo = &r.Ago
		}
	}
	for k, value := range props { // into a map again
		if name, ok := strings.CutPrefix(k, "topic."); ok {
			c.TopicConfigs[name] = value
		}
	}
	return c, v.err()
}

// reset is where a partition starts that has no committed offset, and whose source does not say.
func (c *Config) reset() topology.Reset {
	if c.ResetAgo != nil {
		return topology.Reset{ByTime: true, Ago: *c.ResetAgo}
	}
	return topology.Reset{Policy: c.Reset}
}

// prefix begins the names of internal topics.
func (c *Config) prefix() string {
	if c.TopicPrefix != "" {
		return c.TopicPrefix
	}
	return c.ApplicationID
}

func continues(handler string) bool {
	return handler == "continue" || strings.Contains(handler, "LogAndContinue")
}

// stateDirOf is the directory of a task, or of the global one.
func (c *Config) stateDirOf(id processor.TaskID) string {
	if id == task.GlobalID {
		return c.taskDir("global")
	}
	return c.taskDir(id.String())
}

func (c *Config) taskDir(id string) string { return path.Join(c.StateDir, c.ApplicationID, id) }
