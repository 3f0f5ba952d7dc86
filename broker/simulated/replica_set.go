package simulated

import (
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/sim"
)

// replicaSet is who holds a partition and how far: leader, leader epoch, in-sync replicas, and the high watermark. A replica is a
// position in the leader's log, up to which the two agree; what it has beyond that of its own is its tail (see fork). It serves data
// partitions and coordinator partitions alike.
type replicaSet struct {
	m        *Model
	replicas []int32    // in order of preference
	isr      []int32    // sorted
	ends     []int64    // up to where each replica agrees with the leader's log, as in replicas
	tails    [][]*batch // what a replica has beyond that instead; nil when none has
	stalled  []int32    // followers that do not fetch
	minISR   int
	unclean  bool  // any live replica may become the leader when none is in sync
	leader   int32 // -1: none
	epoch    int32
	end      int64 // of the leader's log
	hw       int64

	pending  *sim.Timer
	lagging  *sim.Timer // looks for followers to take out of the in-sync replicas
	overdue  *sim.Timer // looks for waiters whose time is up
	sent     int64      // the end that the pending replication will bring
	waiters  []replicaWaiter
	advanced func()                         // told of a new high watermark, before the waiters
	cut      func(id int32, from, to int64) // told when a follower cuts its tail off; may be nil
	step     func()
}

// replicaWaiter waits until everything below end is replicated (codeNone), or cannot be any more under this leader (codeNotLeader).
type replicaWaiter struct {
	end  int64
	due  time.Time // zero: it waits for as long as it takes
	done func(code)
}

func newReplicaSet(m *Model, replicas []int32, advanced func()) *replicaSet {
	r := &replicaSet{m: m, replicas: replicas, ends: make([]int64, len(replicas)), leader: -1, epoch: -1, minISR: 1, advanced: advanced}
	r.isr = slices.Sorted(slices.Values(replicas))
	r.step = r.replicate
	return r
}

// appended tells that the leader's log now ends at end.
func (r *replicaSet) appended(end int64) {
	r.end = end
	r.setEnd(r.leader, end)
	r.update()
}

// wait calls done once everything below end is replicated; at once if it is.
func (r *replicaSet) wait(end int64, done func(code)) { r.waitUntil(end, time.Time{}, done) }

// waitUntil is wait that ends with codeRequestTimedOut at due.
func (r *replicaSet) waitUntil(end int64, due time.Time, done func(code)) {
	if end <= r.hw {
		done(codeNone)
		return
	}
	r.waiters = append(r.waiters, replicaWaiter{end, due, done})
	r.watchOverdue()
}

// watchOverdue sees to it that a timer looks for the first waiter to be overdue. It is not moved when a waiter goes.
func (r *replicaSet) watchOverdue() {
	if r.overdue != nil {
		return
	}
	var next time.Time
	for _, w := range r.waiters {
		if !w.due.IsZero() && (next.IsZero() || w.due.Before(next)) {
			next = w.due
		}
	}
	if !next.IsZero() {
		r.overdue = r.m.k.At(next, r.expire)
	}
}

func (r *replicaSet) expire() {
	r.overdue = nil
	now := r.m.k.Now()
	var late, rest []replicaWaiter
	for _, w := range r.waiters {
		if !w.due.IsZero() && !w.due.After(now) {
			late = append(late, w)
		} else {
			rest = append(rest, w)
		}
	}
	r.waiters = rest
	for _, w := range late {
		w.done(codeRequestTimedOut)
	}
	r.watchOverdue()
}

func (r *replicaSet) setEnd(id int32, end int64) {
	if i := slices.Index(r.replicas, id); i >= 0 {
		r.ends[i] = end
	}
}

// update moves the high watermark to the least end of the in-sync replicas, unless those are fewer than min.insync.replicas, and
// starts a replication when a live follower lags.
func (r *replicaSet) update() {
	if r.leader < 0 {
		return
	}
	hw, lag := r.end, false
	for i, id := range r.replicas {
		in := slices.Contains(r.isr, id)
		if in {
			hw = min(hw, r.ends[i])
		}
		lag = lag || (r.ends[i] < r.end || r.tail(i) != nil || !in && !r.m.headless) && r.fetches(id)
	}
	if lag && r.pending == nil {
		r.sent = r.end
		r.pending = r.m.k.After(r.m.cfg.ReplicationLatency, r.step)
	}
	if len(r.stalled) > 0 {
		r.watchLag()
	}
	if hw > r.hw && (len(r.isr) >= r.minISR || r.m.cfg.AdvanceBelowMinISR) {
		r.hw = hw
		r.advanced()
		r.release()
	}
}

