package state_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/state"
)

// wkey is a window store's key: key, 8 bytes of start, 4 of sequence.
func wkey(key string, start int64) []byte {
	k := binary.BigEndian.AppendUint64(b(key), uint64(start))
	return append(k, 0, 0, 0, 0)
}

// windows renders rows of a window store as "key@start=value".
func windows(t testing.TB, it state.Iterator) []string {
	t.Helper()
	out := []string{}
	for it.Next() {
		k := it.Key()
		out = append(out, fmt.Sprintf("%s@%d=%s", k[:len(k)-12], state.WindowTime(k), it.Value()))
	}
	no(t, it.Err())
	no(t, it.Close())
	return out
}

func allWindows(t testing.TB, s state.Bytes) []string {
	t.Helper()
	return windows(t, s.Scan(state.AllTime(state.Span{})))
}

// minute is the least segment interval: with a retention of two of them, segments are one minute long.
const minute = state.MinSegmentInterval

type segmented struct {
	*state.Segments
	t       testing.TB
	db      *state.DB
	expired int
}

func openSegments(t testing.TB, e state.Engine, retention int64, exact bool) *segmented {
	t.Helper()
	s := &segmented{t: t, db: state.OpenDB(e)}
	var err error
	s.Segments, err = s.db.Segments("s", state.SegmentsConfig{Retention: retention, Time: state.WindowTime, Exact: exact, Expired: func() { s.expired++ }})
	no(t, err)
	return s
}

func (s *segmented) put(key string, start int64, value string) {
	s.t.Helper()
	no(s.t, s.Put(wkey(key, start), b(value)))
}

func (s *segmented) fetch(key string, start int64) string {
	s.t.Helper()
	return get(s.t, s, string(wkey(key, start)))
}

func TestSegmentsExpireAsAWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := openSegments(t, p.engine, 2*minute, false)
		s.put("a", 0, "0")
		s.put("a", minute-1, "1")
		s.put("a", minute, "2")
		s.put("a", 2*minute, "3") // observed - retention is 0: segment 0 is still live
		same(t, "all but what reads may not see", []string{"a@59999=1", "a@60000=2", "a@120000=3"}, allWindows(t, s))
		s.put("b", 0, "late, but its segment lives")
		same(t, "expired", 0, s.expired)
		same(t, "reads end with the retention, to the millisecond", "<nil>", s.fetch("b", 0))
		s.put("b", 3*minute-1, "4") // segment of observed - retention is still 0
		s.put("b", minute-1, "5")
		same(t, "expired", 0, s.expired)
		s.put("b", 3*minute, "6") // now it is 1
		s.put("b", minute-1, "too late")
		same(t, "expired", 1, s.expired)
		s.put("b", minute, "7")
		same(t, "expired", 1, s.expired)
		same(t, "left", []string{"a@120000=3", "b@179999=4", "b@180000=6"}, allWindows(t, s))
		no(t, s.db.Commit(nil))
		same(t, "committed", []string{"a@120000=3", "b@179999=4", "b@180000=6"}, allWindows(t, s))
	})
}

func TestSegmentsExpireExactly(t *testing.T) {
	s := openSegments(t, state.NewMemory(), 100, true)
	s.put("a", 0, "0")
	s.put("a", 99, "1")
	same(t, "both live", []string{"a@0=0", "a@99=1"}, allWindows(t, s))
	s.put("a", 100, "2") // times from 1 on live
	same(t, "0 has expired", []string{"a@99=1", "a@100=2"}, allWindows(t, s))
	same(t, "0 cannot be read", "<nil>", s.fetch("a", 0))
	s.put("b", 0, "late")
	same(t, "expired", 1, s.expired)
	s.put("b", 1, "just in time")
	same(t, "expired", 1, s.expired)
	same(t, "1 lives", "just in time", s.fetch("b", 1))
}

func TestSegmentsScanInOrderOfTimeThenKey(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := openSegments(t, p.engine, 4*minute, false) // segments of two minutes
		for _, at := range []int64{0, minute, 2 * minute, 3 * minute, 4*minute - 1} {
			s.put("a", at, "")
			s.put("b", at, "")
		}
		no(t, s.db.Commit(nil))
		s.put("ab", minute, "")
		s.put("", 3*minute, "")
		want := []string{"a@0=", "a@60000=", "ab@60000=", "b@0=", "b@60000=", "@180000=", "a@120000=", "a@180000=", "a@239999=", "b@120000=", "b@180000=", "b@239999="}
		// within a segment the order is that of the key's bytes, so "" at 180000 comes before "a"
		same(t, "all", want, allWindows(t, s))
		for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
			want[i], want[j] = want[j], want[i]
		}
		same(t, "backwards", want, windows(t, s.Scan(state.AllTime(state.Span{Reverse: true}))))
		for _, c := range []struct {
			span state.Span
			want []string
		}{
			{state.Span{FromTime: minute, ToTime: minute}, []string{"a@60000=", "ab@60000=", "b@60000="}},
			{state.Span{FromTime: minute, ToTime: 2 * minute}, []string{"a@60000=", "ab@60000=", "b@60000=", "a@120000=", "b@120000="}},
			{state.Span{From: wkey("a", 0), To: wkey("a", 3*minute), FromTime: 1, ToTime: 3 * minute}, []string{"a@60000=", "a@120000="}},
			{state.Span{FromTime: 5, ToTime: 4}, []string{}},
			{state.Span{FromTime: 5 * minute, ToTime: 1 << 62}, []string{}},
			{state.Span{FromTime: -5, ToTime: 0}, []string{"a@0=", "b@0="}},
			{state.Span{FromTime: -5, ToTime: -1}, []string{}},
		} {
			same(t, fmt.Sprintf("%+v", c.span), c.want, windows(t, s.Scan(c.span)))
		}
	})
}

