package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
)

// configuredTopology is a streams group's topology put on the topics that there are: how many tasks each sub-topology has, or why the
// group is not ready.
type configuredTopology struct {
	tasks   []subtopologyTasks // sorted by sub-topology
	status  []broker.StreamsStatus
	missing []broker.NewTopic // internal topics to create
	topics  []topicCount      // what it was made from
}

// subtopologyTasks is how many tasks a sub-topology has, and whether they have state.
type subtopologyTasks struct {
	id       string
	count    int32
	stateful bool
}

// topicCount is a topic's number of partitions; 0: it does not exist.
type topicCount struct {
	topic string
	count int32
}

func (c *configuredTopology) ready() bool { return len(c.status) == 0 }

func (c *configuredTopology) all(stateful bool) []broker.StreamsTask {
	var out []broker.StreamsTask
	for _, s := range c.tasks {
		for i := range s.count {
			if s.stateful || !stateful {
				out = append(out, broker.StreamsTask{Subtopology: s.id, Partition: i})
			}
		}
	}
	return out
}

// topicsOf are all topics that a topology names, sorted.
func topicsOf(t *broker.StreamsTopology) []string {
	var out []string
	for i := range t.Subtopologies {
		s := &t.Subtopologies[i]
		out = append(out, s.SourceTopics...)
		for _, topics := range [][]broker.StreamsTopic{s.RepartitionSources, s.Changelogs} {
			for _, x := range topics {
				out = append(out, x.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// topicCounts are the present numbers of partitions.
func (m *Model) topicCounts(topics []string) []topicCount {
	out := make([]topicCount, len(topics))
	for i, name := range topics {
		out[i].topic = name
		if t := m.topics[name]; t != nil {
			out[i].count = int32(len(t.partitions))
		}
	}
	return out
}

// topologySetup works a topology out, step by step; fault ends it.
type topologySetup struct {
	t     *broker.StreamsTopology
	has   map[string]int32 // topics that exist
	want  map[string]int32 // repartition topics: what they have to have; 0: not known yet
	fixed map[string]bool  // of those, the ones that the user has fixed
	fault *broker.StreamsStatus
}

// configure puts a topology on topics.
func configure(t *broker.StreamsTopology, topics []topicCount) *configuredTopology {
	s := &topologySetup{t: t, has: map[string]int32{}, want: map[string]int32{}, fixed: map[string]bool{}}
	for _, c := range topics {
		if c.count > 0 {
			s.has[c.topic] = c.count
		}
	}
	out := &configuredTopology{topics: topics}
	for _, step := range []func(){s.checkSources, s.countRepartitions, s.copartition} {
		if step(); s.fault != nil {
			out.status = append(out.status, *s.fault)
			return out
		}
	}
	s.internal(out)
	if s.fault != nil {
		out.status = append(out.status, *s.fault)
	}
	return out
}

func (s *topologySetup) fail(code broker.StreamsStatusCode, format string, args ...any) {
	if s.fault == nil {
		s.fault = &broker.StreamsStatus{Code: code, Detail: fmt.Sprintf(format, args...)}
	}
}

// checkSources demands that the user's topics are there.
func (s *topologySetup) checkSources() {
	var missing []string
	for i := range s.t.Subtopologies {
		for _, name := range s.t.Subtopologies[i].SourceTopics {
			if s.has[name] == 0 && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
		for _, x := range s.t.Subtopologies[i].RepartitionSources {
			s.want[x.Name] = x.Partitions
			s.fixed[x.Name] = x.Partitions > 0
		}
	}
	if slices.Sort(missing); missing != nil {
		s.fail(broker.MissingSourceTopics, "Source topics %s are missing.", strings.Join(missing, ", "))
	}
}

// countRepartitions gives each repartition topic as many partitions as the largest source of those who write it.
func (s *topologySetup) countRepartitions() {
	for progress := true; progress; {
		progress = false
		for i := range s.t.Subtopologies {
			n, known := s.sourceCount(&s.t.Subtopologies[i])
			if !known {
				continue
			}
			for _, sink := range s.t.Subtopologies[i].RepartitionSinks {
				if have, ours := s.want[sink]; ours && !s.fixed[sink] && n > have {
					s.want[sink], progress = n, true
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.want)) {
		if s.want[name] == 0 {
			s.fail(broker.IncorrectlyPartitionedTopics, "Failed to compute number of partitions for all repartition topics: nobody writes %s.", name)
		}
	}
}

// sourceCount is the largest number of partitions of a sub-topology's sources, as far as they are all known.
func (s *topologySetup) sourceCount(sub *broker.StreamsSubtopology) (n int32, known bool) {
	known = true
	for _, name := range sub.SourceTopics {
		n = max(n, s.has[name])
	}
	for _, x := range sub.RepartitionSources {
		n = max(n, s.want[x.Name])
		known = known && s.want[x.Name] > 0
	}
	return n, known
}

// copartition makes the topics of each group equal: the user's must be; repartition topics follow them, or the largest of their own.
func (s *topologySetup) copartition() {
	for i := range s.t.Subtopologies {
		for _, g := range s.t.Subtopologies[i].Copartition {
			s.copartitionGroup(slices.Sorted(slices.Values(g)))
		}
	}
}

func (s *topologySetup) copartitionGroup(group []string) {
	var given, free []string // what cannot be changed; what can
	count := int32(0)
	for _, name := range group {
		n, internal := s.want[name]
		if !internal {
			n = s.has[name]
		}
		if internal && !s.fixed[name] {
			free = append(free, name)
			continue
		}
		given = append(given, fmt.Sprintf("%s:%d", name, n))
		if count != 0 && n != count {
			s.fail(broker.IncorrectlyPartitionedTopics, "Following topics do not have the same number of partitions: [%s]", strings.Join(s.counted(group), ", "))
		}
		count = n
	}
	if len(given) == 0 {
		for _, name := range free {
			count = max(count, s.want[name])
		}
	}
	for _, name := range free {
		s.want[name] = count
	}
}

func (s *topologySetup) counted(group []string) []string {
	var out []string
	for _, name := range group {
		n, internal := s.want[name]
		if !internal {
			n = s.has[name]
		}
		if !internal || s.fixed[name] {
			out = append(out, fmt.Sprintf("%s=%d", name, n))
		}
	}
	return out
}

// internal counts tasks, and finds internal topics that are missing or wrong.
func (s *topologySetup) internal(out *configuredTopology) {
	need := func(x broker.StreamsTopic, n int32) {
		switch have := s.has[x.Name]; {
		case have == 0:
			out.missing = append(out.missing, broker.NewTopic{Name: x.Name, Partitions: n, ReplicationFactor: x.ReplicationFactor, Configs: x.Configs})
		case have != n:
			s.fail(broker.IncorrectlyPartitionedTopics, "Existing topic %s has different number of partitions: expected %d, found %d", x.Name, n, have)
		}
	}
	for i := range s.t.Subtopologies {
		sub := &s.t.Subtopologies[i]
		n, _ := s.sourceCount(sub)
		out.tasks = append(out.tasks, subtopologyTasks{sub.ID, n, len(sub.Changelogs) > 0})
		for _, x := range sub.RepartitionSources {
			need(x, s.want[x.Name])
		}
		for _, x := range sub.Changelogs {
			need(x, n)
		}
	}
	slices.SortFunc(out.missing, func(a, b broker.NewTopic) int { return strings.Compare(a.Name, b.Name) })
	if len(out.missing) > 0 {
		names := make([]string, len(out.missing))
		for i := range out.missing {
			names[i] = out.missing[i].Name
		}
		s.fail(broker.MissingInternalTopics, "Internal topics are missing: [%s]", strings.Join(names, ", "))
	}
}
