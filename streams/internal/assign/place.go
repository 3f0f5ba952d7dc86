package assign

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// client is one process with its members.
type client struct {
	id      [16]byte
	members []*member // by id
	tasks   []processor.TaskID
	// sums are the best that any of its members said of a task.
	sums map[processor.TaskID]int64
}

type member struct {
	broker.Subscription
	info  *Subscription
	tasks []processor.TaskID
}

// readClients groups the members by process, in the order of their ids.
func readClients(group broker.GroupSubscription) ([]*client, error) {
	byID := map[[16]byte]*client{}
	var out []*client
	for _, m := range group.Members {
		info, err := DecodeSubscription(m.UserData)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", m.MemberID, err)
		}
		c := byID[info.ProcessID]
		if c == nil {
			c = &client{id: info.ProcessID, sums: map[processor.TaskID]int64{}}
			byID[info.ProcessID] = c
			out = append(out, c)
		}
		c.members = append(c.members, &member{Subscription: m, info: info})
		for id, sum := range info.Sums { // the best one: order does not matter
			if have, ok := c.sums[id]; !ok || better(sum, have) {
				c.sums[id] = sum
			}
		}
	}
	slices.SortFunc(out, func(a, b *client) int { return slices.Compare(a.id[:], b.id[:]) })
	return out, nil
}

// better orders what is known of a task's state: running it, then the higher sum, then an unknown one.
func better(a, b int64) bool {
	rank := func(s int64) int64 {
		if s == OffsetLatest {
			return 1<<63 - 1
		}
		return s
	}
	return rank(a) > rank(b)
}

// load is the client's tasks a thread, after more were added.
func (c *client) load(more int) float64 {
	return float64(len(c.tasks)+more) / float64(len(c.members))
}

// roomiest is the client that has the lowest load when it gets a task more.
func roomiest(clients []*client) *client {
	return slices.MinFunc(clients, func(a, b *client) int { return cmp.Compare(a.load(1), b.load(1)) })
}

// place gives every task to a client, then every client's tasks to its threads. A task stays where it runs, or goes where its state is,
// as long as no client has more than its share.
func place(clients []*client, p *plan) {
	threads := 0
	for _, c := range clients {
		threads += len(c.members)
	}
	share := func(c *client) int { return (len(p.tasks)*len(c.members) + threads - 1) / threads }
	var rest []processor.TaskID
	for _, id := range p.tasks {
		var best *client
		for _, c := range clients {
			if sum, ok := c.sums[id]; ok && len(c.tasks) < share(c) && (best == nil || better(sum, best.sums[id])) {
				best = c
			}
		}
		if best == nil {
			rest = append(rest, id)
			continue
		}
		best.tasks = append(best.tasks, id)
	}
	for _, id := range rest {
		c := roomiest(clients)
		c.tasks = append(c.tasks, id)
	}
	balance(clients)
	owned := ownedBy(clients)
	for _, c := range clients {
		slices.SortFunc(c.tasks, processor.TaskID.Compare)
		c.spread(p, owned)
	}
}

// balance moves tasks from the fullest client to the roomiest until that no longer helps.
func balance(clients []*client) {
	for {
		lo := roomiest(clients)
		hi := slices.MaxFunc(clients, func(a, b *client) int { return cmp.Compare(a.load(0), b.load(0)) })
		if hi.load(0) <= lo.load(1) {
			return
		}
		n := len(hi.tasks) - 1
		lo.tasks = append(lo.tasks, hi.tasks[n])
		hi.tasks = hi.tasks[:n]
	}
}

// spread gives a client's tasks to its threads, evenly: to the thread that holds a task as far as its share goes, the others to those with
// the fewest.
func (c *client) spread(p *plan, owned map[broker.TopicPartition]string) {
	least, more := len(c.tasks)/len(c.members), len(c.tasks)%len(c.members) // so many threads have one task more
	var rest []processor.TaskID
	for _, id := range c.tasks {
		m := c.holder(id, p, owned)
		switch {
		case m == nil || len(m.tasks) > least || len(m.tasks) == least && more == 0:
			rest = append(rest, id)
			continue
		case len(m.tasks) == least:
			more--
		}
		m.tasks = append(m.tasks, id)
	}
	for _, id := range rest {
		m := slices.MinFunc(c.members, func(a, b *member) int { return cmp.Compare(len(a.tasks), len(b.tasks)) })
		m.tasks = append(m.tasks, id)
	}
	for _, m := range c.members {
		slices.SortFunc(m.tasks, processor.TaskID.Compare)
	}
}

// holder is the thread that has a task now, or nil.
func (c *client) holder(id processor.TaskID, p *plan, owned map[broker.TopicPartition]string) *member {
	for _, m := range c.members {
		if m.holds(id, p, owned) {
			return m
		}
	}
	return nil
}

// holds says whether a member has a task now: it runs it, or owns its inputs and restores it.
func (m *member) holds(id processor.TaskID, p *plan, owned map[broker.TopicPartition]string) bool {
	if sum, ok := m.info.Sums[id]; ok && sum == OffsetLatest {
		return true
	}
	return slices.ContainsFunc(p.inputs[id], func(tp broker.TopicPartition) bool { return owned[tp] == m.MemberID })
}

// encode writes the members' assignments. A partition that someone else still owns is left out of its new owner's: the old owner gives it
// up first, and the new one asks for the rebalance that brings it.
func encode(clients []*client, p *plan) map[string]broker.Assignment {
	owned := ownedBy(clients)
	out := map[string]broker.Assignment{}
	for _, c := range clients {
		for _, m := range c.members {
			info := &Assignment{Version: Version, LatestSupported: Version, NextRebalance: NoRebalance}
			var parts []broker.TopicPartition
			taskOf := map[broker.TopicPartition]processor.TaskID{}
			for _, id := range m.tasks {
				if slices.ContainsFunc(p.inputs[id], func(tp broker.TopicPartition) bool { o, ok := owned[tp]; return ok && o != m.MemberID }) {
					info.NextRebalance = 0
					continue
				}
				for _, tp := range p.inputs[id] {
					parts = append(parts, tp)
					taskOf[tp] = id
				}
			}
			slices.SortFunc(parts, broker.TopicPartition.Compare)
			for _, tp := range parts {
				info.Active = append(info.Active, taskOf[tp])
			}
			out[m.MemberID] = broker.Assignment{Partitions: parts, UserData: info.Encode()}
		}
	}
	return out
}

// ownedBy says which member owns a partition. A member of an older generation than others that claim the same owns nothing of it.
func ownedBy(clients []*client) map[broker.TopicPartition]string {
	owned := map[broker.TopicPartition]string{}
	since := map[broker.TopicPartition]int32{}
	for _, c := range clients {
		for _, m := range c.members {
			for _, tp := range m.Owned {
				if g, ok := since[tp]; !ok || m.Generation > g {
					owned[tp], since[tp] = m.MemberID, m.Generation
				}
			}
		}
	}
	return owned
}
