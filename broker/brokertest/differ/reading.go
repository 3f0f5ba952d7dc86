package differ

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

func (p *player) consumer(args []string) string {
	reset := map[string]broker.ResetPolicy{"earliest": broker.ResetEarliest, "latest": broker.ResetLatest, "none": broker.ResetNone}[args[2]]
	c, err := p.process.Cluster().NewConsumer(p.ctx, broker.ConsumerConfig{Isolation: isolation(args[1]), Reset: reset, MaxWait: 50 * time.Millisecond})
	if err == nil {
		p.consumers[args[0]] = &consumer{Consumer: c, isolation: isolation(args[1]), reset: reset, assigned: map[broker.TopicPartition]bool{}}
	}
	return class(err)
}

// assign assigns partitions, as in "assign c1 a-0@start a-1@reset b-0@2". Offsets out of range become the nearest: whether they
// still are when they are fetched, and where a reset leads then, is no promise.
func (p *player) assign(args []string) string {
	c := p.consumers[args[0]]
	if c == nil {
		return absent
	}
	at, lost := map[broker.TopicPartition]int64{}, false
	c.assigned = map[broker.TopicPartition]bool{}
	for _, a := range args[1:] {
		tp, where, _ := strings.Cut(a, "@")
		if topic, _, _ := strings.Cut(tp, "-"); p.topics[topic] == 0 {
			continue // how long a consumer waits for a topic is no promise
		}
		switch where {
		case "start":
			at[p.tp(tp)] = p.within(c, p.tp(tp), 0)
		case "reset":
			at[p.tp(tp)] = broker.NoOffset
			lost = lost || c.reset == broker.ResetNone
		default:
			at[p.tp(tp)] = p.within(c, p.tp(tp), number(where))
		}
		c.assigned[p.tp(tp)] = false
	}
	if err := c.Assign(p.ctx, at); err != nil {
		return class(err)
	}
	if c.lost = lost; lost {
		return "nowhere" // reading fails
	}
	return p.settled(args[0], c)
}

// within is an offset, or the end when that is less; below the start it is the start, unless that is an error for good.
func (p *player) within(c *consumer, tp broker.TopicPartition, offset int64) int64 {
	ends, err := p.admin().EndOffsets(p.ctx, broker.ReadUncommitted, tp)
	if err != nil {
		return 0 // no such partition
	}
	starts, err := p.admin().EarliestOffsets(p.ctx, tp)
	if err != nil || c.reset == broker.ResetNone {
		return min(offset, ends[tp])
	}
	return max(min(offset, ends[tp]), starts[tp])
}

// settled waits until every position is known: where a reset leads must not depend on what is written later.
func (p *player) settled(name string, c *consumer) string {
	playing := c.unpaused()
	c.Pause(playing...)
	defer c.Resume(playing...)
	var failed error
	known := p.eventually(func() bool {
		unknown := slices.ContainsFunc(slices.Collect(maps.Keys(c.assigned)), func(tp broker.TopicPartition) bool { return c.Position(tp) == broker.NoOffset })
		if unknown {
			_, failed = c.Poll(p.ctx, 1, time.Millisecond)
		}
		return !unknown || failed != nil
	})
	if failed != nil {
		return p.broken(name, failed)
	}
	return fmt.Sprintf("known %v", known)
}

// broken closes a consumer whose Poll has failed: how far it came in other partitions is no promise.
func (p *player) broken(name string, err error) string {
	lost := p.consumers[name].lost
	p.consumers[name].Close()
	delete(p.consumers, name)
	if lost {
		return "error lost" // which of two comes first is no promise
	}
	return class(err)
}

func (c *consumer) unpaused() []broker.TopicPartition {
	var out []broker.TopicPartition
	for _, tp := range slices.SortedFunc(maps.Keys(c.assigned), broker.TopicPartition.Compare) {
		if !c.assigned[tp] {
			out = append(out, tp)
		}
	}
	return out
}

