// Package topology is for the physical plan: sources, processors, sinks and stores by name, grouped into sub-topologies, each of which
// runs as one task a partition. It is Kafka's InternalTopologyBuilder.
package topology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Kind is the kind of a node.
type Kind int8

// The kinds.
const (
	SourceNode Kind = iota
	ProcessorNode
	SinkNode
)

// Node is a node of the plan.
type Node struct {
	Kind    Kind
	Name    string
	Parents []string // in order of declaration
	Stores  []string // ProcessorNode: in order of connection
	// Topics are a source's, in order of declaration; internal ones without the application's prefix.
	Topics []string
	// Pattern, of a source, finds its topics while the application runs; Topics is then empty.
	Pattern *Pattern
	Reset   string // SourceNode: as ParseReset reads it; empty: the application's default
	// Topic is a sink's; empty: Extractor describes what chooses it.
	Topic     string
	Extractor string
	// Global: the node feeds a global store, and runs in no task of a group.
	Global bool
	// New makes the node of one task, a new one at each call; a processor.Input for a source.
	New func() processor.Instance

	Children []*Node // in order of declaration
	// Steps are the labels of the user's steps that made the node.
	Steps []string
}

// Repartition is an internal topic between two sub-topologies.
type Repartition struct {
	Topic string // without the application's prefix
	// Partitions is fixed by the user, or 0: then the most partitions of any source of the sub-topology that writes it.
	Partitions int32
	// Steps are the labels of the user's steps that made it.
	Steps []string
}

// Error is Kafka's TopologyException: a topology that cannot be.
type Error struct{ Text string }

func (e *Error) Error() string { return "Invalid topology: " + e.Text }

// Class is Kafka's name of the error kind.
func (e *Error) Class() string { return "org.apache.kafka.streams.errors.TopologyException" }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// CheckName says whether a node, store or topic may have this name: letters, digits, '.', '_' and '-', at most 249 of them.
func CheckName(name string) error {
	switch {
	case name == "":
		return errorf("Name is illegal, it can't be empty")
	case name == "." || name == "..":
		return errorf(`Name cannot be "." or ".."`)
	case len(name) > 249:
		return errorf("Name is illegal, it can't be longer than 249 characters, name: %s", name)
	}
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			return errorf(`Name %q is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'`, name)
		}
	}
	return nil
}

// Builder collects nodes. The first error stays and is returned by Build.
type Builder struct {
	nodes        []*Node
	byName       map[string]*Node
	stores       []*state.Spec
	storeUsers   map[string][]string
	repartitions []Repartition
	copartition  [][]string // source topics, as named in nodes
	together     [][]*Node  // the sources themselves
	topicSource  map[string]string
	serdes       map[string]StoreSerdes
	storeSteps   map[string][]string
	err          error
	// Steps label what is added from now on.
	Steps []string
}

// NewBuilder returns an empty builder.
func NewBuilder() *Builder {
	return &Builder{byName: map[string]*Node{}, storeUsers: map[string][]string{}, topicSource: map[string]string{}, serdes: map[string]StoreSerdes{},
		storeSteps: map[string][]string{}}
}

// Err is the first error.
func (b *Builder) Err() error { return b.err }

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Add adds a node. Its parents must be there.
func (b *Builder) Add(n *Node) {
	if b.byName[n.Name] != nil {
		b.fail(errorf("Processor %s is already added.", n.Name))
		return
	}
	for _, p := range n.Parents {
		parent := b.byName[p]
		switch {
		case p == n.Name:
			b.fail(errorf("Processor %s cannot be a predecessor of itself.", n.Name))
		case parent == nil:
			b.fail(errorf("Predecessor processor %s is not added yet for %s", p, n.Name))
		case parent.Kind == SinkNode:
			b.fail(errorf("Sink %s cannot be used as a parent of %s", p, n.Name))
		}
		if b.err != nil {
			return
		}
	}
	for _, t := range n.Topics {
		if by, ok := b.topicSource[t]; ok {
			b.fail(errorf("Topic %s has already been registered by another source %s.", t, by))
			return
		}
		b.matched(t)
		b.topicSource[t] = n.Name
	}
	if n.Pattern != nil {
		b.addPattern(n)
	}
	if n.Reset != "" {
		if _, err := ParseReset(n.Reset); err != nil {
			b.fail(err)
		}
	}
	for _, p := range n.Parents {
		b.byName[p].Children = append(b.byName[p].Children, n)
	}
	stores := n.Stores
	n.Stores, n.Steps = nil, b.Steps
	b.byName[n.Name] = n
	b.nodes = append(b.nodes, n)
	b.Connect(n.Name, stores...)
}

