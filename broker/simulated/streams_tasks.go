package simulated

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

func hasTask(ts []broker.StreamsTask, t broker.StreamsTask) bool {
	_, found := slices.BinarySearchFunc(ts, t, broker.StreamsTask.Compare)
	return found
}

func addTask(ts []broker.StreamsTask, t broker.StreamsTask) []broker.StreamsTask {
	i, found := slices.BinarySearchFunc(ts, t, broker.StreamsTask.Compare)
	if found {
		return ts
	}
	return slices.Insert(ts, i, t)
}

// filterTasks are those of ts that keep says, in a slice of its own.
func filterTasks(ts []broker.StreamsTask, keep func(broker.StreamsTask) bool) []broker.StreamsTask {
	var out []broker.StreamsTask
	for _, t := range ts {
		if keep(t) {
			out = append(out, t)
		}
	}
	return out
}

// minusTasks is a without b.
func minusTasks(a, b []broker.StreamsTask) []broker.StreamsTask {
	return filterTasks(a, func(t broker.StreamsTask) bool { return !hasTask(b, t) })
}

func bothTasks(a, b []broker.StreamsTask) []broker.StreamsTask {
	return filterTasks(a, func(t broker.StreamsTask) bool { return hasTask(b, t) })
}

func mergeTasks(a, b []broker.StreamsTask) []broker.StreamsTask {
	out := slices.Clone(a)
	for _, t := range b {
		out = addTask(out, t)
	}
	return out
}

// eachRole applies f to the active, standby and warm-up tasks of a and b.
func eachRole(a, b broker.StreamsTasks, f func(a, b []broker.StreamsTask) []broker.StreamsTask) broker.StreamsTasks {
	return broker.StreamsTasks{Active: f(a.Active, b.Active), Standby: f(a.Standby, b.Standby), Warmup: f(a.Warmup, b.Warmup)}
}

func equalTasks(a, b broker.StreamsTasks) bool {
	return slices.Equal(a.Active, b.Active) && slices.Equal(a.Standby, b.Standby) && slices.Equal(a.Warmup, b.Warmup)
}

func noTasks(t broker.StreamsTasks) bool { return len(t.Active)+len(t.Standby)+len(t.Warmup) == 0 }

// within says whether a has nothing that b has not.
func within(a, b broker.StreamsTasks) bool { return noTasks(eachRole(a, b, minusTasks)) }
