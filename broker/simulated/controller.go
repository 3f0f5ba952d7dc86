package simulated

import (
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// The controller is a quorum of its own beside the brokers: it decides on topics, leaders and in-sync replicas. While it is being
// replaced the brokers go on with what they have, and every decision waits.

// controlled has a decision of the controller taken: now, or as soon as there is one.
func (m *Model) controlled(decide func()) {
	if m.headless {
		m.decisions = append(m.decisions, decide)
		return
	}
	decide()
}

// CrashController leaves the cluster without a controller for Config.ControllerElection.
func (m *Model) CrashController() {
	if m.headless {
		return
	}
	m.headless = true
	m.emit("controller", "controller.crash")
	m.k.After(m.cfg.ControllerElection, func() {
		m.headless = false
		m.emit("controller", "controller.start")
		waiting := m.decisions
		m.decisions = nil
		for _, decide := range waiting {
			m.controlled(decide)
		}
		m.eachReplicaSet(func(s *replicaSet, _ func(int32)) {
			if s.leader >= 0 {
				s.expand()
				s.update()
			}
		})
	})
}

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
	m.watchBalance()
}

// electMissing gives a leader to what has none, as far as it can.
func (m *Model) electMissing() {
	m.eachReplicaSet(func(s *replicaSet, elect func(int32)) {
		if s.leader < 0 {
			if c := s.candidate(); c >= 0 {
				elect(c)
			}
		}
		s.update()
	})
	m.watchBalance()
}

// MoveLeader makes an in-sync replica the leader of a partition (of an ordinary topic, of __consumer_offsets or of
// __transaction_state), as a reassignment does.
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
	m.controlled(func() {
		elect(int32(to))
		m.emitLeader(tp, s)
		m.watchBalance()
	})
	return nil
}

// ElectUnclean makes a live replica the leader whether it is in sync or not, as an unclean election does: what it does not have is lost,
// whoever acknowledged it. Only partitions of ordinary topics can lose data so.
func (m *Model) ElectUnclean(tp broker.TopicPartition, to int) error {
	p := m.partition(tp)
	switch {
	case p == nil:
		return codeUnknownTopic.err("ElectLeaders", tp.String())
	case !slices.Contains(p.set.replicas, int32(to)) || !m.brokers[to-1].up:
		return fmt.Errorf("simulated: broker-%d is no live replica of %s (replicas: %v)", to, tp, p.set.replicas)
	case p.set.leader == int32(to):
		return nil
	}
	m.controlled(func() {
		p.elect(int32(to))
		m.emitLeader(tp, p.set)
		m.watchBalance()
	})
	return nil
}

// ElectPreferred gives a partition back to its preferred replica. The code is Kafka's: ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE.
func (m *Model) electPreferred(tp broker.TopicPartition) code {
	s, elect := m.replicasOf(tp)
	switch {
	case s == nil:
		return codeUnknownTopic
	case s.leader == s.replicas[0]:
		return codeElectionNotNeeded
	case !s.preferredReady(m):
		return codePreferredNotAvailable
	}
	elect(s.replicas[0])
	m.emitLeader(tp, s)
	return codeNone
}

func (s *replicaSet) preferredReady(m *Model) bool {
	return m.brokers[s.replicas[0]-1].up && slices.Contains(s.isr, s.replicas[0])
}

func (m *Model) emitLeader(tp broker.TopicPartition, s *replicaSet) {
	if m.k.Tracing() && s.leader > 0 {
		m.emit(brokerAddr(s.leader), "partition.leader", trace.F("topic", tp.Topic), trace.I("partition", int64(tp.Partition)), trace.I("epoch", int64(s.epoch)))
	}
}

// watchBalance sees to it that leaderships go back to preferred replicas, when there are some to go back to live ones.
func (m *Model) watchBalance() {
	every := m.cfg.LeaderRebalanceInterval
	if every < 0 || m.balance != nil {
		return
	}
	needed := false
	m.eachReplicaSet(func(s *replicaSet, _ func(int32)) {
		needed = needed || s.leader >= 0 && s.leader != s.replicas[0] && m.brokers[s.replicas[0]-1].up
	})
	if needed {
		m.balance = m.k.At(m.k.Now().Truncate(every).Add(every), func() {
			m.balance = nil
			m.controlled(m.rebalanceLeaders)
		})
	}
}

func (m *Model) rebalanceLeaders() {
	for _, t := range m.sortedTopics() {
		for _, p := range t.partitions {
			m.electPreferred(p.tp)
		}
	}
	for _, l := range m.coordinators() {
		m.electPreferred(l.tp)
	}
	m.watchBalance()
}

// StallReplica makes a follower stop fetching a partition: the high watermark waits for it until it leaves the in-sync replicas after
// Config.ReplicaLagTimeMax. ResumeReplica ends that. They say whether there is such a replica.
func (m *Model) StallReplica(tp broker.TopicPartition, id int) bool {
	s, _ := m.replicasOf(tp)
	if s == nil || !slices.Contains(s.replicas, int32(id)) {
		return false
	}
	if !slices.Contains(s.stalled, int32(id)) {
		s.stalled = append(s.stalled, int32(id))
		slices.Sort(s.stalled)
	}
	s.update()
	return true
}

// ResumeReplica ends StallReplica: the follower catches up, and is in sync again.
func (m *Model) ResumeReplica(tp broker.TopicPartition, id int) bool {
	s, _ := m.replicasOf(tp)
	if s == nil || !slices.Contains(s.replicas, int32(id)) {
		return false
	}
	s.stalled = slices.DeleteFunc(s.stalled, func(x int32) bool { return x == int32(id) })
	s.update()
	if s.leader >= 0 {
		s.expand()
	}
	return true
}

// ShrinkISR takes a stalled or dead follower out of the in-sync replicas at once. It says whether it was in.
func (m *Model) ShrinkISR(tp broker.TopicPartition, id int) bool {
	s, _ := m.replicasOf(tp)
	if s == nil || s.leader == int32(id) || !slices.Contains(s.isr, int32(id)) {
		return false
	}
	m.controlled(func() {
		s.leave(int32(id))
		if m.k.Tracing() {
			m.emit(brokerAddr(int32(id)), "partition.shrink", trace.F("topic", tp.Topic), trace.I("partition", int64(tp.Partition)))
		}
		s.update()
	})
	return true
}
