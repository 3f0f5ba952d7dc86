package brokertest

import (
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var timestampCases = []testcase{
	{"timestamp/CreateTime keeps the order in which records came", timestampsOutOfOrder},
	{"timestamp/LogAppendTime is the broker's clock", timestampsAppend},
	{"timestamp/LogAppendTime is what offsets by time go by", timestampsAppendLookup},
	{"timestamp/too far ahead is refused", timestampsAhead},
	{"timestamp/too far behind is refused", timestampsBehind},
	{"timestamp/offsets by time find control records too", timestampsControl},
	{"timestamp/offsets by time of records with one time", timestampsEqual},
}

// stamped makes records with these timestamps.
func stamped(timestamps ...int64) []broker.Record {
	out := keyed(0, len(timestamps))
	for i, ts := range timestamps {
		out[i].Timestamp = ts
	}
	return out
}

// ByTime checks the first offset at or after each timestamp.
func (e *Env) ByTime(of broker.TopicPartition, want map[int64]int64) {
	e.T.Helper()
	for ts, offset := range want {
		found, err := e.Cluster().Admin().OffsetsForTime(e.Ctx, ts, of)
		e.Must(err, "offsets for time")
		if found[of] != offset {
			e.Fatalf("time %d is at offset %d instead of %d", ts, found[of], offset)
		}
	}
}

func timestampsOutOfOrder(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	e.Send(p, at, stamped(500, 100, 900, 0)...)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	came := e.Read(c, 4)
	e.Values(came, "v0", "v1", "v2", "v3")
	for i, want := range []int64{500, 100, 900, 0} {
		if came[i].timestamp != want {
			e.Fatalf("%v came", came)
		}
	}
	e.ByTime(at, map[int64]int64{0: 0, 501: 2, 901: broker.NoOffset})
}

func timestampsAppend(e *Env) {
	at := tp(e.Topic("t", 1, "message.timestamp.type", "LogAppendTime"), 0)
	p := e.Producer()
	defer p.Close()
	before := e.Main().Host().Now().UnixMilli()
	e.Send(p, at, stamped(5, 1<<41, 7)...)
	after := e.Main().Host().Now().UnixMilli()
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	for _, g := range e.Read(c, 3) {
		if g.timestamp < before || g.timestamp > after {
			e.Fatalf("%v was appended between %d and %d", g, before, after)
		}
	}
}

func timestampsAppendLookup(e *Env) {
	at := tp(e.Topic("t", 1, "message.timestamp.type", "LogAppendTime"), 0)
	p := e.Producer()
	defer p.Close()
	e.Send(p, at, stamped(1<<41)...)
	e.Sleep(50 * time.Millisecond)
	between := e.Main().Host().Now().UnixMilli()
	e.Sleep(50 * time.Millisecond)
	e.Send(p, at, stamped(5)...)
	e.ByTime(at, map[int64]int64{0: 0, between: 1, between + 60000: broker.NoOffset})
}

// refusedAt sends a record of a timestamp that a topic does not allow, and then one that it does.
func (e *Env) refusedAt(setting string, shift time.Duration) {
	e.T.Helper()
	at := tp(e.Topic("t", 1, setting, "10000"), 0)
	p := e.Producer()
	defer p.Close()
	var failed error
	now := e.Main().Host().Now()
	e.Must(p.Send(e.Ctx, at, stamped(now.Add(shift).UnixMilli()), func(_ int64, err error) { failed = err }), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	e.Is(failed, "ack", broker.ErrFatal)
	e.Send(p, at, stamped(now.UnixMilli())...)
	if end := e.EndOffset(broker.ReadUncommitted, at); end != 1 {
		e.Fatalf("the end is %d", end)
	}
}

func timestampsAhead(e *Env)  { e.refusedAt("message.timestamp.after.max.ms", time.Hour) }
func timestampsBehind(e *Env) { e.refusedAt("message.timestamp.before.max.ms", -time.Hour) }

func timestampsControl(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, at, stamped(100)...)
	e.commit(p)
	e.Stable(at)
	e.begin(p)
	e.Send(p, at, stamped(200)...)
	e.commit(p)
	if end := e.Stable(at); end != 4 {
		e.Fatalf("the end is %d", end)
	}
	e.ByTime(at, map[int64]int64{0: 0, 100: 0, 101: 1, 200: 1}) // markers have the time at which they were written
}

func timestampsEqual(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	e.Send(p, at, stamped(100, 200, 200)...)
	e.Send(p, at, stamped(200, 200, 300)...)
	e.ByTime(at, map[int64]int64{100: 0, 101: 1, 200: 1, 201: 5, 300: 5, 301: broker.NoOffset})
}
