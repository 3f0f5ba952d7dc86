package state

import (
	"encoding/binary"
	"slices"
)

// Kind is the kind of a store: which codec its keys and values have.
type Kind int8

// The kinds.
const (
	KeyValue            Kind = iota // key -> value
	TimestampedKeyValue             // key -> 8 bytes of timestamp, value
	WindowStore                     // key, 8 bytes of start, 4 of sequence -> value
	TimestampedWindow               // the same -> 8 bytes of timestamp, value
	SessionStore                    // key, 8 bytes of end, 8 of start -> value
	SuppressBuffer                  // key -> what a Buffer holds of it
	Versioned                       // key -> versions, each with the time from which it is valid
)

func (k Kind) String() string {
	return [...]string{"key-value", "timestamped", "window", "timestamped-window", "session", "suppress-buffer", "versioned"}[k]
}

// Windowed says whether the keys carry a window.
func (k Kind) Windowed() bool {
	return k == WindowStore || k == TimestampedWindow || k == SessionStore
}

// Timestamped says whether values begin with a timestamp, which the changelog carries as the record's.
func (k Kind) Timestamped() bool { return k == TimestampedKeyValue || k == TimestampedWindow }

// Spec describes a store of a topology.
type Spec struct {
	Name       string
	Kind       Kind
	Retention  int64 // ms; windowed kinds
	WindowSize int64 // ms; windowed kinds
	Duplicates bool  // windowed kinds: several rows of one key and start
	History    int64 // ms; Versioned: how far back earlier versions can be seen
	Entries    int   // KeyValue: keep only that many rows, those used last; 0: all
	// ByTime: the rows of all keys can be walked in order of time, with Handle.ScanTimes; windowed kinds.
	ByTime   bool
	InMemory bool
	Caching  bool
	Logging  bool
	// Global: each instance has all partitions. Whoever opens it without a budget has it without a cache.
	Global bool
	// Untimed: the changelog's records have the time of the producer's clock.
	Untimed bool
	// Internal: the store is an operator's own, and not to be looked at from outside.
	Internal bool
	// Source is the topic from which the store is restored instead of a changelog, up to what the group has committed of it.
	Source string
	// LogConfig are settings of the changelog topic, over the defaults.
	LogConfig map[string]string
}

