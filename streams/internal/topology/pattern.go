package topology

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Pattern is a regular expression that a topic's whole name must match: java.util.regex.Pattern with matches(). The syntax is Go's
// (RE2), which has no look-around and no back references.
type Pattern struct {
	text string
	re   *regexp.Regexp
}

// NewPattern reads a pattern. The error is a *PatternError.
func NewPattern(text string) (*Pattern, error) {
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if _, alone := regexp.Compile(text); alone != nil {
		err = alone
	}
	if err != nil {
		return nil, &PatternError{text, err}
	}
	return &Pattern{text, re}, nil
}

// Matches says whether a topic's name matches.
func (p *Pattern) Matches(topic string) bool { return p.re.MatchString(topic) }

func (p *Pattern) String() string { return p.text }

// PatternError is a pattern that cannot be read.
type PatternError struct {
	Pattern string
	Err     error
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("streams: %q is no pattern of topics: %v", e.Pattern, e.Err)
}
func (e *PatternError) Unwrap() error { return e.Err }

// Class is Kafka's name of the error kind.
func (e *PatternError) Class() string { return "java.util.regex.PatternSyntaxException" }

// addPattern checks the pattern of a source against the topics of others.
func (b *Builder) addPattern(n *Node) {
	for _, topic := range slices.Sorted(maps.Keys(b.topicSource)) {
		if n.Pattern.Matches(topic) && !b.byName[b.topicSource[topic]].Global {
			b.fail(errorf("Pattern %s will match a topic that has already been registered by another source.", n.Pattern))
		}
	}
}

// matched refuses a topic that another source's pattern matches.
func (b *Builder) matched(topic string) {
	for _, n := range b.nodes {
		if n.Pattern != nil && n.Pattern.Matches(topic) {
			b.fail(errorf("Topic %s matches a Pattern already registered by another source.", topic))
		}
	}
}

// HasPatterns says whether there are sources whose topics are found out while the application runs.
func (t *Topology) HasPatterns() bool {
	return slices.ContainsFunc(t.order, func(n *Node) bool { return n.Pattern != nil })
}

// Matches says whether a pattern of one of the part's sources matches a topic.
func (s *Subtopology) Matches(topic string) bool {
	return slices.ContainsFunc(s.Nodes, func(n *Node) bool { return n.Pattern != nil && n.Pattern.Matches(topic) })
}

// Matches says whether a source reads a topic by its pattern. Internal topics are for the caller to leave out: see IsInternal.
func (t *Topology) Matches(topic string) bool {
	return slices.ContainsFunc(t.order, func(n *Node) bool { return n.Pattern != nil && n.Pattern.Matches(topic) })
}

// IsInternal says whether a topic of a cluster is a repartition or changelog topic of the application whose internal topics begin with
// this prefix and a hyphen.
func (t *Topology) IsInternal(topic, prefix string) bool {
	name, ok := strings.CutPrefix(topic, prefix+"-")
	if !ok {
		return false
	}
	store, changelog := strings.CutSuffix(name, "-changelog")
	return t.IsRepartition(name) || changelog && slices.ContainsFunc(t.order, func(n *Node) bool { return slices.Contains(n.Stores, store) })
}

// Resolve is the topology with the topics of a cluster that its patterns match in the place of the patterns. The result is for handing out
// tasks: its sub-topologies have the sources, their nodes do not. A topic that two patterns match is an error.
func (t *Topology) Resolve(topics []string) (*Topology, error) {
	if !t.HasPatterns() {
		return t, nil
	}
	found, err := t.match(topics)
	if err != nil {
		return nil, err
	}
	out := *t
	out.Subs = nil
	for _, s := range t.Subs {
		sub := *s
		sub.Sources = slices.Clone(s.Sources)
		for _, n := range s.Nodes {
			sub.Sources = append(sub.Sources, found[n]...)
		}
		slices.Sort(sub.Sources)
		out.Subs = append(out.Subs, &sub)
	}
	out.Copartition = nil
	for _, group := range t.together {
		var topics []string
		for _, n := range group {
			topics = append(append(topics, n.Topics...), found[n]...)
		}
		if len(topics) > 1 {
			out.Copartition = append(out.Copartition, topics)
		}
	}
	return &out, nil
}

// match finds each pattern's topics, sorted.
func (t *Topology) match(topics []string) (map[*Node][]string, error) {
	found := map[*Node][]string{}
	for _, topic := range slices.Sorted(slices.Values(topics)) {
		var by *Node
		for _, n := range t.order {
			switch {
			case n.Pattern == nil || !n.Pattern.Matches(topic):
			case by != nil:
				return nil, errorf("Topic %s is already matched for another regex pattern %s and hence cannot be matched to this regex pattern %s any more.",
					topic, by.Pattern, n.Pattern)
			default:
				by = n
				found[n] = append(found[n], topic)
			}
		}
	}
	return found, nil
}
