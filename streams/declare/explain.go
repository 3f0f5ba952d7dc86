package declare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
)

// StepExplanation says what a step of the file has become.
type StepExplanation struct {
	Step string `json:"step"`
	Op   string `json:"op"`
	// In are the steps that it follows.
	In []string `json:"in,omitempty"`
	// Line and Column are where the file has it.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Nodes are those that it made or, a source, shares with a step that reads the same topic.
	Nodes  []NodeExplanation          `json:"nodes,omitempty"`
	Stores []streams.StoreDescription `json:"stores,omitempty"`
	// Repartition are the internal topics that it needs, by their full names.
	Repartition []string `json:"repartition_topics,omitempty"`
}

// NodeExplanation is a node that a step made.
type NodeExplanation struct {
	Subtopology int32  `json:"subtopology"`
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	// Topics are those that it reads or writes, by their full names.
	Topics []string `json:"topics,omitempty"`
	Stores []string `json:"stores,omitempty"`
	// Shared are the other steps that have the same node.
	Shared []string `json:"shared_with,omitempty"`
}

// Explain says what each step has become, in the order of the file: nodes, stores, changelogs and repartition topics, by the names that they
// have on a cluster. A step that only prepares another, such as group-by-key where the key is still that of the topic, has become nothing.
func (a *App) Explain() []StepExplanation {
	d := a.Topology.Description()
	prefix := a.Config["application.id"] + "-"
	internal := map[string]bool{}
	for _, r := range d.Repartitions {
		internal[r.Topic] = true
	}
	var out []StepExplanation
	for _, s := range a.steps {
		e := StepExplanation{Step: s.id, Op: s.opName, Line: s.line, Column: s.column}
		for _, in := range s.inputs {
			e.In = append(e.In, in.name)
		}
		for _, sub := range d.Subtopologies {
			e.from(sub, prefix, internal)
		}
		for _, r := range d.Repartitions {
			if slices.Contains(r.Steps, s.id) {
				e.Repartition = append(e.Repartition, prefix+r.Topic)
			}
		}
		out = append(out, e)
	}
	return out
}

// from takes what the step made in a sub-topology.
func (e *StepExplanation) from(sub streams.SubtopologyDescription, prefix string, internal map[string]bool) {
	for _, n := range sub.Nodes {
		if !slices.Contains(n.Steps, e.Step) {
			continue
		}
		x := NodeExplanation{Subtopology: sub.ID, Name: n.Name, Kind: n.Kind, Stores: n.Stores}
		for _, t := range n.Topics {
			if internal[t] {
				t = prefix + t
			}
			x.Topics = append(x.Topics, t)
		}
		for _, o := range n.Steps {
			if o != e.Step {
				x.Shared = append(x.Shared, o)
			}
		}
		e.Nodes = append(e.Nodes, x)
	}
	for _, s := range sub.Stores {
		if !slices.Contains(s.Steps, e.Step) {
			continue
		}
		if s.Changelog != "" && !s.SourceTopic {
			s.Changelog = prefix + s.Changelog
		}
		e.Stores = append(e.Stores, s)
	}
}

// String is the explanation in a few lines.
func (e StepExplanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Step, e.Op)
	if len(e.In) > 0 {
		fmt.Fprintf(&b, " of %s", strings.Join(e.In, ", "))
	}
	fmt.Fprintf(&b, " (line %d)\n", e.Line)
	for _, n := range e.Nodes {
		b.WriteString("    " + n.String() + "\n")
	}
	for _, s := range e.Stores {
		b.WriteString("    " + storeText(s) + "\n")
	}
	for _, t := range e.Repartition {
		fmt.Fprintf(&b, "    repartition topic %s, since records must change partition to meet those of their key\n", t)
	}
	if len(e.Nodes) == 0 && len(e.Stores) == 0 && len(e.Repartition) == 0 {
		b.WriteString("    nothing of its own: the steps after it use what it says\n")
	}
	return b.String()
}

func (n NodeExplanation) String() string {
	text := fmt.Sprintf("%s %s in sub-topology %d", n.Kind, n.Name, n.Subtopology)
	if len(n.Topics) > 0 {
		verb := map[string]string{"source": "reads", "sink": "writes"}[n.Kind]
		text += fmt.Sprintf(", %s %s", verb, strings.Join(n.Topics, ", "))
	}
	if len(n.Stores) > 0 {
		text += ", with store " + strings.Join(n.Stores, ", ")
	}
	if len(n.Shared) > 0 {
		text += ", shared with step " + strings.Join(n.Shared, ", ")
	}
	return text
}

func storeText(s streams.StoreDescription) string {
	place := "in memory"
	if s.Persistent {
		place = "on disk"
	}
	text := fmt.Sprintf("store %s: %s, %s", s.Name, s.Kind, place)
	if s.Caching {
		text += ", cached"
	}
	switch {
	case s.Changelog == "":
		return text + ", without changelog: it is empty after a move"
	case s.SourceTopic:
		return text + ", restored from the topic " + s.Changelog + " itself"
	}
	return text + ", changelog " + s.Changelog
}
