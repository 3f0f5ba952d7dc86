package thread

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// startAt sets the positions of paused partitions, to what is committed or where the reset policy says, and resumes them. A task that is
// made again after a failure may find its partitions moved on already, so what the consumer thinks is not trusted.
func (t *Thread) startAt(tps []broker.TopicPartition, committed map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	var fresh []broker.TopicPartition
	for _, tp := range tps {
		if c, ok := committed[tp]; ok {
			t.member.Seek(tp, c.Offset)
		} else {
			fresh = append(fresh, tp)
		}
	}
	at, err := t.resetPositions(fresh)
	if err != nil {
		return err
	}
	for _, tp := range fresh {
		t.member.Seek(tp, at[tp])
	}
	t.member.Resume(tps...)
	return nil
}

// outOfRange starts a partition anew whose offset the cluster no longer has, or has not any more.
func (t *Thread) outOfRange(out *broker.OffsetOutOfRange) error {
	t.log.Warn("streams: the position of an input is out of range: the reset policy decides", "error", out)
	at, err := t.resetPositions([]broker.TopicPartition{out.TopicPartition})
	if err != nil {
		return err
	}
	if tk := t.tasks[t.byTP[out.TopicPartition]]; tk != nil {
		tk.Moved(out.TopicPartition, at[out.TopicPartition])
	}
	t.member.Seek(out.TopicPartition, at[out.TopicPartition])
	t.emit("position.reset", trace.F("partition", out.TopicPartition.String()), trace.I("from", out.Offset), trace.I("to", at[out.TopicPartition]))
	return nil
}

// resetPositions are where the reset policies of partitions say: each topic's own, or else auto.offset.reset.
func (t *Thread) resetPositions(tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	var none []string
	var order []topology.Reset
	by := map[topology.Reset][]broker.TopicPartition{}
	for _, tp := range tps {
		r := t.resetOf(tp.Topic)
		if !r.ByTime && r.Policy == broker.ResetNone && !slices.Contains(none, tp.Topic) {
			none = append(none, tp.Topic)
		}
		if by[r] == nil {
			order = append(order, r)
		}
		by[r] = append(by[r], tp)
	}
	if len(none) > 0 {
		return nil, &NoResetError{none}
	}
	out := map[broker.TopicPartition]int64{}
	for _, r := range order {
		at, err := t.resetTo(r, by[r])
		if err != nil {
			return nil, err
		}
		for tp, o := range at { // into a map again
			out[tp] = o
		}
	}
	return out, nil
}

// resetOf is the reset policy of a topic of the cluster.
func (t *Thread) resetOf(topic string) topology.Reset {
	if r, ok := t.cfg.Task.Topology.ResetOf(topic); ok {
		return r
	}
	return t.cfg.Reset
}

func (t *Thread) resetTo(r topology.Reset, tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	admin := t.cfg.Cluster.Admin()
	switch {
	case r.ByTime:
		return t.since(t.cfg.Task.Host.Now().Add(-r.Ago), tps)
	case r.Policy == broker.ResetEarliest:
		return admin.EarliestOffsets(t.ctx, tps...)
	}
	return t.member.EndOffsets(t.ctx, broker.ReadCommitted, tps...)
}

// since are the first offsets of a time or later; the ends where there are none.
func (t *Thread) since(at time.Time, tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	out, err := t.cfg.Cluster.Admin().OffsetsForTime(t.ctx, max(0, at.UnixMilli()), tps...)
	if err != nil {
		return nil, err
	}
	var late []broker.TopicPartition
	for _, tp := range tps {
		if o, ok := out[tp]; !ok || o == broker.NoOffset {
			late = append(late, tp)
		}
	}
	if len(late) == 0 {
		return out, nil
	}
	ends, err := t.member.EndOffsets(t.ctx, broker.ReadCommitted, late...)
	if err != nil {
		return nil, err
	}
	for _, tp := range late {
		out[tp] = ends[tp]
	}
	return out, nil
}

// NoResetError is an input without a position and without a reset policy: Kafka's StreamsException.
type NoResetError struct{ Topics []string }

func (e *NoResetError) Error() string {
	return fmt.Sprintf("streams: no valid committed offset found for input [%s] and no valid reset policy configured: commit one, set auto.offset.reset to earliest or latest, or give the source a reset policy",
		strings.Join(e.Topics, ","))
}
func (e *NoResetError) Unwrap() error { return broker.ErrNoOffset }

// Class is Kafka's name of the error kind.
func (e *NoResetError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// grown is a running task that has got more inputs, which are paused until they are started.
type grown struct {
	task *task.Task
	tps  []broker.TopicPartition
}

// grow gives a task the inputs of its assignment that it does not have.
func (t *Thread) grow(tk *task.Task, assigned []broker.TopicPartition) {
	have := tk.Inputs()
	added := slices.DeleteFunc(slices.Clone(assigned), func(tp broker.TopicPartition) bool { return slices.Contains(have, tp) })
	if len(added) == 0 {
		return
	}
	t.member.Pause(added...)
	tk.AddInputs(added...)
	if tk.Running() {
		t.grown = append(t.grown, grown{tk, added})
	}
}

// startGrown starts the new inputs of running tasks.
func (t *Thread) startGrown() error {
	all := t.grown
	t.grown = nil
	for _, g := range all {
		if t.tasks[g.task.ID()] != g.task {
			continue
		}
		committed, err := t.member.Committed(t.ctx, g.tps...)
		if err != nil {
			return err
		}
		for _, tp := range g.tps {
			if c, ok := committed[tp]; ok {
				g.task.StartInput(tp, c)
			}
		}
		if err := t.startAt(g.tps, committed); err != nil {
			return err
		}
	}
	return nil
}
