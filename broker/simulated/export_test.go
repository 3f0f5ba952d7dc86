package simulated

import (
	"fmt"
	"time"
)

// OnProduceRefused has f called with the name of the code of each write that is refused, or not confirmed in time.
func (m *Model) OnProduceRefused(f func(name string)) {
	m.produceRefused = func(c code) { f(codes[c].name) }
}

// Diverging counts the replicas that have something of their own beyond their leader's log.
func (m *Model) Diverging() int {
	n := 0
	m.eachReplicaSet(func(s *replicaSet, _ func(int32)) {
		for i := range s.replicas {
			if s.tail(i) != nil {
				n++
			}
		}
	})
	return n
}

// CrashAfterRecord crashes the coordinator that appends the n-th record (from 1) of a topic, after a while; 0 crashes none. The
// result counts the records, and says what the n-th was.
func (m *Model) CrashAfterRecord(topic string, n int, after time.Duration) (count *int, what *string) {
	count, what = new(int), new(string)
	m.written = func(l *coordinatorLog, records []any) {
		if l.tp.Topic != topic {
			return
		}
		for _, r := range records {
			if *count++; *count == n {
				*what = fmt.Sprintf("%T", r)
				if t, ok := r.(txnRecord); ok {
					*what = t.state.String()
				}
				id := int(l.set.leader)
				m.k.After(after, func() { m.CrashBroker(id) })
				m.k.After(after+20*time.Second, func() { m.RestartBroker(id) })
			}
		}
	}
	return count, what
}
