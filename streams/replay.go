package streams

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

func (t *Topology) store(name string) (*topology.Subtopology, *state.Spec) {
	for _, s := range t.t.Subs {
		for _, spec := range s.Stores {
			if spec.Name == name {
				return s, spec
			}
		}
	}
	return nil, nil
}

// Stores are the names of the topology's stores.
func (t *Topology) Stores() []string {
	var out []string
	for _, s := range t.t.Subs {
		for _, spec := range s.Stores {
			out = append(out, spec.Name)
		}
	}
	return out
}

// SourceTopics are the topics that the topology reads and does not write itself, sorted.
func (t *Topology) SourceTopics() []string {
	var out []string
	for _, topic := range t.t.SourceTopics() {
		if !t.t.IsRepartition(topic) {
			out = append(out, topic)
		}
	}
	return out
}

// InputTopics are all topics that an application of this id reads, repartition topics too, by their names on the cluster.
func (t *Topology) InputTopics(applicationID string) []string {
	var out []string
	for _, topic := range t.t.SourceTopics() {
		if t.t.IsRepartition(topic) {
			topic = applicationID + "-" + topic
		}
		out = append(out, topic)
	}
	return out
}

// Tasks are the tasks that an application of this id has, given how many partitions each topic has.
func (t *Topology) Tasks(applicationID string, partitions func(topic string) int32) []TaskID {
	var out []TaskID
	for _, s := range t.t.Subs {
		var most int32
		for _, topic := range s.Sources {
			if t.t.IsRepartition(topic) {
				topic = applicationID + "-" + topic
			}
			most = max(most, partitions(topic))
		}
		for p := range most {
			out = append(out, TaskID{Subtopology: s.ID, Partition: p})
		}
	}
	return out
}

// Replay restores a store from the records of one partition of its changelog, and returns what it holds then, in the form of
// Instance.Inspect: what a store must hold that says the same as its changelog.
func (t *Topology) Replay(store string, changelog []broker.Record) ([][2][]byte, error) {
	_, spec := t.store(store)
	if spec == nil {
		return nil, fmt.Errorf("streams: the topology has no store %q: it has %s", store, strings.Join(t.Stores(), ", "))
	}
	h, err := state.OpenDB(state.NewMemory()).Open(*spec, state.OpenConfig{Ctx: new(state.RecordContext)})
	if err != nil {
		return nil, err
	}
	for i := range changelog {
		if err := h.Restore(changelog[i].Key, changelog[i].Value, changelog[i].Timestamp); err != nil {
			return nil, err
		}
	}
	return h.Rows()
}

// CommittedDrops reads out of a group's committed offsets how many records each processor has dropped over the application's life: the
// counters are committed with the offsets, so that a crash neither loses nor repeats any.
func (t *Topology) CommittedDrops(applicationID string, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) (map[string]int64, error) {
	type key struct {
		task TaskID
		node string
	}
	most := map[key]int64{}
	for _, s := range t.t.Subs {
		for _, topic := range s.Sources {
			if t.t.IsRepartition(topic) {
				topic = applicationID + "-" + topic
			}
			for tp, o := range offsets { // a maximum does not depend on order
				if tp.Topic != topic {
					continue
				}
				_, numbers, err := task.DecodeMetadata(o.Metadata)
				if err != nil {
					return nil, err
				}
				for name, n := range numbers { // into a map again
					if node, ok := strings.CutPrefix(name, operator.DropKey); ok {
						k := key{TaskID{Subtopology: s.ID, Partition: tp.Partition}, node}
						most[k] = max(most[k], n)
					}
				}
			}
		}
	}
	out := map[string]int64{}
	for k, n := range most { // a sum does not depend on order
		out[k.node] += n
	}
	return out, nil
}
