package simulated

import (
	"cmp"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// stickyAssignor is the streams group's assignor "sticky": a task goes to who has it, then to who has a copy of its state, then to the
// process with the least to do. Standbys go to other processes, in the same order of preference.
type stickyAssignor struct {
	members   []*assignee // sorted by id
	processes []*assigneeProcess
	quota     int // of active tasks for a member
}

// assignee is a member, with what it had and what it gets.
type assignee struct {
	id      string
	process *assigneeProcess
	had     broker.StreamsTasks
	offsets []broker.StreamsTaskOffset
	gets    broker.StreamsTasks
}

func (a *assignee) load() int { return len(a.gets.Active) + len(a.gets.Standby) }

type assigneeProcess struct {
	id      string
	members []*assignee
}

func (p *assigneeProcess) load() int {
	n := 0
	for _, a := range p.members {
		n += a.load()
	}
	return n
}

// has says whether the process has a task in any role.
func (p *assigneeProcess) has(t broker.StreamsTask) bool {
	return slices.ContainsFunc(p.members, func(a *assignee) bool { return hasTask(a.gets.Active, t) || hasTask(a.gets.Standby, t) })
}

// lighter compares processes by tasks for each member.
func (p *assigneeProcess) lighter(o *assigneeProcess) int {
	return cmp.Or(cmp.Compare(p.load()*len(o.members), o.load()*len(p.members)), cmp.Compare(p.id, o.id))
}

func (p *assigneeProcess) least() *assignee {
	return slices.MinFunc(p.members, func(a, b *assignee) int { return cmp.Or(cmp.Compare(a.load(), b.load()), cmp.Compare(a.id, b.id)) })
}

func newStickyAssignor(members []*assignee, process func(*assignee) string) *stickyAssignor {
	s := &stickyAssignor{members: members}
	for _, a := range members {
		id := process(a)
		i, found := slices.BinarySearchFunc(s.processes, id, func(p *assigneeProcess, id string) int { return cmp.Compare(p.id, id) })
		if !found {
			s.processes = slices.Insert(s.processes, i, &assigneeProcess{id: id})
		}
		a.process = s.processes[i]
		a.process.members = append(a.process.members, a)
	}
	return s
}

// assign shares the tasks out. It fills gets.
func (s *stickyAssignor) assign(active, stateful []broker.StreamsTask, standbys int) {
	if len(s.members) == 0 {
		return
	}
	s.quota = (len(active) + len(s.members) - 1) / len(s.members)
	left := s.toFormerOwners(active)
	left = s.toCopies(left)
	slices.SortFunc(left, byPartition)
	for _, t := range left {
		a := slices.MinFunc(s.processes, (*assigneeProcess).lighter).least()
		a.gets.Active = addTask(a.gets.Active, t)
	}
	tasks := slices.Clone(stateful)
	slices.SortFunc(tasks, byPartition)
	for range standbys {
		for _, t := range tasks {
			s.addStandby(t)
		}
	}
}

func byPartition(a, b broker.StreamsTask) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Subtopology, b.Subtopology))
}

// toFormerOwners leaves tasks where they are, up to the quota, and returns the others.
func (s *stickyAssignor) toFormerOwners(tasks []broker.StreamsTask) []broker.StreamsTask {
	return filterTasks(tasks, func(t broker.StreamsTask) bool {
		for _, a := range s.members {
			if hasTask(a.had.Active, t) && len(a.gets.Active) < s.quota {
				a.gets.Active = addTask(a.gets.Active, t)
				return false
			}
		}
		return true
	})
}

// toCopies gives tasks to those who have a standby, the one furthest ahead first.
func (s *stickyAssignor) toCopies(tasks []broker.StreamsTask) []broker.StreamsTask {
	return filterTasks(tasks, func(t broker.StreamsTask) bool {
		var best *assignee
		for _, a := range s.members {
			if (hasTask(a.had.Standby, t) || hasTask(a.had.Warmup, t)) && len(a.gets.Active) < s.quota && (best == nil || a.ahead(best, t)) {
				best = a
			}
		}
		if best != nil {
			best.gets.Active = addTask(best.gets.Active, t)
		}
		return best == nil
	})
}

// ahead says whether a has more of a task's state than b, or as much and less to do.
func (a *assignee) ahead(b *assignee, t broker.StreamsTask) bool {
	if x, y := a.offset(t), b.offset(t); x != y {
		return x > y
	}
	return a.load() < b.load()
}

func (a *assignee) offset(t broker.StreamsTask) int64 {
	for _, o := range a.offsets {
		if o.Task == t {
			return o.Offset
		}
	}
	return -1
}

// addStandby gives a standby of a task to a process that has nothing of it: to its former owner, to who had the standby, or to the one
// with the least to do; to none when all have it.
func (s *stickyAssignor) addStandby(t broker.StreamsTask) {
	free := slices.DeleteFunc(slices.Clone(s.processes), func(p *assigneeProcess) bool { return p.has(t) })
	if len(free) == 0 {
		return
	}
	lightest := slices.MinFunc(free, (*assigneeProcess).lighter)
	to := lightest.least()
	for _, had := range []func(a *assignee) bool{
		func(a *assignee) bool { return hasTask(a.had.Standby, t) },
		func(a *assignee) bool { return hasTask(a.had.Active, t) },
	} {
		for _, a := range s.members {
			balanced := a.process.load() < len(a.process.members) || a.process.load()*len(lightest.members) <= lightest.load()*len(a.process.members)
			if had(a) && slices.Contains(free, a.process) && balanced {
				to = a
			}
		}
	}
	to.gets.Standby = addTask(to.gets.Standby, t)
}
