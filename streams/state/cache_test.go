package state_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// cached is a cache over a table, with a log of what it tells.
type cached struct {
	*state.Cache
	t      testing.TB
	table  *state.Table
	budget *state.Budget
	ctx    state.RecordContext
	log    []string
	then   func(key string) // what a flush leads to
}

func newCached(t testing.TB, budget *state.Budget) *cached {
	c := &cached{t: t, table: state.OpenDB(state.NewMemory()).Table("s"), budget: budget}
	c.Cache = state.NewCache(c.table, budget, &c.ctx)
	c.OnFlush(func(key, value, old []byte) error {
		c.log = append(c.log, fmt.Sprintf("%s:%s->%s@%d", key, text(old), text(value), c.ctx.Timestamp))
		if c.then != nil {
			c.then(string(key))
		}
		return nil
	})
	return c
}

func text(b []byte) string {
	if b == nil {
		return "nil"
	}
	return string(b)
}

// at puts with a record context of that time.
func (c *cached) at(ts int64, key, value string) {
	c.t.Helper()
	c.ctx = state.RecordContext{Timestamp: ts}
	if value == "nil" {
		remove(c.t, c, key)
	} else {
		put(c.t, c, key, value)
	}
}

func (c *cached) told(want ...string) {
	c.t.Helper()
	same(c.t, "told", strings.Join(want, " "), strings.Join(c.log, " "))
	c.log = nil
}

// entry is the size of a clean entry, or one whose context has no topic: Kafka's formula.
func entry(key, value string) int64 { return int64(len(key) + 24 + 1 + len(value) + 8 + 8 + 4) }

func TestCacheHoldsBackUntilTheFlush(t *testing.T) {
	c := newCached(t, state.NewBudget(1<<20))
	c.at(1, "a", "1")
	c.at(2, "b", "2")
	c.at(3, "a", "3")
	c.told()
	same(t, "get", "3", get(t, c, "a"))
	same(t, "below", []string{}, all(t, c.table))
	c.ctx.Timestamp = 99
	no(t, c.Flush())
	c.told("b:nil->2@2", "a:nil->3@3") // in the order of the last update, each in its own context
	same(t, "context after the flush", int64(99), c.ctx.Timestamp)
	same(t, "below", []string{"a=3", "b=2"}, all(t, c.table))
	no(t, c.Flush())
	c.told()
	same(t, "entries stay, clean", entry("a", "3")+entry("b", "2"), c.budget.Used())
}

func TestCacheOldValues(t *testing.T) {
	for _, want := range []struct {
		old  bool
		told []string
	}{
		{false, []string{"a:nil->2@2", "b:nil->nil@3"}},
		{true, []string{"a:1->2@2", "b:1->nil@3"}},
	} {
		c := newCached(t, state.NewBudget(1<<20))
		put(t, c.table, "a", "1", "b", "1")
		c.WantOld = want.old
		c.at(2, "a", "2")
		c.at(3, "b", "nil")
		c.at(4, "never there", "nil")
		no(t, c.Flush())
		c.told(want.told...)
		same(t, "below", []string{"a=2"}, all(t, c.table))
		same(t, "deletions need no place", entry("a", "2"), c.budget.Used())
		same(t, "read of what was deleted", "<nil>", get(t, c, "b"))
	}
}

func TestCacheEntrySize(t *testing.T) {
	budget := state.NewBudget(1 << 20)
	c := newCached(t, budget)
	c.ctx = state.RecordContext{Topic: "orders", Partition: 3, Offset: 5, Timestamp: 7, Headers: []broker.Header{{Key: "h1", Value: b("123")}, {Key: "null"}}}
	put(t, c, "key", "value")
	want := int64(3 + 24 + 1 + 5 + 8 + 8 + 4 + 6 + 2 + 3 + 4)
	same(t, "used", want, budget.Used())
	put(t, c, "key", "longer value")
	same(t, "after an update", want+7, budget.Used())
	c.ctx = state.RecordContext{}
	put(t, c, "key", "")
	same(t, "after an update in a bare context", entry("key", ""), budget.Used())
	put(t, c.table, "read", "12")
	same(t, "read", "12", get(t, c, "read"))
	same(t, "a read makes a clean entry", entry("key", "")+entry("read", "12"), budget.Used())
	same(t, "not there", "<nil>", get(t, c, "absent"))
	same(t, "what is not there takes no place", entry("key", "")+entry("read", "12"), budget.Used())
}