func (p *player) read(args []string) string {
	c := p.consumers[args[0]]
	if c == nil {
		return absent
	}
	came, err := p.drain(c.Consumer, c.isolation, c.unpaused(), -1)
	if err != nil {
		return p.broken(args[0], err)
	}
	return came
}

// drain polls until every position is at the end, or limit records have come (limit < 0: all), and tells what came.
func (p *player) drain(c broker.Consumer, isolation broker.IsolationLevel, tps []broker.TopicPartition, limit int) (string, error) {
	ends, err := p.admin().EndOffsets(p.ctx, isolation, tps...)
	if err != nil {
		return "", err
	}
	came := map[broker.TopicPartition][]string{}
	left := limit
	var failed error
	done := p.eventually(func() bool {
		behind := slices.ContainsFunc(tps, func(tp broker.TopicPartition) bool { return c.Position(tp) < ends[tp] })
		if !behind || limit >= 0 && left == 0 {
			return true
		}
		most := 1000
		if limit >= 0 {
			most = left
		}
		batches, err := c.Poll(p.ctx, most, 200*time.Millisecond)
		for _, b := range batches {
			for _, r := range b.Records {
				came[b.TopicPartition] = append(came[b.TopicPartition], fmt.Sprintf("%s@%d", r.Value, r.Offset))
				left--
			}
		}
		failed = err
		return err != nil
	})
	if failed != nil {
		return "", failed
	}
	var out []string
	for _, tp := range tps {
		out = append(out, fmt.Sprintf("%s%v", p.short(tp), came[tp]))
	}
	return fmt.Sprintf("%s done %v", strings.Join(out, " "), done), nil
}

// take reads some records of one partition.
func (p *player) take(args []string) string {
	c := p.consumers[args[0]]
	tp := p.tp(args[1])
	if c == nil {
		return absent
	}
	playing := c.unpaused()
	if c.lost || !slices.Contains(playing, tp) {
		return "not read"
	}
	others := slices.DeleteFunc(slices.Clone(playing), func(o broker.TopicPartition) bool { return o == tp })
	c.Pause(others...)
	came, err := p.drain(c.Consumer, c.isolation, []broker.TopicPartition{tp}, int(number(args[2])))
	if err != nil {
		return p.broken(args[0], err)
	}
	c.Resume(others...)
	if limit := int(number(args[2])); strings.Count(came, "@") == limit {
		return came // whether the position has passed what follows is no promise
	}
	return fmt.Sprintf("%s at %d", came, c.Position(tp))
}

func (p *player) seek(args []string) string {
	c := p.consumers[args[0]]
	if c == nil {
		return absent
	}
	if _, ok := c.assigned[p.tp(args[1])]; !ok {
		return "not assigned"
	}
	if c.lost {
		return "not now" // whether the error was found before is no promise
	}
	c.Seek(p.tp(args[1]), p.within(c, p.tp(args[1]), number(args[2])))
	return fmt.Sprint(c.Position(p.tp(args[1])))
}

func (p *player) pause(args []string) string  { return p.setPause(args, true) }
func (p *player) resume(args []string) string { return p.setPause(args, false) }

func (p *player) setPause(args []string, paused bool) string {
	c := p.consumers[args[0]]
	if c == nil {
		return absent
	}
	tp := p.tp(args[1])
	if _, ok := c.assigned[tp]; !ok {
		return "not assigned"
	}
	c.assigned[tp] = paused
	if paused {
		c.Pause(tp)
	} else {
		c.Resume(tp)
	}
	return "ok"
}

// position is compared where it is a promise: at the end.
func (p *player) position(args []string) string {
	c := p.consumers[args[0]]
	if c == nil {
		return absent
	}
	tp := p.tp(args[1])
	if _, ok := c.assigned[tp]; !ok {
		return fmt.Sprint(c.Position(tp))
	}
	ends, err := p.admin().EndOffsets(p.ctx, c.isolation, tp)
	if err != nil {
		return class(err)
	}
	return fmt.Sprintf("at the end %v", c.Position(tp) >= ends[tp])
}
