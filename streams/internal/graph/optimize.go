package graph

import (
	"fmt"
	"slices"
)

// Repartition is a repartition topic between two steps.
type Repartition struct {
	// Topic is its name without the application's prefix.
	Topic string
	// Key and Value are its serdes, or nil.
	Key, Value any
	// Make makes the node of a topic that stands for several; it is of the same type as this one.
	Make func(topic string, key, value any) *Node
}

// note remembers what the optimisation looks at.
func (g *Graph) note(n *Node) {
	switch {
	case n.KeyChanging:
		g.changers = append(g.changers, n)
	case n.Repartition != nil:
		if c := changerOf(n); c != nil && !slices.Contains(g.repartitions[c], n) {
			g.repartitions[c] = append(g.repartitions[c], n)
		}
	case n.Merge:
		g.merges = append(g.merges, n)
	}
}

// changerOf is the key-changing step above a repartition node, unless a value-changing step is nearer.
func changerOf(n *Node) *Node {
	nearest := find(n, func(x *Node) bool { return x.KeyChanging || x.ValueChanging })
	if c := find(n, func(x *Node) bool { return x.KeyChanging }); c != nil && c == nearest {
		return c
	}
	return nil
}

// find looks for a step at n or above. Like Kafka's, it gives the last branch's answer where no direct parent matches.
func find(n *Node, match func(*Node) bool) (found *Node) {
	if match(n) {
		return n
	}
	for _, p := range n.parents {
		if match(p) {
			return p
		}
		found = find(p, match)
	}
	return found
}

func isChildOf(p *Node) func(*Node) bool {
	return func(n *Node) bool { return slices.Contains(n.parents, p) }
}

// mergeRepartitions replaces the repartition topics below a key-changing step by one right behind that step: KIP-295's
// merge.repartition.topics. The topic is named after the first.
func (g *Graph) mergeRepartitions() error {
	g.moveToMerges()
	for _, changer := range g.changers {
		nodes := g.repartitions[changer]
		if len(nodes) == 0 {
			continue
		}
		var key, value any
		for _, n := range nodes {
			if key == nil {
				key = n.Repartition.Key
			}
			if value == nil {
				value = n.Repartition.Value
			}
		}
		one := nodes[0].Repartition.Make(nodes[0].Repartition.Topic, key, value)
		one.priority = changer.priority
		for _, n := range nodes {
			one.steps = append(one.steps, n.steps...)
			child := find(n, isChildOf(changer))
			if child == nil {
				return &PathError{changer.Name, n.Name}
			}
			link(one, child)
			unlink(changer, child)
			for _, c := range slices.Clone(n.children) {
				for _, p := range n.parents {
					link(p, c)
				}
				unlink(n, c)
			}
			for _, p := range slices.Clone(n.parents) {
				unlink(p, n)
			}
		}
		link(changer, one)
	}
	return nil
}

// PathError is a repartition topic that cannot be merged with others: the way to it from the key-changing step goes through a step that
// was moved with another one's way. Kafka refuses such a topology too.
type PathError struct{ Changer, Repartition string }

func (e *PathError) Error() string {
	return fmt.Sprintf("merge.repartition.topics: no step below %s leads to %s", e.Changer, e.Repartition)
}

// Class is Kafka's name of the error kind.
func (e *PathError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// moveToMerges gives the repartition nodes below a merge of several re-keyed streams to the merge.
func (g *Graph) moveToMerges() {
	var order []*Node
	above := map[*Node][]*Node{}
	for _, m := range g.merges {
		for _, c := range g.changers {
			if g.allBelow(m, g.repartitions[c]) && find(m, isChildOf(c)) != nil {
				above[m] = append(above[m], c)
			}
		}
		order = append(order, m)
	}
	for _, m := range order {
		var nodes []*Node
		for _, c := range above[m] {
			nodes = append(nodes, g.repartitions[c]...)
			delete(g.repartitions, c)
		}
		g.repartitions[m] = nodes
		g.changers = append(g.changers, m)
	}
}

func (g *Graph) allBelow(m *Node, nodes []*Node) bool {
	return !slices.ContainsFunc(nodes, func(n *Node) bool { return find(n, isChildOf(m)) == nil })
}