func TestCacheEviction(t *testing.T) {
	c := newCached(t, state.NewBudget(3*entry("a", "1")))
	c.at(1, "a", "1")
	c.at(2, "b", "2")
	c.at(3, "c", "3")
	same(t, "touch", "1", get(t, c, "a"))
	c.told()
	c.at(4, "d", "4")
	// b was used longest ago: it goes first, with it all dirty ones in the order of their last update; only b leaves the cache
	c.told("b:nil->2@2", "a:nil->1@1", "c:nil->3@3", "d:nil->4@4")
	same(t, "used", 3*entry("a", "1"), c.budget.Used())
	c.at(5, "e", "5")
	c.told() // c is used longest ago, and clean
	c.at(6, "a", "6")
	c.at(7, "f", "7")
	c.told() // d was clean too
	c.at(8, "g", "8")
	c.told("e:nil->5@5", "a:nil->6@6", "f:nil->7@7", "g:nil->8@8")
	same(t, "below", []string{"a=6", "b=2", "c=3", "d=4", "e=5", "f=7", "g=8"}, all(t, c.table))
}

func TestCacheWithoutABudgetWritesThrough(t *testing.T) {
	c := newCached(t, state.NewBudget(0))
	c.at(1, "a", "1")
	c.at(2, "a", "2")
	c.at(3, "a", "nil")
	c.told("a:nil->1@1", "a:nil->2@2", "a:nil->nil@3")
	same(t, "used", int64(0), c.budget.Used())
}

func TestCachesShareABudgetButEvictTheirOwn(t *testing.T) {
	budget := state.NewBudget(2 * entry("a", "1"))
	x, y := newCached(t, budget), newCached(t, budget)
	x.at(1, "a", "1")
	x.at(2, "b", "2")
	y.at(3, "a", "1") // over the budget: y evicts what it has, which is not enough
	y.told("a:nil->1@3")
	x.told()
	same(t, "used", 2*entry("a", "1"), budget.Used())
	x.at(4, "c", "3")
	x.told("a:nil->1@1", "b:nil->2@2", "c:nil->3@4")
	same(t, "used", 2*entry("a", "1"), budget.Used())
}

// TestFlushThatTouchesTheCacheAgain: downstream of a flush somebody may write the same store.
func TestFlushThatTouchesTheCacheAgain(t *testing.T) {
	t.Run("update of an entry that waits", func(t *testing.T) {
		c := newCached(t, state.NewBudget(1<<20))
		c.at(1, "a", "1")
		c.at(2, "b", "2")
		c.then = func(key string) {
			if key == "a" {
				c.ctx.Timestamp = 50
				put(t, c, "b", "from a")
			}
		}
		no(t, c.Flush())
		c.told("a:nil->1@1", "b:nil->2@2")
		same(t, "get", "from a", get(t, c, "b"))
		c.then = nil
		no(t, c.Flush())
		c.told("b:nil->from a@50")
	})
	t.Run("eviction of an entry that waits", func(t *testing.T) {
		c := newCached(t, state.NewBudget(2*entry("a", "1")))
		c.at(1, "a", "1")
		c.at(2, "b", "2")
		c.then = func(key string) {
			if key == "a" {
				c.then = nil
				put(t, c, "x", "9", "y", "9") // pushes b out, which this flush has marked clean but not written
			}
		}
		no(t, c.Flush())
		no(t, c.Flush())
		same(t, "nothing is lost", []string{"a=1", "b=2", "x=9", "y=9"}, all(t, c.table))
	})
	t.Run("update of a deleted entry", func(t *testing.T) {
		c := newCached(t, state.NewBudget(1<<20))
		put(t, c.table, "a", "0")
		c.at(1, "a", "nil")
		c.then = func(string) {
			c.then = nil
			put(t, c, "a", "back")
		}
		no(t, c.Flush())
		same(t, "get", "back", get(t, c, "a"))
		no(t, c.Flush())
		same(t, "below", []string{"a=back"}, all(t, c.table))
		same(t, "used: counted at the update, and again at the flush around it", 2*entry("a", "back")-entry("a", ""), c.budget.Used())
	})
}