// ChangelogConfig are the changelog topic's settings: the kind's defaults, then topic (topic.* properties), then the store's own.
// additional is windowstore.changelog.additional.retention.ms.
func (s *Spec) ChangelogConfig(topic map[string]string, additional int64) map[string]string {
	c := map[string]string{"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}
	if s.Kind.Windowed() {
		c["cleanup.policy"] = "compact,delete"
		if s.Duplicates {
			c["cleanup.policy"] = "delete"
		}
	}
	for k, v := range topic { // the result is a map again
		c[k] = v
	}
	switch {
	case s.Kind.Windowed():
		c["retention.ms"] = formatRetention(s.Retention, additional)
	case s.Kind == Versioned:
		c["min.compaction.lag.ms"] = formatRetention(s.History, changelogLag)
	}
	for k, v := range s.LogConfig { // the result is a map again
		c[k] = v
	}
	return c
}

// changelogLag is what, beside its history, a versioned store's changelog is spared from compaction, in ms.
const changelogLag = 24 * 3_600_000

// segments is how the segments of a windowed store are kept.
func (s *Spec) segments(expired func()) SegmentsConfig {
	c := SegmentsConfig{Retention: s.Retention, Time: WindowTime, Exact: s.InMemory, Expired: expired}
	session := s.Kind == SessionStore
	if session {
		c.Time = SessionTime
	}
	if !s.ByTime {
		return c
	}
	// Kafka's persistent stores by time are a little more patient than its others
	c.Whole = session && !s.InMemory
	switch {
	case !session:
		c.ByTime = windowByTime
		if !s.InMemory {
			c.Slack = 1
		}
	case s.InMemory:
		c.ByTime = sessionByEnd
	default:
		c.ByTime = sessionByTime
	}
	return c
}

// OpenConfig is what a store of a task is opened with.
type OpenConfig struct {
	// Budget is the thread's record cache; nil: no cache, whatever the spec says.
	Budget *Budget
	Ctx    *RecordContext
	// Log is the changelog; nil: none.
	Log Log
	// Expired is told of each put that came too late.
	Expired func()
}

// Handle is an open store of one task, at the level of bytes.
type Handle struct {
	Spec
	// Top is where operators read and write.
	Top Bytes
	// Cache is the cache layer, or nil.
	Cache *Cache
	// Buffer is the store, of a SuppressBuffer.
	Buffer *Buffer
	// History is the store, of a Versioned one, which has no Top.
	History *History
	inner   Bytes
	segs    *Segments
	recent  *recent
}

// Open opens a store of a task's database.
func (db *DB) Open(spec Spec, cfg OpenConfig) (*Handle, error) {
	h := &Handle{Spec: spec}
	if spec.Kind == SuppressBuffer {
		h.Buffer = newBuffer(&spec, cfg)
		db.layers = append(db.layers, h.Buffer)
		h.inner, h.Top = h.Buffer, h.Buffer
		return h, nil
	}
	if spec.Kind == Versioned {
		var err error
		h.History, err = db.openHistory(&h.Spec, cfg)
		return h, err
	}
	if spec.Kind.Windowed() {
		segs, err := db.Segments(spec.Name, spec.segments(cfg.Expired))
		if err != nil {
			return nil, err
		}
		h.segs, h.inner = segs, segs
	} else {
		h.inner = db.Table(spec.Name)
	}
	if spec.Entries > 0 {
		h.recent = newRecent(h.inner, spec.Name, spec.Entries)
		db.layers = append(db.layers, h.recent)
		h.inner = h.recent
	}
	h.Top = h.inner
	if cfg.Log != nil {
		h.Top = &changelogging{Bytes: h.Top, log: cfg.Log, ctx: cfg.Ctx, timestamped: spec.Kind.Timestamped(), untimed: spec.Untimed}
		if h.recent != nil {
			h.recent.evicted = func(key []byte) error { return cfg.Log(key, nil, cfg.Ctx.Timestamp, nil) }
		}
	}
	if spec.Caching && cfg.Budget != nil {
		h.Cache = NewCache(h.Top, cfg.Budget, cfg.Ctx)
		if h.segs != nil {
			h.Cache.Time = h.segs.cfg.Time
			h.Cache.interval, h.Cache.exact = h.segs.interval, spec.InMemory
			h.Cache.Segment = func(key []byte) int64 { return h.segs.cfg.Time(key) / h.segs.interval }
			if spec.ByTime && !spec.InMemory {
				h.Cache.extra = 1 // Kafka's keys by time begin with a byte that says so
			}
		}
		h.Top = h.Cache
	}
	return h, nil
}

// Restore applies a record of the changelog. A record without a key is passed over.
func (h *Handle) Restore(key, value []byte, timestamp int64) error {
	if key == nil {
		return nil
	}
	if h.History != nil {
		_, err := h.History.put(key, value, timestamp)
		return err
	}
	if h.recent != nil {
		h.recent.restoring = true
		defer func() { h.recent.restoring = false }()
	}
	if value != nil && h.Kind.Timestamped() {
		value = append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(value)), uint64(timestamp)), value...)
	}
	return h.inner.Put(key, value)
}

// LogNull tells the changelog of a null that the store itself does not take. A store in memory yet sees its time pass, as in Kafka.
func (h *Handle) LogNull(key []byte) error {
	if h.segs != nil && h.InMemory {
		h.segs.observe(WindowTime(key))
	}
	if c, ok := h.Top.(*changelogging); ok {
		return c.log(key, nil, c.ctx.Timestamp, nil)
	}
	return nil
}

// Flush writes what the cache holds.
func (h *Handle) Flush() error {
	if h.Buffer != nil {
		return h.Buffer.Flush()
	}
	if h.Cache == nil {
		return nil
	}
	return h.Cache.Flush()
}

// Rows returns what is in the store below its cache, in the changelog's form (without timestamps): for comparing a store with its
// changelog, which does not have what the cache holds back either.
func (h *Handle) Rows() ([][2][]byte, error) {
	if h.Buffer != nil {
		return h.Buffer.logged(), nil
	}
	if h.History != nil {
		return h.History.rows()
	}
	it := h.inner.Scan(AllTime(Span{}))
	defer it.Close()
	var rows [][2][]byte
	for it.Next() {
		v := it.Value()
		if h.Kind.Timestamped() {
			v = v[8:]
		}
		rows = append(rows, [2][]byte{slices.Clone(it.Key()), v})
	}
	return rows, it.Err()
}

// Release gives the cache's bytes back to the thread's budget. What was not flushed is gone.
func (h *Handle) Release() {
	if h.Cache != nil {
		h.Cache.release()
	}
}