func TestSegmentsKeepTheirTime(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := openSegments(t, p.engine, 2*minute, false)
		same(t, "observed at first", int64(-1), s.Observed())
		s.put("a", 10*minute, "1")
		no(t, s.db.Commit(nil))
		s.put("a", 20*minute, "not committed")

		s = openSegments(t, p.reopen(t), 2*minute, false)
		same(t, "observed after a restart", 10*minute, int(s.Observed()))
		same(t, "rows", []string{"a@600000=1"}, allWindows(t, s))
		s.put("late", 8*minute-1, "")
		same(t, "expired", 1, s.expired)
		s.put("late", 8*minute, "in time")
		same(t, "expired", 1, s.expired)
		remove(t, s, string(wkey("a", 12*minute))) // a deletion moves the time too
		no(t, s.db.Commit(nil))
		same(t, "observed after a deletion", 12*minute, int(openSegments(t, p.reopen(t), 2*minute, false).Observed()))
	})
}

func TestDroppedSegmentsAreDeleted(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := openSegments(t, p.engine, 2*minute, false)
		for i := range int64(3) {
			s.put("a", i*minute, "committed")
		}
		no(t, s.db.Commit(nil))
		s.put("b", 0, "never committed")
		s.put("a", 10*minute, "new")
		count := func() int { return len(rows(t, p.engine.Scan(nil, nil, false))) }
		same(t, "rows in the engine: nothing is deleted before the commit", 3+1, count())
		no(t, s.db.Commit(nil))
		same(t, "rows in the engine: the new one, and the time", 1+1, count())
		no(t, s.db.Commit(nil))
		s = openSegments(t, p.reopen(t), 2*minute, false)
		same(t, "after a restart", []string{"a@600000=new"}, allWindows(t, s))
	})
}

func TestASegmentThatWasDroppedAndNotCommittedComesBack(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := openSegments(t, p.engine, 2*minute, false)
		s.put("a", minute, "1")
		no(t, s.db.Commit(nil))
		s.put("a", 10*minute, "never committed")
		same(t, "dropped", "<nil>", s.fetch("a", minute))
		s = openSegments(t, p.reopen(t), 2*minute, false)
		same(t, "after a restart", []string{"a@60000=1"}, allWindows(t, s))
	})
}

func TestSegmentsWipe(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		s := openSegments(t, p.engine, 2*minute, false)
		s.put("a", 10*minute, "1")
		no(t, s.db.Commit(map[string]int64{"s": 1}))
		s.put("a", 20*minute, "2")
		no(t, s.db.Wipe("s"))
		same(t, "observed", int64(-1), s.Observed())
		same(t, "rows", []string{}, allWindows(t, s))
		s.put("a", 0, "from the beginning of the changelog")
		no(t, s.db.Commit(map[string]int64{"s": 1}))
		s = openSegments(t, p.reopen(t), 2*minute, false)
		same(t, "after a restart", []string{"a@0=from the beginning of the changelog"}, allWindows(t, s))
		same(t, "observed after a restart", int64(0), s.Observed())
	})
}

func TestSegmentInterval(t *testing.T) {
	for _, c := range []struct{ retention, last int64 }{
		{1, minute - 1},               // one minute at least
		{3 * minute, 90_000 - 1},      // half the retention
		{3*minute + 1, 90_000 - 1},    // rounded down
		{1 << 40, 1<<39 - 1},          // however long
		{2 * minute, minute - 1},      // equal
		{2*minute + 2, minute},        // just more
		{2*minute - 2, minute - 1},    // just less
		{100 * minute, 50*minute - 1}, // hours
	} {
		s := openSegments(t, state.NewMemory(), c.retention, false)
		// a late put is taken as long as the segment of observed - retention is the first
		s.put("a", c.retention+c.last, "")
		s.put("a", 0, "")
		same(t, fmt.Sprintf("retention %d: expired at %d", c.retention, c.last), 0, s.expired)
		s.put("a", c.retention+c.last+1, "")
		s.put("a", 0, "")
		same(t, fmt.Sprintf("retention %d: expired at %d", c.retention, c.last+1), 1, s.expired)
	}
}