// Fail refuses the topology; the first error stays.
func (b *Builder) Fail(err error) { b.fail(err) }

// Store is a store that was added; nil: there is none of that name.
func (b *Builder) Store(name string) *state.Spec {
	if i := slices.IndexFunc(b.stores, func(s *state.Spec) bool { return s.Name == name }); i >= 0 {
		return b.stores[i]
	}
	return nil
}

// AddStore adds a store and connects it to nodes. The same spec may come again.
func (b *Builder) AddStore(s *state.Spec, nodes ...string) {
	for _, have := range b.stores {
		if have.Name == s.Name && have != s {
			b.fail(errorf("A different StateStore has already been added with the name %s", s.Name))
			return
		}
	}
	if !slices.Contains(b.stores, s) {
		b.stores = append(b.stores, s)
		b.storeSteps[s.Name] = b.Steps
	}
	for _, n := range nodes {
		b.Connect(n, s.Name)
	}
}

// StoreSerdes notes the serdes of a store.
func (b *Builder) StoreSerdes(store string, key, value any) {
	b.serdes[store] = StoreSerdes{key, value}
}

// Connect connects a processor to stores.
func (b *Builder) Connect(node string, stores ...string) {
	n := b.byName[node]
	for _, s := range stores {
		if n == nil {
			b.fail(errorf("Processor %s is not added yet.", node))
			return
		}
		if !slices.Contains(n.Stores, s) {
			n.Stores = append(n.Stores, s)
			b.storeUsers[s] = append(b.storeUsers[s], node)
		}
	}
}

// AddRepartition declares an internal topic. It may come again.
func (b *Builder) AddRepartition(r Repartition) {
	for _, have := range b.repartitions {
		if have.Topic == r.Topic {
			return
		}
	}
	r.Steps = b.Steps
	b.repartitions = append(b.repartitions, r)
}

// Copartition demands that these source nodes' topics have equally many partitions.
func (b *Builder) Copartition(sources ...string) {
	var topics []string
	var nodes []*Node
	for _, s := range sources {
		if n := b.byName[s]; n != nil {
			topics, nodes = append(topics, n.Topics...), append(nodes, n)
		}
	}
	b.together = append(b.together, nodes)
	if len(topics) > 1 {
		b.copartition = append(b.copartition, topics)
	}
}

// Topology is a finished plan. It is immutable.
type Topology struct {
	Subs  []*Subtopology
	nodes map[string]*Node
	order []*Node // all nodes, in order of declaration
	// Repartitions are all internal topics between sub-topologies, sorted by topic.
	Repartitions []Repartition
	// Copartition are groups of source topics that must have equally many partitions.
	Copartition [][]string
	together    [][]*Node // the sources of these groups, also those that have no topics yet
	serdes      map[string]StoreSerdes
	storeSteps  map[string][]string
	// globalStores are the stores of all global parts.
	globalStores []*state.Spec
}

// StoreSerdes are a store's serdes: a serde.Serde of its key and of its value.
type StoreSerdes struct{ Key, Value any }

// StoreSerdes are the serdes of a store.
func (t *Topology) StoreSerdes(store string) StoreSerdes { return t.serdes[store] }

// StoreSteps are the labels of the user's steps that made a store.
func (t *Topology) StoreSteps(store string) []string { return t.storeSteps[store] }

// GlobalStores are the stores of all global parts.
func (t *Topology) GlobalStores() []*state.Spec { return t.globalStores }

// Subtopology is a connected part of a topology: one task a partition.
type Subtopology struct {
	ID     int32
	Nodes  []*Node // in order of declaration: parents before children
	Stores []*state.Spec
	// Sources are the topics read, sorted; Sinks the fixed topics written.
	Sources, Sinks []string
	// Global: the part feeds global stores. It has no tasks, so that Sources and Stores are empty; see Topology.Globals.
	Global bool
}

// checkCopartition refuses repartition topics of fixed, different numbers of partitions where they must be equal.
func (b *Builder) checkCopartition() {
	for _, topics := range b.copartition {
		var text []string
		same, first := true, int32(0)
		for _, t := range topics {
			i := slices.IndexFunc(b.repartitions, func(r Repartition) bool { return r.Topic == t && r.Partitions > 0 })
			if i < 0 {
				text = nil
				break
			}
			n := b.repartitions[i].Partitions
			if len(text) == 0 {
				first = n
			}
			same = same && n == first
			text = append(text, fmt.Sprintf("%s=%d", t, n))
		}
		if len(text) > 0 && !same {
			b.fail(errorf("Following topics do not have the same number of partitions: [{%s}]", strings.Join(text, ", ")))
		}
	}
}

