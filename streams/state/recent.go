package state

import "container/list"

// recent keeps the rows used last, at most a number of them: Kafka's LRU map. It is laid over a store in memory.
type recent struct {
	Bytes
	name  string
	max   int
	order *list.List // of keys; front: used last
	at    map[string]*list.Element
	// evicted is told of each row that had to go, unless the store is being restored; nil: nobody is.
	evicted   func(key []byte) error
	restoring bool
}

func newRecent(below Bytes, store string, max int) *recent {
	return &recent{Bytes: below, name: store, max: max, order: list.New(), at: map[string]*list.Element{}}
}

// Get implements Bytes; it is a use of the row.
func (r *recent) Get(key []byte) ([]byte, error) {
	if e, ok := r.at[string(key)]; ok {
		r.order.MoveToFront(e)
	}
	return r.Bytes.Get(key)
}

// Put implements Bytes.
func (r *recent) Put(key, value []byte) error {
	e, ok := r.at[string(key)]
	switch {
	case value == nil && ok:
		r.order.Remove(e)
		delete(r.at, string(key))
	case value == nil:
	case ok:
		r.order.MoveToFront(e)
	default:
		r.at[string(key)] = r.order.PushFront(string(key))
	}
	if err := r.Bytes.Put(key, value); err != nil || r.order.Len() <= r.max {
		return err
	}
	last := r.order.Remove(r.order.Back()).(string)
	delete(r.at, last)
	if err := r.Bytes.Put([]byte(last), nil); err != nil || r.evicted == nil || r.restoring {
		return err
	}
	return r.evicted([]byte(last))
}

// recent is told when its store is wiped, as a layer that has nothing to commit.
func (r *recent) collect(*Batch) {}
func (r *recent) discard()       {}
func (r *recent) pending() int64 { return 0 }

func (r *recent) reset() {
	r.order.Init()
	clear(r.at)
}

func (r *recent) store() string { return r.name }