func TestFlushErrorIsReturned(t *testing.T) {
	c := newCached(t, state.NewBudget(1<<20))
	c.at(1, "a", "1")
	c.ctx.Timestamp = 7
	c.OnFlush(func(_, _, _ []byte) error { return errDisk })
	if err := c.Flush(); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
	same(t, "context", int64(7), c.ctx.Timestamp)
}

func TestCacheScan(t *testing.T) {
	c := newCached(t, state.NewBudget(1<<20))
	put(t, c.table, "a", "1", "b", "2", "c", "3", "d", "4")
	c.at(1, "b", "nil")
	c.at(1, "c", "33")
	c.at(1, "cc", "new")
	same(t, "read", "1", get(t, c, "a"))
	same(t, "all", []string{"a=1", "c=33", "cc=new", "d=4"}, all(t, c))
	same(t, "part, backwards", []string{"cc=new", "c=33"}, rows(t, c.Scan(state.Span{From: b("b"), To: b("d"), Reverse: true})))
	it := c.Scan(state.Span{})
	for it.Next() {
		no(t, c.Put(it.Key(), nil))
	}
	no(t, it.Close())
	same(t, "all deleted while scanning", []string{}, all(t, c))
}

func TestCacheOverSegmentsScansInTheirOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		db := state.OpenDB(p.engine)
		budget := state.NewBudget(1 << 20)
		h, err := db.Open(state.Spec{Name: "w", Kind: state.TimestampedWindow, Retention: 4 * minute, WindowSize: minute, Caching: true},
			state.OpenConfig{Budget: budget, Ctx: &state.RecordContext{}})
		no(t, err)
		write := func(key string, at int64, value string) { no(t, h.Top.Put(wkey(key, at), b(value))) }
		write("a", 0, "1")
		write("b", 0, "1")
		write("a", 2*minute, "1")
		no(t, h.Flush())
		no(t, db.Commit(nil))
		write("b", 0, "2")
		write("c", minute, "2")
		write("aa", 3*minute, "2")
		no(t, h.Top.Put(wkey("a", 2*minute), nil))
		want := []string{"a@0=1", "b@0=2", "c@60000=2", "aa@180000=2"}
		same(t, "all", want, allWindows(t, h.Top))
		same(t, "backwards", []string{want[3], want[2], want[1], want[0]}, windows(t, h.Top.Scan(state.AllTime(state.Span{Reverse: true}))))
		same(t, "by time", []string{want[2], want[3]}, windows(t, h.Top.Scan(state.Span{FromTime: 1, ToTime: 3 * minute})))
		same(t, "one key", []string{want[1]}, windows(t, h.Top.Scan(state.Span{From: wkey("b", 0), To: wkey("b", minute), FromTime: 0, ToTime: minute})))
		before := budget.Used()
		same(t, "read through", "1", get(t, h.Top, string(wkey("a", 0))))
		same(t, "a window store's cache keeps nothing on a read", before, budget.Used())
		h.Release()
		same(t, "released", int64(0), budget.Used())
		same(t, "what was not flushed is gone", []string{"a@0=1", "b@0=1", "a@120000=1"}, allWindows(t, h.Top))
	})
}

// TestCacheScanBackwardsLeavesOutWhatWasDeleted: Kafka gives such rows, as nulls or as they are below the cache (docs/divergence.md).
func TestCacheScanBackwardsLeavesOutWhatWasDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		h, err := state.OpenDB(p.engine).Open(state.Spec{Name: "w", Kind: state.TimestampedWindow, Retention: 4 * minute, WindowSize: minute, Caching: true},
			state.OpenConfig{Budget: state.NewBudget(1 << 20), Ctx: &state.RecordContext{}})
		no(t, err)
		for at := range int64(4) {
			no(t, h.Top.Put(wkey("a", at), b("1")))
		}
		no(t, h.Flush())
		no(t, h.Top.Put(wkey("a", 1), nil)) // with rows below the cache around it
		no(t, h.Top.Put(wkey("a", 3), nil)) // first
		it := h.Top.Scan(state.Span{From: wkey("a", 0), To: wkey("a", 9), ToTime: 9, Key: b("a"), Reverse: true})
		same(t, "rows", []string{"a@2=1", "a@0=1"}, windows(t, it))
	})
}