// Build groups the nodes. The builder must not be used afterwards.
func (b *Builder) Build() (*Topology, error) {
	b.checkStores()
	b.checkCopartition()
	if b.err != nil {
		return nil, b.err
	}
	t := &Topology{nodes: b.byName, order: b.nodes, serdes: b.serdes, storeSteps: b.storeSteps, Repartitions: b.repartitions, Copartition: b.copartition,
		together: b.together}
	slices.SortFunc(t.Repartitions, func(x, y Repartition) int { return strings.Compare(x.Topic, y.Topic) })
	root := b.groups()
	subs := map[string]*Subtopology{}
	for _, n := range b.nodes {
		s := subs[root[n.Name]]
		if s == nil {
			s = &Subtopology{ID: int32(len(t.Subs))}
			subs[root[n.Name]] = s
			t.Subs = append(t.Subs, s)
		}
		s.Nodes = append(s.Nodes, n)
	}
	for _, s := range t.Subs {
		s.finish(b.stores)
		if s.Global = s.Nodes[0].Global; s.Global {
			t.globalStores = append(t.globalStores, s.Stores...)
			s.Sources, s.Stores = nil, nil
		}
	}
	return t, nil
}

// checkStores demands that every store that a node names is there.
func (b *Builder) checkStores() {
	for _, n := range b.nodes {
		for _, s := range n.Stores {
			if !slices.ContainsFunc(b.stores, func(x *state.Spec) bool { return x.Name == s }) {
				b.fail(errorf("StateStore %s is not added yet.", s))
			}
		}
	}
}

// finish fills in what follows from the nodes: the stores in the order in which nodes name them, which is the order of flushes.
func (s *Subtopology) finish(stores []*state.Spec) {
	s.Stores, s.Sources, s.Sinks = nil, nil, nil
	for _, n := range s.Nodes {
		s.Sources = append(s.Sources, n.Topics...)
		if n.Kind == SinkNode && n.Topic != "" {
			s.Sinks = append(s.Sinks, n.Topic)
		}
		for _, name := range n.Stores {
			if i := slices.IndexFunc(stores, func(x *state.Spec) bool { return x.Name == name }); i >= 0 && !slices.Contains(s.Stores, stores[i]) {
				s.Stores = append(s.Stores, stores[i])
			}
		}
	}
	slices.Sort(s.Sources)
	slices.Sort(s.Sinks)
	s.Sinks = slices.Compact(s.Sinks)
}

// Merged is the topology with all sub-topologies as one, for a driver that runs everything in one task.
func (t *Topology) Merged() *Topology {
	out := *t
	all := &Subtopology{}
	var stores []*state.Spec
	for _, s := range t.Subs {
		stores = append(stores, s.Stores...)
	}
	all.Nodes = slices.DeleteFunc(slices.Clone(t.order), func(n *Node) bool { return n.Global })
	all.finish(stores)
	out.Subs = []*Subtopology{all}
	return &out
}

// Globals is the part of the topology that feeds global stores, as one sub-topology with its sources and stores; nil: there is none.
func (t *Topology) Globals() *Topology {
	if len(t.globalStores) == 0 {
		return nil
	}
	out := *t
	all := &Subtopology{Nodes: slices.DeleteFunc(slices.Clone(t.order), func(n *Node) bool { return !n.Global })}
	all.finish(t.globalStores)
	out.Subs = []*Subtopology{all}
	return &out
}

// groups finds the connected components over edges and shared stores: node name to the name of its component's representative.
func (b *Builder) groups() map[string]string {
	up := map[string]string{}
	var find func(string) string
	find = func(n string) string {
		if up[n] == n {
			return n
		}
		up[n] = find(up[n])
		return up[n]
	}
	for _, n := range b.nodes {
		up[n.Name] = n.Name
	}
	for _, n := range b.nodes {
		for _, p := range n.Parents {
			up[find(n.Name)] = find(p)
		}
	}
	for _, s := range b.stores {
		users := b.storeUsers[s.Name]
		for _, u := range users[min(1, len(users)):] {
			up[find(u)] = find(users[0])
		}
	}
	root := map[string]string{}
	for _, n := range b.nodes {
		root[n.Name] = find(n.Name)
	}
	return root
}

// IsRepartition says whether a topic, as nodes name it, is internal.
func (t *Topology) IsRepartition(topic string) bool {
	return slices.ContainsFunc(t.Repartitions, func(r Repartition) bool { return r.Topic == topic })
}

// SourceTopics are the topics that the topology reads, as nodes name them, sorted.
func (t *Topology) SourceTopics() []string {
	all := map[string]bool{}
	for _, s := range t.Subs {
		for _, topic := range s.Sources {
			all[topic] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
