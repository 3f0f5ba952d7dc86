package task

import (
	"errors"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// queue holds what was polled of one input partition and not processed: Kafka's RecordQueue. Only its head is read.
type queue struct {
	tp     broker.TopicPartition
	source string
	slot   processor.Slot // the head's
	spare  processor.Slot // that of the record before it, which is being processed
	buf    []broker.Record
	head   int

	loaded  bool // the head is in the slot
	corrupt bool // the head is the last of records that cannot be processed, and stands for their offsets: Kafka's CorruptedRecord
	ts      int64

	time     int64 // partition time: the highest timestamp processed
	position int64 // the consumer's position, after all that was polled
	end      int64 // the end of the partition as last seen, -1: unknown
	dirty    bool  // moved since the last commit
	paused   bool
}

func (q *queue) len() int { return len(q.buf) - q.head }

func (q *queue) add(b *broker.Batch, end int64) {
	if q.head > 0 && q.head == len(q.buf) {
		q.buf, q.head = q.buf[:0], 0
	} else if q.head > 1024 && q.head*2 > len(q.buf) {
		q.buf, q.head = q.buf[:copy(q.buf, q.buf[q.head:])], 0
	}
	q.buf = append(q.buf, b.Records...)
	if b.Next > q.position {
		q.position = b.Next
		q.dirty = true
	}
	q.end = max(q.end, end)
}

// committable is the offset to commit: that of the first record not processed, or the consumer's position.
func (q *queue) committable() int64 {
	if q.len() > 0 {
		return q.buf[q.head].Offset
	}
	return q.position
}

func (q *queue) pop() *broker.Record {
	r := &q.buf[q.head]
	q.head++
	q.loaded = false
	q.dirty = true
	return r
}

// load makes the head ready. It returns false when the queue is empty. Records that cannot be read, or have no time, are passed over here;
// the last of them becomes the head where no other record follows, before all heads that have a time.
func (t *Task) load(q *queue) (bool, error) {
	for !q.loaded && q.len() > 0 {
		raw := &q.buf[q.head]
		ts, err := q.slot.Load(raw, q.time)
		var bad *processor.DeserializationError
		switch {
		case errors.As(err, &bad) && t.skipCorrupt(q, raw, bad):
			ts = -1
		case err != nil:
			return false, &Error{t.id, q.source, q.tp, raw.Offset, err}
		case ts < 0:
			t.Drop(q.source, "negative timestamp")
		}
		if ts < 0 && q.len() > 1 {
			q.pop()
			continue
		}
		q.loaded, q.corrupt, q.ts = true, ts < 0, max(ts, -1)
	}
	return q.loaded, nil
}

// Load makes what has come ready, in the order in which it came, without processing it. A task does so by itself when it chooses.
func (t *Task) Load() error {
	for len(t.fresh) > 0 {
		q := t.fresh[0]
		ok, err := t.load(q)
		if err != nil {
			return err
		}
		t.fresh = append(t.fresh[:0], t.fresh[1:]...)
		if ok {
			t.heads.offer(q)
		}
	}
	return nil
}

// choose returns the queue whose head has the lowest timestamp; nil when nothing can be processed now. Among equals it is the one that
// Kafka's priority queue gives. wait is when, on the wall clock in ms, that may change without a new record; 0: not by time.
func (t *Task) choose(now int64) (best *queue, wait int64, err error) {
	if err := t.Load(); err != nil {
		return nil, 0, err
	}
	if len(t.heads) == 0 {
		t.idleSince = 0
		return nil, 0, nil
	}
	best = t.heads[0]
	if len(t.heads) == len(t.queues) || t.cfg.MaxTaskIdle < 0 {
		t.idleSince = 0
		return best, 0, nil
	}
	return t.idle(best, now)
}

// heads are the queues that have a record ready, as a binary heap by its timestamp: java.util.PriorityQueue, whose order among equals
// decides which partition goes first.
type heads []*queue

func (h *heads) offer(q *queue) {
	*h = append(*h, q)
	a, k := *h, len(*h)-1
	for k > 0 {
		parent := (k - 1) / 2
		if q.ts >= a[parent].ts {
			break
		}
		a[k] = a[parent]
		k = parent
	}
	a[k] = q
}

// poll removes the first.
func (h *heads) poll() {
	a := *h
	n := len(a) - 1
	last := a[n]
	a[n] = nil
	*h = a[:n]
	if n == 0 {
		return
	}
	k := 0
	for k < n/2 {
		child := 2*k + 1
		if right := child + 1; right < n && a[child].ts > a[right].ts {
			child = right
		}
		if last.ts <= a[child].ts {
			break
		}
		a[k] = a[child]
		k = child
	}
	a[k] = last
}

// idle decides whether to go on although a partition has nothing buffered: never while the broker has more of it; after max.task.idle.ms
// when it has not (KIP-695).
func (t *Task) idle(best *queue, now int64) (*queue, int64, error) {
	for _, q := range t.queues {
		if q.loaded {
			continue
		}
		if q.end < 0 || q.position < 0 {
			t.wantEnds = true
			return nil, 0, nil
		}
		if q.position < q.end {
			return nil, 0, nil
		}
	}
	if t.cfg.MaxTaskIdle == 0 {
		return best, 0, nil
	}
	if t.idleSince == 0 {
		t.idleSince = now
	}
	if due := t.idleSince + t.cfg.MaxTaskIdle; now < due {
		return nil, due, nil
	}
	return best, 0, nil
}
