package state

import (
	"slices"
	"sync"
)

// ReadOnly is the store for the threads of others: it can be read, each time under the lock, and refuses to be written to. A walk sees the
// rows as they were when it began.
func (h *Handle) ReadOnly(lock sync.Locker) *Handle {
	out := *h
	out.Cache, out.inner = nil, nil
	if h.Top != nil {
		out.Top = &readOnly{h.Name, h.Top, lock}
	}
	return &out
}

type readOnly struct {
	name  string
	below Bytes
	lock  sync.Locker
}

// Get implements Bytes.
func (r *readOnly) Get(key []byte) ([]byte, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.below.Get(key)
}

// Put implements Bytes: it fails.
func (r *readOnly) Put([]byte, []byte) error { return &ReadOnlyError{r.name} }

// Scan implements Bytes.
func (r *readOnly) Scan(s Span) Iterator {
	r.lock.Lock()
	defer r.lock.Unlock()
	rows := &rowsIter{}
	it := r.below.Scan(s)
	for it.Next() {
		rows.rows = append(rows.rows, op{key: slices.Clone(it.Key()), value: it.Value()})
	}
	err := it.Err()
	if err2 := it.Close(); err == nil {
		err = err2
	}
	return &snapshot{rows, err}
}

// snapshot is rows that were read, and the error that ended it.
type snapshot struct {
	*rowsIter
	err error
}

func (s *snapshot) Err() error { return s.err }

// ReadOnlyError is a write to a store that can only be read: a global one.
type ReadOnlyError struct{ Store string }

func (e *ReadOnlyError) Error() string {
	return "state: store " + e.Store + " is global: processors can only read it"
}

// Class is Kafka's name of the error kind.
func (e *ReadOnlyError) Class() string { return "java.lang.UnsupportedOperationException" }
