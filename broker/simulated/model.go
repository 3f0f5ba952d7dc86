package simulated

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// The topics on which coordinators keep their state.
const (
	offsetsTopic     = "__consumer_offsets"
	txnTopic         = "__transaction_state"
	coordinatorParts = 50 // offsets.topic.num.partitions, transaction.state.log.num.partitions
)

// Model is a model cluster. Its methods are called from events of the kernel, from its threads, or between runs; never from elsewhere.
type Model struct {
	k         *sim.Kernel
	net       *sim.Network
	cfg       Config
	brokers   []*node
	topics    map[string]*topic
	groups    []*coordinatorLog // by partition of offsetsTopic
	txns      []*coordinatorLog // by partition of txnTopic
	placement *rand.Rand
	ids       *rand.Rand

	nextProducer int64
	nextSession  int64
	watches      []*topicWatch
	quotas       map[quotaKey]float64
	headless     bool     // there is no controller
	decisions    []func() // what waits for one
	balance      *sim.Timer

	// Set by tests: told of each write that was refused, and of the records that a coordinator has appended.
	produceRefused func(code)
	written        func(l *coordinatorLog, records []any)
	sums           checksum
}

// New builds a model cluster on the kernel's network; all brokers are up.
func New(k *sim.Kernel, cfg Config) *Model {
	m := &Model{
		k: k, net: k.Network(), cfg: cfg.withDefaults(), topics: map[string]*topic{},
		placement: k.Rand("broker/placement"), ids: k.Rand("broker/ids"), nextProducer: 1000,
	}
	for i := range m.cfg.Brokers {
		m.brokers = append(m.brokers, newNode(m, int32(i)+1))
	}
	for i := range coordinatorParts {
		m.groups = append(m.groups, newCoordinatorLog(m, offsetsTopic, int32(i), newGroupCoordinator))
		m.txns = append(m.txns, newCoordinatorLog(m, txnTopic, int32(i), newTxnCoordinator))
	}
	for _, l := range m.coordinators() {
		l.elect(l.set.candidate())
	}
	return m
}

// coordinators are all coordinator logs, in a fixed order.
func (m *Model) coordinators() []*coordinatorLog { return slices.Concat(m.groups, m.txns) }

// sortedTopics are all topics by name.
func (m *Model) sortedTopics() []*topic {
	out := make([]*topic, 0, len(m.topics))
	for _, name := range slices.Sorted(maps.Keys(m.topics)) {
		out = append(out, m.topics[name])
	}
	return out
}

// partition returns a partition, or nil.
func (m *Model) partition(tp broker.TopicPartition) *partition {
	t := m.topics[tp.Topic]
	if t == nil || tp.Partition < 0 || int(tp.Partition) >= len(t.partitions) {
		return nil
	}
	return t.partitions[tp.Partition]
}

// led is a partition that this broker leads, or why it cannot answer for it.
func (b *node) led(tp broker.TopicPartition) (*partition, code) {
	switch p := b.m.partition(tp); {
	case p == nil:
		return nil, codeUnknownTopic
	case p.set.leader != b.id:
		return nil, codeNotLeader
	default:
		return p, codeNone
	}
}

// javaHash is String.hashCode for ASCII names, made positive as Kafka's Utils.abs does.
func javaHash(s string) int32 {
	var h int32
	for i := range len(s) {
		h = 31*h + int32(s[i])
	}
	return h & 0x7fffffff
}

func (m *Model) groupLog(group string) *coordinatorLog {
	return m.groups[javaHash(group)%coordinatorParts]
}
func (m *Model) txnLog(id string) *coordinatorLog { return m.txns[javaHash(id)%coordinatorParts] }

func (m *Model) replicasOf(tp broker.TopicPartition) (*replicaSet, func(int32)) {
	if l := m.coordinatorLog(tp); l != nil {
		return l.set, l.elect
	}
	if p := m.partition(tp); p != nil {
		return p.set, p.elect
	}
	return nil, nil
}

func (m *Model) coordinatorLog(tp broker.TopicPartition) *coordinatorLog {
	switch {
	case tp.Partition < 0 || tp.Partition >= coordinatorParts:
	case tp.Topic == offsetsTopic:
		return m.groups[tp.Partition]
	case tp.Topic == txnTopic:
		return m.txns[tp.Partition]
	}
	return nil
}

func (m *Model) eachReplicaSet(f func(s *replicaSet, elect func(int32))) {
	for _, t := range m.sortedTopics() {
		for _, p := range t.partitions {
			f(p.set, p.elect)
		}
	}
	for _, l := range m.coordinators() {
		f(l.set, l.elect)
	}
}

func (m *Model) emit(process, kind string, fields ...trace.Field) {
	m.k.Emit(process, trace.Event{Kind: kind, Fields: fields})
}

func (m *Model) emitTopic(name string, parts int32, rf int) {
	if m.k.Tracing() {
		m.emit(m.brokers[0].addr, "topic.create", trace.F("topic", name), trace.I("partitions", int64(parts)), trace.I("replicas", int64(rf)))
	}
}
