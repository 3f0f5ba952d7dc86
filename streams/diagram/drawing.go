package diagram

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
)

// drawing is what all formats draw.
type drawing struct {
	topics []topic
	boxes  []box
	edges  []edge
}

type topicKind int8

const (
	inputTopic topicKind = iota
	outputTopic
	internalTopic
)

type topic struct {
	id, name string
	kind     topicKind
}

// box is a sub-topology.
type box struct {
	id            int
	title         string
	nodes, stores []shape
}

type shape struct {
	id    string
	kind  string
	lines []string
}

// edge leads from one id to another; state: between a node and its store.
type edge struct {
	from, to string
	state    bool
}

// read makes the drawing of a description.
func read(d streams.TopologyDescription) *drawing {
	g := &drawing{}
	internal := map[string]bool{}
	for _, r := range d.Repartitions {
		internal[r.Topic] = true
	}
	nodes, stores := map[string]string{}, map[string]string{}
	for _, s := range d.Subtopologies { // ids first: edges may lead to later ones
		for _, n := range s.Nodes {
			nodes[n.Name] = fmt.Sprintf("n%d", len(nodes))
		}
	}
	for i, s := range d.Subtopologies {
		b := box{id: i, title: fmt.Sprintf("sub-topology %d", s.ID)}
		if s.Global {
			b.title += " (global)"
		}
		for _, x := range s.Stores {
			id := fmt.Sprintf("s%d", len(stores))
			stores[x.Name] = id
			b.stores = append(b.stores, shape{id, x.Kind, []string{x.Name, storeText(x)}})
		}
		for _, n := range s.Nodes {
			b.nodes = append(b.nodes, shape{nodes[n.Name], n.Kind, nodeLines(n)})
			g.connect(n, nodes, internal)
		}
		g.boxes = append(g.boxes, b)
	}
	for _, s := range d.Subtopologies {
		for _, n := range s.Nodes {
			for _, x := range n.Stores {
				if id, ok := stores[x]; ok {
					g.edges = append(g.edges, edge{nodes[n.Name], id, true})
				}
			}
		}
	}
	return g
}

// connect draws what a node reads and writes.
func (g *drawing) connect(n streams.NodeDescription, nodes map[string]string, internal map[string]bool) {
	id := nodes[n.Name]
	for _, c := range n.Successors {
		g.edges = append(g.edges, edge{id, nodes[c], false})
	}
	for _, t := range n.Topics {
		kind := inputTopic
		switch {
		case internal[t]:
			kind = internalTopic
		case n.Kind == "sink":
			kind = outputTopic
		}
		if t := g.topic(t, kind); n.Kind == "sink" {
			g.edges = append(g.edges, edge{id, t, false})
		} else {
			g.edges = append(g.edges, edge{t, id, false})
		}
	}
}

// topic is the id of a topic, drawn once.
func (g *drawing) topic(name string, kind topicKind) string {
	i := slices.IndexFunc(g.topics, func(t topic) bool { return t.name == name })
	if i < 0 {
		i = len(g.topics)
		g.topics = append(g.topics, topic{fmt.Sprintf("t%d", i), name, kind})
	}
	return g.topics[i].id
}

func nodeLines(n streams.NodeDescription) []string {
	lines := []string{n.Name}
	if n.Pattern != "" {
		lines = append(lines, "topics like "+n.Pattern)
	}
	if n.Extractor != "" {
		lines = append(lines, "topic by "+n.Extractor)
	}
	if len(n.Steps) > 0 {
		lines = append(lines, "step "+strings.Join(n.Steps, ", "))
	}
	return lines
}

func storeText(s streams.StoreDescription) string {
	parts := []string{s.Kind}
	if !s.Persistent {
		parts = append(parts, "in memory")
	}
	if s.Changelog == "" {
		parts = append(parts, "no changelog")
	}
	return strings.Join(parts, ", ")
}
