package state_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// opened is a store of a DB with a changelog that is written down.
type opened struct {
	*state.Handle
	db  *state.DB
	ctx state.RecordContext
	log []string
}

func openStore(t testing.TB, e state.Engine, spec state.Spec, budget *state.Budget) *opened {
	t.Helper()
	o := &opened{db: state.OpenDB(e)}
	cfg := state.OpenConfig{Budget: budget, Ctx: &o.ctx}
	if spec.Logging {
		cfg.Log = func(key, value []byte, ts int64, _ []broker.Header) error {
			o.log = append(o.log, fmt.Sprintf("%x=%s@%d", key, hex(value), ts))
			return nil
		}
	}
	var err error
	o.Handle, err = o.db.Open(spec, cfg)
	no(t, err)
	return o
}

func hex(b []byte) string {
	if b == nil {
		return "nil"
	}
	return fmt.Sprintf("%x", b)
}

func (o *opened) engineRows(t testing.TB, e state.Engine) []string {
	t.Helper()
	no(t, o.db.Commit(nil))
	it := e.Scan(nil, nil, false)
	defer it.Close()
	var out []string
	for it.Next() {
		out = append(out, fmt.Sprintf("%x=%x", it.Key(), it.Value()))
	}
	return out
}

// TestTimestampedBytes compares the bytes with those of Kafka: in the store 8 bytes of timestamp before the value, in the changelog the bare
// value with the timestamp as the record's.
func TestTimestampedBytes(t *testing.T) {
	e := state.NewMemory()
	o := openStore(t, e, state.Spec{Name: "s", Kind: state.TimestampedKeyValue, Logging: true}, nil)
	s, err := state.NewTimestamped(o.Handle, "app-s-changelog", serde.String(), serde.Long())
	no(t, err)
	o.ctx.Timestamp = 999 // the value's own timestamp counts
	no(t, s.Put("AA", 258, 0x0102030405060708))
	no(t, s.Put("B", -1, 5))
	no(t, s.Delete("B"))
	same(t, "changelog", []string{"4141=0000000000000102@72623859790382856", "42=ffffffffffffffff@5", "42=nil@999"}, o.log)
	same(t, "engine", []string{"647300" + "4141=" + "0102030405060708" + "0000000000000102"}, o.engineRows(t, e))
	v, ts, ok, err := s.Get("AA")
	no(t, err)
	same(t, "get", []any{int64(258), int64(0x0102030405060708), true}, []any{v, ts, ok})
	_, _, ok, err = s.Get("B")
	no(t, err)
	same(t, "deleted", false, ok)
	pairs, err := o.Rows()
	no(t, err)
	same(t, "rows, in the changelog's form", [][2][]byte{{b("AA"), b("\x00\x00\x00\x00\x00\x00\x01\x02")}}, pairs)
}

// TestWindowBytes: key, 8 bytes of start, 4 of sequence; the value as in a timestamped store.
func TestWindowBytes(t *testing.T) {
	e := state.NewMemory()
	o := openStore(t, e, state.Spec{Name: "w", Kind: state.TimestampedWindow, Retention: 2 * minute, WindowSize: 1000, Logging: true}, nil)
	s, err := state.NewWindow(o.Handle, "app-w-changelog", serde.String(), serde.Long())
	no(t, err)
	no(t, s.Put("AA", 61_000, 3, 61_234))
	same(t, "changelog", []string{"4141" + "000000000000ee48" + "00000000" + "=0000000000000003@61234"}, o.log)
	v, ts, ok, err := s.Fetch("AA", 61_000)
	no(t, err)
	same(t, "fetch", []any{int64(3), int64(61_234), true}, []any{v, ts, ok})
	_, _, ok, err = s.Fetch("AA", 60_000)
	no(t, err)
	same(t, "another window", false, ok)
	pairs, err := o.Rows()
	no(t, err)
	k, err := s.DecodeKey(pairs[0][0])
	no(t, err)
	same(t, "key", serde.Windowed[string]{Key: "AA", Window: serde.Window{Start: 61_000, End: 62_000}}, k)
	no(t, s.Delete("AA", 61_000))
	_, _, ok, err = s.Fetch("AA", 61_000)
	no(t, err)
	same(t, "deleted", false, ok)
	if _, _, err := state.DecodeWindowKey(b("short"), "t", serde.String()); err == nil {
		t.Error("a key of 5 bytes is no window key")
	}
}

func TestEmptyKeysAndValuesInTypedStores(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		o := openStore(t, p.engine, state.Spec{Name: "s", Kind: state.TimestampedKeyValue}, nil)
		s, err := state.NewTimestamped(o.Handle, "t", serde.String(), serde.String())
		no(t, err)
		no(t, s.Put("", "", 3))
		no(t, o.db.Commit(nil))
		v, ts, ok, err := s.Get("")
		no(t, err)
		same(t, "get", []any{"", int64(3), true}, []any{v, ts, ok})
	})
}

func TestTypedStoresRefuseOtherKinds(t *testing.T) {
	o := openStore(t, state.NewMemory(), state.Spec{Name: "s", Kind: state.KeyValue}, nil)
	_, err := state.NewTimestamped(o.Handle, "t", serde.String(), serde.Long())
	same(t, "timestamped", "state: store s is a key-value store, not a timestamped one", fmt.Sprint(err))
	_, err = state.NewWindow(o.Handle, "t", serde.String(), serde.Long())
	same(t, "window", "state: store s is a key-value store, not a timestamped-window one", fmt.Sprint(err))
}

