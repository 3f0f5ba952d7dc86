package streamstest

import (
	"context"
	"math/rand/v2"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// startGlobal makes the task that feeds the global stores, if there are some. As in Kafka's test driver, bytes of a global topic that
// cannot be read are always passed over, and the stores share the record cache with those of the tasks.
func (d *Driver) startGlobal(top *streams.Topology, tc *task.Config, budget *state.Budget) error {
	plan := top.Plan().Globals()
	if plan == nil {
		return nil
	}
	gc := task.GlobalConfig(tc, plan)
	gc.Handlers.Deserialization = func(processor.TaskID, string, broker.TopicPartition, *broker.Record, error) bool { return true }
	var inputs []broker.TopicPartition
	for _, topic := range plan.SourceTopics() {
		inputs = append(inputs, broker.TopicPartition{Topic: topic})
	}
	collector := task.NewCollector(context.Background(), d.out, false, rand.New(rand.NewPCG(1, 1)), nil)
	var err error
	if d.global, err = task.New(gc, task.GlobalID, inputs, budget, collector); err != nil {
		return err
	}
	if err := d.global.Activate(nil); err != nil {
		return err
	}
	tc.Global = d.global.ReadOnly(d.clock.NewMutex())
	return nil
}

func (d *Driver) globalTopics() (topics []string) {
	if d.global == nil {
		return nil
	}
	for _, tp := range d.global.Inputs() {
		topics = append(topics, tp.Topic)
	}
	return topics
}

// refeed fills the global stores anew from their topics, as a start does.
func (d *Driver) refeed() error {
	records := d.fedGlobal
	d.fedGlobal = nil
	for i := range records {
		if err := d.feedGlobal(d.topics.get(records[i].Topic), &records[i]); err != nil {
			return err
		}
	}
	return nil
}

// feedGlobal processes a record of a global topic at once.
func (d *Driver) feedGlobal(t *topic, r *Record) error {
	d.fedGlobal = append(d.fedGlobal, *r)
	end := at(&t.queued, 0)
	next := r.Record
	next.Offset = *end
	*end++
	d.global.Add(&broker.Batch{TopicPartition: broker.TopicPartition{Topic: t.name}, Records: []broker.Record{next}, Next: *end, HighWatermark: *end, LastStable: *end}, false)
	for {
		n, _, _, err := d.global.Process(1, d.now())
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	for _, h := range d.global.Handles() {
		if err := h.Flush(); err != nil {
			return err
		}
	}
	return nil
}