// fetches says whether a replica follows.
func (r *replicaSet) fetches(id int32) bool {
	return r.m.brokers[id-1].up && (len(r.stalled) == 0 || !slices.Contains(r.stalled, id))
}

func (r *replicaSet) tail(i int) []*batch {
	if r.tails == nil {
		return nil
	}
	return r.tails[i]
}

// replicate is a round of all live followers' fetches: what a follower has of its own is cut, by the leader epochs; then it copies.
func (r *replicaSet) replicate() {
	r.pending = nil
	if r.leader < 0 || !r.m.brokers[r.leader-1].up {
		return
	}
	for i, id := range r.replicas {
		if !r.fetches(id) {
			continue
		}
		if t := r.tail(i); t != nil {
			r.tails[i] = nil
			if r.cut != nil {
				r.cut(id, t[len(t)-1].last+1, r.ends[i])
			}
		}
		r.ends[i] = max(r.ends[i], r.sent)
	}
	r.expand()
	r.update()
}

// expand takes into the in-sync replicas who has caught up.
func (r *replicaSet) expand() {
	for i, id := range r.replicas {
		if r.fetches(id) && r.ends[i] >= r.hw && r.tail(i) == nil && !slices.Contains(r.isr, id) && !r.m.headless {
			r.isr = append(r.isr, id)
			slices.Sort(r.isr)
		}
	}
}

// watchLag sees to it that a follower that has stopped fetching leaves the in-sync replicas after replica.lag.time.max.ms.
func (r *replicaSet) watchLag() {
	if r.lagging == nil && slices.ContainsFunc(r.stalled, r.lags) {
		r.lagging = r.m.k.After(r.m.cfg.ReplicaLagTimeMax, func() {
			r.lagging = nil
			r.m.controlled(func() {
				for _, id := range slices.Clone(r.stalled) {
					if r.lags(id) {
						r.leave(id)
					}
				}
				r.update()
			})
		})
	}
}

// lags says whether an in-sync follower is behind.
func (r *replicaSet) lags(id int32) bool {
	i := slices.Index(r.replicas, id)
	return id != r.leader && slices.Contains(r.isr, id) && (r.ends[i] < r.end || r.tail(i) != nil)
}

func (r *replicaSet) release() {
	n := 0
	for n < len(r.waiters) && r.waiters[n].end <= r.hw {
		n++
	}
	if n == 0 {
		return
	}
	ready := r.waiters[:n]
	r.waiters = slices.Clone(r.waiters[n:])
	outcome := codeNone
	if len(r.isr) < r.minISR {
		outcome = codeNotEnoughAfterAppend
	}
	for _, w := range ready {
		w.done(outcome)
	}
}

// fail tells all waiters that this leader will not do it.
func (r *replicaSet) fail() {
	ws := r.waiters
	r.waiters = nil
	for _, w := range ws {
		w.done(codeNotLeader)
	}
}

// candidate is the replica that the controller would choose: the first live one that is in sync; failing that, and if it may, any live
// one; -1: none.
func (r *replicaSet) candidate() int32 {
	for _, id := range r.replicas {
		if r.m.brokers[id-1].up && slices.Contains(r.isr, id) {
			return id
		}
	}
	for _, id := range r.replicas {
		if r.unclean && r.m.brokers[id-1].up {
			return id
		}
	}
	return -1
}

// elect makes id the leader in a new epoch and returns the end of its log: the owner cuts the log there, unless it has called fork. -1
// leaves the partition without a leader. One that was not in sync is the only in-sync replica now.
func (r *replicaSet) elect(id int32) int64 {
	if r.pending != nil {
		r.pending.Stop()
		r.pending = nil
	}
	r.leader = id
	r.epoch++
	if id >= 0 {
		r.end = r.ends[slices.Index(r.replicas, id)]
		for i := range r.ends {
			r.ends[i] = min(r.ends[i], r.end)
		}
		r.hw = min(r.hw, r.end)
		if !slices.Contains(r.isr, id) {
			r.isr = []int32{id}
		}
	}
	return r.end
}

// leave takes a broker out of the in-sync replicas; the last one stays.
func (r *replicaSet) leave(id int32) {
	if len(r.isr) > 1 {
		r.isr = slices.DeleteFunc(r.isr, func(x int32) bool { return x == id })
	}
}
