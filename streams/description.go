package streams

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// TopologyDescription is what a topology is made of, as values: for programs, pictures and explanations. It is Kafka's TopologyDescription,
// with the stores and internal topics beside it. Names of internal topics are without the application's prefix, as in Topology.Describe.
type TopologyDescription struct {
	Subtopologies []SubtopologyDescription `json:"subtopologies"`
	// Repartitions are the internal topics between sub-topologies.
	Repartitions []RepartitionDescription `json:"repartition_topics,omitempty"`
	// Copartitioned are groups of topics that must have equally many partitions.
	Copartitioned [][]string `json:"copartitioned,omitempty"`
}

// SubtopologyDescription is a connected part: one task for each partition of its sources.
type SubtopologyDescription struct {
	ID int32 `json:"id"`
	// Global: the part feeds global stores on every instance, and has no tasks.
	Global bool              `json:"global,omitempty"`
	Nodes  []NodeDescription `json:"nodes"`
	// Stores are those of the nodes.
	Stores []StoreDescription `json:"stores,omitempty"`
}

// NodeDescription is a source, processor or sink.
type NodeDescription struct {
	Name string `json:"name"`
	// Kind is source, processor or sink.
	Kind string `json:"kind"`
	// Topics are those that a source reads, or the one that a sink writes; a sink whose topic is chosen by record has none.
	Topics []string `json:"topics,omitempty"`
	// Pattern is what the topics of a source match that has no fixed ones.
	Pattern string `json:"pattern,omitempty"`
	// Reset is a source's own reset policy.
	Reset string `json:"reset,omitempty"`
	// Extractor names what chooses a sink's topic by record.
	Extractor string `json:"topic_chosen_by,omitempty"`
	// Stores are a processor's.
	Stores       []string `json:"stores,omitempty"`
	Predecessors []string `json:"predecessors,omitempty"`
	Successors   []string `json:"successors,omitempty"`
	// Steps are the labels, given with Builder.Step, of the steps that made the node: the id of a step of app.yaml. Several steps share a
	// node where they read the same topic.
	Steps []string `json:"steps,omitempty"`
}

// StoreDescription is a state store.
type StoreDescription struct {
	Name string `json:"name"`
	// Kind is key-value, timestamped, window, timestamped-window, session, versioned or suppress-buffer.
	Kind string `json:"kind"`
	// Persistent: on disk, else in memory.
	Persistent bool `json:"persistent"`
	Caching    bool `json:"caching"`
	// Changelog is the topic from which the store is restored; empty: there is none. SourceTopic: it is a topic that the application reads.
	Changelog   string `json:"changelog,omitempty"`
	SourceTopic bool   `json:"changelog_is_source,omitempty"`
	// WindowSizeMs, RetentionMs and HistoryMs are those of windowed and versioned stores, in milliseconds.
	WindowSizeMs int64 `json:"window_size_ms,omitempty"`
	RetentionMs  int64 `json:"retention_ms,omitempty"`
	HistoryMs    int64 `json:"history_ms,omitempty"`
	// Steps are as a node's.
	Steps []string `json:"steps,omitempty"`
}

// RepartitionDescription is an internal topic by which one sub-topology sends records to another by key.
type RepartitionDescription struct {
	Topic string `json:"topic"`
	// Partitions is fixed by a step, or 0: as many as the sources above have.
	Partitions int32    `json:"partitions,omitempty"`
	Steps      []string `json:"steps,omitempty"`
}

// Description is what the topology is made of. The values are the caller's.
func (t *Topology) Description() TopologyDescription {
	var d TopologyDescription
	for _, s := range t.t.Subs {
		d.Subtopologies = append(d.Subtopologies, t.subtopology(s))
	}
	for _, r := range t.t.Repartitions {
		d.Repartitions = append(d.Repartitions, RepartitionDescription{r.Topic, r.Partitions, slices.Clone(r.Steps)})
	}
	for _, topics := range t.t.Copartition {
		d.Copartitioned = append(d.Copartitioned, slices.Clone(topics))
	}
	return d
}

func (t *Topology) subtopology(s *topology.Subtopology) SubtopologyDescription {
	d := SubtopologyDescription{ID: s.ID, Global: s.Global}
	used := map[string]bool{}
	for _, n := range s.Nodes {
		d.Nodes = append(d.Nodes, describeNode(n))
		for _, name := range n.Stores {
			used[name] = true
		}
	}
	stores := s.Stores
	if s.Global {
		stores = slices.DeleteFunc(slices.Clone(t.t.GlobalStores()), func(x *state.Spec) bool { return !used[x.Name] })
	}
	for _, x := range stores {
		d.Stores = append(d.Stores, t.describeStore(x))
	}
	return d
}

func describeNode(n *topology.Node) NodeDescription {
	d := NodeDescription{Name: n.Name, Reset: n.Reset, Stores: slices.Clone(n.Stores), Predecessors: slices.Clone(n.Parents), Steps: slices.Clone(n.Steps)}
	switch n.Kind {
	case topology.SourceNode:
		d.Kind, d.Topics = "source", slices.Clone(n.Topics)
		if n.Pattern != nil {
			d.Pattern = n.Pattern.String()
		}
	case topology.ProcessorNode:
		d.Kind = "processor"
	case topology.SinkNode:
		d.Kind, d.Extractor = "sink", n.Extractor
		if n.Topic != "" {
			d.Topics, d.Extractor = []string{n.Topic}, ""
		}
	}
	for _, c := range n.Children {
		d.Successors = append(d.Successors, c.Name)
	}
	return d
}

func (t *Topology) describeStore(s *state.Spec) StoreDescription {
	d := StoreDescription{Name: s.Name, Kind: s.Kind.String(), Persistent: !s.InMemory, Caching: s.Caching && !s.Global, WindowSizeMs: s.WindowSize, RetentionMs: s.Retention,
		HistoryMs: s.History, Steps: slices.Clone(t.t.StoreSteps(s.Name))}
	switch {
	case s.Source != "":
		d.Changelog, d.SourceTopic = s.Source, true
	case s.Logging:
		d.Changelog = s.Name + "-changelog"
	}
	return d
}