func TestPlainStoresLogTheRecordsTime(t *testing.T) {
	o := openStore(t, state.NewMemory(), state.Spec{Name: "s", Kind: state.KeyValue, Logging: true}, nil)
	o.ctx.Timestamp = 77
	put(t, o.Top, "k", "v", "e", "")
	remove(t, o.Top, "k")
	same(t, "changelog", []string{"6b=76@77", "65=@77", "6b=nil@77"}, o.log)
}

func TestCachedStoresLogOncePerFlush(t *testing.T) {
	o := openStore(t, state.NewMemory(), state.Spec{Name: "s", Kind: state.TimestampedKeyValue, Logging: true, Caching: true}, state.NewBudget(1<<20))
	s, err := state.NewTimestamped(o.Handle, "t", serde.String(), serde.String())
	no(t, err)
	for i := range int64(10) {
		no(t, s.Put("k", fmt.Sprint(i), i))
	}
	same(t, "before the flush", 0, len(o.log))
	pairs, err := o.Rows()
	no(t, err)
	same(t, "rows below the cache", 0, len(pairs))
	no(t, o.Flush())
	same(t, "changelog", []string{"6b=39@9"}, o.log)
}

func TestWithoutABudgetThereIsNoCache(t *testing.T) {
	o := openStore(t, state.NewMemory(), state.Spec{Name: "s", Caching: true}, nil)
	if o.Cache != nil {
		t.Error("a cache without a budget")
	}
	no(t, o.Flush())
	o.Release()
}

// TestRestoreGivesBackWhatTheChangelogHolds replays the changelog of one store into another.
func TestRestoreGivesBackWhatTheChangelogHolds(t *testing.T) {
	for _, spec := range []state.Spec{
		{Name: "s", Kind: state.KeyValue, Logging: true},
		{Name: "s", Kind: state.TimestampedKeyValue, Logging: true},
		{Name: "s", Kind: state.TimestampedWindow, Logging: true, Retention: 2 * minute},
		{Name: "s", Kind: state.TimestampedWindow, Logging: true, Retention: 2 * minute, InMemory: true},
	} {
		t.Run(spec.Kind.String(), func(t *testing.T) {
			type entry struct {
				key, value []byte
				ts         int64
			}
			var log []entry
			ctx := state.RecordContext{Timestamp: 4}
			engine, copied := state.NewMemory(), state.NewMemory()
			h, err := state.OpenDB(engine).Open(spec, state.OpenConfig{Ctx: &ctx, Log: func(k, v []byte, ts int64, _ []broker.Header) error {
				log = append(log, entry{append([]byte(nil), k...), v, ts})
				return nil
			}})
			no(t, err)
			for i := range 50 {
				key := wkey(fmt.Sprint(i%7), int64(i)*minute/10)
				value := b(fmt.Sprintf("%08d-%d", i, i))
				if i%5 == 4 {
					value = nil
				}
				no(t, h.Top.Put(key, value))
			}
			restored := openStore(t, copied, spec, nil)
			no(t, restored.Restore(nil, b("a record without a key is passed over"), 1))
			for _, e := range log {
				no(t, restored.Restore(e.key, e.value, e.ts))
			}
			same(t, "the restored store writes no changelog", 0, len(restored.log))
			same(t, "rows", allWindows(t, h.Top), allWindows(t, restored.Top))
		})
	}
}

func TestChangelogConfig(t *testing.T) {
	day := int64(86_400_000)
	for _, c := range []struct {
		name  string
		spec  state.Spec
		topic map[string]string
		want  string
	}{
		{"key-value", state.Spec{Kind: state.TimestampedKeyValue}, nil, "cleanup.policy=compact message.timestamp.type=CreateTime"},
		{"window", state.Spec{Kind: state.TimestampedWindow, Retention: 7_200_000}, nil,
			"cleanup.policy=compact,delete message.timestamp.type=CreateTime retention.ms=93600000"},
		{"window with duplicates", state.Spec{Kind: state.WindowStore, Retention: 1, Duplicates: true}, nil,
			"cleanup.policy=delete message.timestamp.type=CreateTime retention.ms=86400001"},
		{"retention that overflows", state.Spec{Kind: state.WindowStore, Retention: 1<<63 - 1}, nil,
			"cleanup.policy=compact,delete message.timestamp.type=CreateTime retention.ms=9223372036854775807"},
		{"topic properties, then the store's", state.Spec{Kind: state.TimestampedWindow, Retention: 1, LogConfig: map[string]string{"segment.bytes": "9", "x": "store"}},
			map[string]string{"segment.bytes": "5", "y": "topic"},
			"cleanup.policy=compact,delete message.timestamp.type=CreateTime retention.ms=86400001 segment.bytes=9 x=store y=topic"},
		{"the store's retention wins", state.Spec{Kind: state.TimestampedWindow, Retention: 1, LogConfig: map[string]string{"retention.ms": "3"}}, nil,
			"cleanup.policy=compact,delete message.timestamp.type=CreateTime retention.ms=3"},
	} {
		var got []string
		cfg := c.spec.ChangelogConfig(c.topic, day)
		for _, k := range sortedKeys(cfg) {
			got = append(got, k+"="+cfg[k])
		}
		same(t, c.name, c.want, strings.Join(got, " "))
	}
}
