package simulated

import (
	"fmt"
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
	sums         checksum
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

// CrashBroker stops a broker at once, as kill -9 does. What it leads moves after Config.BrokerSessionTimeout.
func (m *Model) CrashBroker(id int) {
	b := m.brokers[id-1]
	if !b.up {
		return
	}
	b.up = false
	b.incarnation++
	m.emit(b.addr, "broker.crash")
	m.net.Down(b.addr)
	b.dropSessions()
	for _, l := range m.coordinators() {
		if l.set.leader == b.id {
			l.stop()
		}
	}
	was := b.incarnation
	m.k.After(m.cfg.BrokerSessionTimeout, func() {
		if b.incarnation == was {
			m.fence(b)
		}
	})
}

// RestartBroker brings a crashed broker back with its logs.
func (m *Model) RestartBroker(id int) {
	b := m.brokers[id-1]
	if b.up {
		return
	}
	m.fence(b)
	b.up = true
	b.incarnation++
	m.emit(b.addr, "broker.start")
	b.listen()
	m.eachReplicaSet(func(s *replicaSet, elect func(int32)) {
		if s.leader < 0 {
			if c := s.candidate(); c >= 0 {
				elect(c)
			}
		}
		s.update()
	})
}

// BrokerUp says whether a broker is running.
func (m *Model) BrokerUp(id int) bool { return m.brokers[id-1].up }

// fence takes a dead broker out of the in-sync replicas and elects leaders for what it led.
func (m *Model) fence(b *node) {
	m.eachReplicaSet(func(s *replicaSet, elect func(int32)) {
		if !slices.Contains(s.replicas, b.id) {
			return
		}
		s.leave(b.id)
		if s.leader == b.id {
			elect(s.candidate())
		}
		s.update()
	})
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

// MoveLeader makes an in-sync replica the leader of a partition (of an ordinary topic, of __consumer_offsets or of
// __transaction_state), as a preferred-leader election does.
func (m *Model) MoveLeader(tp broker.TopicPartition, to int) error {
	s, elect := m.replicasOf(tp)
	switch {
	case s == nil:
		return codeUnknownTopic.err("ElectLeaders", tp.String())
	case !slices.Contains(s.isr, int32(to)) || !m.brokers[to-1].up:
		return fmt.Errorf("simulated: broker-%d is no in-sync replica of %s (in sync: %v)", to, tp, s.isr)
	case s.leader == int32(to):
		return nil
	}
	elect(int32(to))
	if m.k.Tracing() {
		m.emit(m.brokers[to-1].addr, "partition.leader", trace.F("topic", tp.Topic), trace.I("partition", int64(tp.Partition)),
			trace.I("epoch", int64(s.epoch)))
	}
	return nil
}

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

func (m *Model) emit(process, kind string, fields ...trace.Field) {
	m.k.Emit(process, trace.Event{Kind: kind, Fields: fields})
}

func (m *Model) emitTopic(name string, parts int32, rf int) {
	if m.k.Tracing() {
		m.emit(m.brokers[0].addr, "topic.create", trace.F("topic", name), trace.I("partitions", int64(parts)), trace.I("replicas", int64(rf)))
	}
}
