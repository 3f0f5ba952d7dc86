package simulated

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/sim"
)

// replicaSet is who holds a partition and how far: leader, leader epoch, in-sync replicas, and the high watermark. Followers are
// positions in the one log that the model keeps for a partition: a replica that becomes the leader with a shorter log cuts it.
// It serves data partitions and coordinator partitions alike.
type replicaSet struct {
	m        *Model
	replicas []int32 // in order of preference
	isr      []int32 // sorted
	ends     []int64 // the log end of each replica, as in replicas
	leader   int32   // -1: none
	epoch    int32
	end      int64 // of the leader's log
	hw       int64

	pending  *sim.Timer
	sent     int64 // the end that the pending replication will bring
	waiters  []replicaWaiter
	advanced func() // told of a new high watermark, before the waiters
	step     func()
}

// replicaWaiter waits until everything below end is replicated (codeNone), or cannot be any more under this leader (codeNotLeader).
type replicaWaiter struct {
	end  int64
	done func(code)
}

func newReplicaSet(m *Model, replicas []int32, advanced func()) *replicaSet {
	r := &replicaSet{m: m, replicas: replicas, ends: make([]int64, len(replicas)), leader: -1, epoch: -1, advanced: advanced}
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
func (r *replicaSet) wait(end int64, done func(code)) {
	if end <= r.hw {
		done(codeNone)
		return
	}
	r.waiters = append(r.waiters, replicaWaiter{end, done})
}

func (r *replicaSet) setEnd(id int32, end int64) {
	if i := slices.Index(r.replicas, id); i >= 0 {
		r.ends[i] = end
	}
}

// update moves the high watermark to the least end of the in-sync replicas, and starts a replication when a live follower lags.
func (r *replicaSet) update() {
	if r.leader < 0 {
		return
	}
	hw, lag := r.end, false
	for i, id := range r.replicas {
		if slices.Contains(r.isr, id) {
			hw = min(hw, r.ends[i])
		}
		lag = lag || r.ends[i] < r.end && r.m.brokers[id-1].up
	}
	if lag && r.pending == nil {
		r.sent = r.end
		r.pending = r.m.k.After(r.m.cfg.ReplicationLatency, r.step)
	}
	if hw > r.hw {
		r.hw = hw
		r.advanced()
		r.release()
	}
}

func (r *replicaSet) replicate() {
	r.pending = nil
	if r.leader < 0 || !r.m.brokers[r.leader-1].up {
		return
	}
	for i, id := range r.replicas {
		if r.m.brokers[id-1].up && r.ends[i] < r.sent {
			r.ends[i] = r.sent
		}
		if r.m.brokers[id-1].up && r.ends[i] >= r.hw && !slices.Contains(r.isr, id) {
			r.isr = append(r.isr, id)
			slices.Sort(r.isr)
		}
	}
	r.update()
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
	for _, w := range ready {
		w.done(codeNone)
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

// candidate is the replica that the controller would choose: the first live one that is in sync; -1: none.
func (r *replicaSet) candidate() int32 {
	for _, id := range r.replicas {
		if r.m.brokers[id-1].up && slices.Contains(r.isr, id) {
			return id
		}
	}
	return -1
}

// elect makes id the leader in a new epoch and returns the end of its log: the owner cuts the log there. -1 leaves the partition without a leader.
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
	}
	return r.end
}

// leave takes a dead broker out of the in-sync replicas; the last one stays.
func (r *replicaSet) leave(id int32) {
	if len(r.isr) > 1 {
		r.isr = slices.DeleteFunc(r.isr, func(x int32) bool { return x == id })
	}
}
