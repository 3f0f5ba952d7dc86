package simulated

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
)

// topic is one topic with its settings.
type topic struct {
	name       string
	configs    map[string]string // as given
	partitions []*partition

	compact, remove bool // cleanup.policy
	retentionMs     int64
	retentionBytes  int64
	roll            segmentRoll
	appendTime      bool
	maxMessage      int
	minISR          int
	unclean         bool
	compression     string
	beforeMax       int64
	afterMax        int64
	dirtyRatio      float64
	compactionLag   int64
	deleteRetention int64
}

// topicDefaults are Kafka's defaults for a topic's settings, in the order in which a person would read them.
var topicDefaults = []struct{ name, value string }{
	{"cleanup.policy", "delete"},
	{"compression.type", "producer"},
	{"delete.retention.ms", "86400000"},
	{"file.delete.delay.ms", "60000"},
	{"flush.messages", "9223372036854775807"},
	{"flush.ms", "9223372036854775807"},
	{"index.interval.bytes", "4096"},
	{"max.compaction.lag.ms", "9223372036854775807"},
	{"max.message.bytes", "1048588"},
	{"message.timestamp.after.max.ms", "3600000"},
	{"message.timestamp.before.max.ms", "9223372036854775807"},
	{"message.timestamp.type", "CreateTime"},
	{"min.cleanable.dirty.ratio", "0.5"},
	{"min.compaction.lag.ms", "0"},
	{"min.insync.replicas", "1"},
	{"preallocate", "false"},
	{"retention.bytes", "-1"},
	{"retention.ms", "604800000"},
	{"segment.bytes", "1073741824"},
	{"segment.index.bytes", "10485760"},
	{"segment.jitter.ms", "0"},
	{"segment.ms", "604800000"},
	{"unclean.leader.election.enable", "false"},
}

// effective are all settings of a topic with these given ones.
func (m *Model) effective(given map[string]string) map[string]string {
	out := make(map[string]string, len(topicDefaults)+len(given))
	for _, d := range topicDefaults {
		out[d.name] = d.value
	}
	out["max.message.bytes"] = strconv.Itoa(m.cfg.MessageMaxBytes)
	out["min.insync.replicas"] = strconv.Itoa(m.cfg.MinInSyncReplicas)
	out["retention.ms"] = strconv.FormatInt(max(m.cfg.LogRetention.Milliseconds(), -1), 10)
	if m.cfg.LogRetention == 0 {
		out["retention.ms"] = "-1"
	}
	maps.Copy(out, given)
	return out
}

// configure reads the settings into the topic, and says which one is wrong.
func (t *topic) configure(cfg map[string]string) error {
	r := configReader{cfg: cfg}
	for _, name := range slices.Sorted(maps.Keys(cfg)) {
		if !slices.ContainsFunc(topicDefaults, func(d struct{ name, value string }) bool { return d.name == name }) {
			return fmt.Errorf("unknown topic configuration %s", name)
		}
	}
	switch policy := cfg["cleanup.policy"]; policy {
	case "delete", "compact", "compact,delete", "delete,compact", "":
		t.compact, t.remove = strings.Contains(policy, "compact"), strings.Contains(policy, "delete")
	default:
		r.fail("cleanup.policy")
	}
	switch cfg["message.timestamp.type"] {
	case "CreateTime", "LogAppendTime":
		t.appendTime = cfg["message.timestamp.type"] == "LogAppendTime"
	default:
		r.fail("message.timestamp.type")
	}
	t.compression = cfg["compression.type"]
	if t.compression == "uncompressed" {
		t.compression = "none"
	}
	if _, ok := compressedShare[t.compression]; !ok && t.compression != "producer" {
		r.fail("compression.type")
	}
	t.beforeMax, t.afterMax = r.integer("message.timestamp.before.max.ms", 0), r.integer("message.timestamp.after.max.ms", 0)
	t.retentionMs = r.integer("retention.ms", -1)
	t.retentionBytes = r.integer("retention.bytes", math.MinInt64)
	t.roll = segmentRoll{r.integer("segment.bytes", 14), r.integer("segment.ms", 1)}
	t.maxMessage = int(r.integer("max.message.bytes", 0))
	t.minISR = int(r.integer("min.insync.replicas", 1))
	t.unclean = r.boolean("unclean.leader.election.enable")
	t.compactionLag = r.integer("min.compaction.lag.ms", 0)
	t.deleteRetention = r.integer("delete.retention.ms", 0)
	ratio, err := strconv.ParseFloat(cfg["min.cleanable.dirty.ratio"], 64)
	if err != nil || ratio < 0 || ratio > 1 {
		r.fail("min.cleanable.dirty.ratio")
	}
	t.dirtyRatio = ratio
	return r.err
}

type configReader struct {
	cfg map[string]string
	err error
}

func (r *configReader) fail(name string) {
	if r.err == nil {
		r.err = fmt.Errorf("invalid value %q for configuration %s", r.cfg[name], name)
	}
}

func (r *configReader) integer(name string, least int64) int64 {
	v, err := strconv.ParseInt(r.cfg[name], 10, 64)
	if err != nil || v < least {
		r.fail(name)
	}
	return v
}

func (r *configReader) boolean(name string) bool {
	v, err := strconv.ParseBool(r.cfg[name])
	if err != nil {
		r.fail(name)
	}
	return v
}

// validTopic is Kafka's rule for topic names.
func validTopic(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > 249 {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
}

// createTopic makes a topic; everything about it is known at once to all brokers.
func (m *Model) createTopic(n broker.NewTopic) (code, string) {
	rf, parts := int(n.ReplicationFactor), n.Partitions
	if parts == 0 || parts == -1 {
		parts = m.cfg.Partitions
	}
	if rf == 0 || rf == -1 {
		rf = m.cfg.ReplicationFactor
	}
	switch {
	case !validTopic(n.Name):
		return codeInvalidTopic, n.Name
	case m.topics[n.Name] != nil || n.Name == offsetsTopic || n.Name == txnTopic:
		return codeTopicExists, n.Name
	case parts < 1:
		return codeInvalidPartitions, n.Name
	case rf < 1 || rf > len(m.brokers):
		return codeInvalidReplication, n.Name
	}
	t := &topic{name: n.Name, configs: n.Configs}
	if err := t.configure(m.effective(n.Configs)); err != nil {
		return codeInvalidConfig, err.Error()
	}
	first := m.placement.IntN(len(m.brokers))
	for i := range parts {
		p := newPartition(m, t, i, m.spread(first+int(i), rf))
		p.elect(p.set.candidate())
		t.partitions = append(t.partitions, p)
	}
	m.topics[n.Name] = t
	m.metadataChanged()
	m.emitTopic(n.Name, parts, rf)
	return codeNone, ""
}

// spread chooses rf brokers in turn, beginning with the one at this place.
func (m *Model) spread(first, rf int) []int32 {
	out := make([]int32, rf)
	for i := range out {
		out[i] = int32((first+i)%len(m.brokers)) + 1
	}
	return out
}

func (m *Model) deleteTopic(name string) code {
	t := m.topics[name]
	if t == nil {
		return codeUnknownTopic
	}
	delete(m.topics, name)
	for _, p := range t.partitions {
		p.deleted = true
		p.set.elect(-1)
		p.set.fail()
		p.wakeFetches()
	}
	m.forgetOffsets(name)
	m.metadataChanged()
	return codeNone
}
