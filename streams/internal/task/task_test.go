package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

func TestLowestTimestampFirst(t *testing.T) {
	w := newWorld(t, nil).start(nil)
	w.poll("a", "a1@10", "a2@30", "a3@20", "a4@40")
	w.poll("b", "b1@10", "b2@15", "b3@35")
	// equal times: the first partition; a partition is never put in another order, so a3 waits for a2
	w.saw("a1@10 b1@10 b2@15 a2@30 a3@20 b3@35 a4@40")
	same(t, "stream time", int64(40), w.task.StreamTime())
	w.poll("b", "b4@5")
	w.saw("b4@5")
	same(t, "stream time never goes back", int64(40), w.task.StreamTime())
}

// TestIdle is the table of max.task.idle.ms, for a task with a record of a and nothing of b.
func TestIdle(t *testing.T) {
	for _, c := range []struct {
		name          string
		idle          int64
		position, end int64 // of b; -2: nothing is known
		wantEnds      bool
		seen          string
		wait          int64
	}{
		{"-1 takes what is there", -1, -2, -2, false, "1@5", 0},
		{"0, end unknown", 0, -2, -2, true, "", 0},
		{"0, position unknown", 0, -1, 0, true, "", 0},
		{"0, b has more", 0, 3, 7, false, "", 0},
		{"0, b has no more", 0, 7, 7, false, "1@5", 0},
		{"0, b is empty", 0, 0, 0, false, "1@5", 0},
		{"50, end unknown", 50, -2, -2, true, "", 0},
		{"50, b has more", 50, 3, 7, false, "", 0},
		{"50, b has no more", 50, 7, 7, false, "", 1050},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.cfg.MaxTaskIdle = c.idle }).start(nil)
			w.poll("a", "1@5")
			if c.position > -2 {
				w.task.SetEnd(tp("b"), c.position, c.end)
			}
			seen, wait := w.process()
			same(t, "seen", c.seen, seen)
			same(t, "wait", c.wait, wait)
			ends := w.task.WantEnds()
			same(t, "wants ends", c.wantEnds, len(ends) > 0)
			if c.wantEnds {
				same(t, "of", []broker.TopicPartition{tp("b")}, ends)
			}
			same(t, "the wish is told once", 0, len(w.task.WantEnds()))
		})
	}
}

func TestIdleEndsWithItsTimeOrWithData(t *testing.T) {
	w := newWorld(t, func(w *world) { w.cfg.MaxTaskIdle = 50 }).start(nil)
	w.task.SetEnd(tp("b"), 0, 0)
	w.poll("a", "1@10", "2@20")
	w.saw("")
	w.clock.now += 49
	w.saw("")
	w.clock.now++
	w.saw("1@10 2@20")
	w.poll("a", "3@30")
	w.clock.now += 10
	w.saw("") // it waits again: the time counts from now
	w.clock.now += 10
	w.poll("b", "0@1")
	w.saw("0@1") // then b is empty again
	w.clock.now += 49
	w.saw("")
	w.clock.now++
	w.saw("3@30")
}

func TestPauseAndResume(t *testing.T) {
	w := newWorld(t, func(w *world) { w.cfg.Buffered, w.cfg.MaxTaskIdle = 2, -1 }).start(nil)
	same(t, "two are not too many", false, w.poll("a", "1@1", "2@2"))
	same(t, "three are", true, w.poll("a", "3@3", "4@4"))
	same(t, "it is told once", false, w.poll("a", "5@5"))
	for i, want := range []int{0, 0, 1, 0, 0} {
		_, resume, _, err := w.task.Process(1, 0)
		no(t, err)
		same(t, fmt.Sprint("resumed by record ", i+1), want, len(resume))
	}
	same(t, "pausing again", true, w.poll("a", "6@6", "7@7", "8@8"))
}

func TestLongQueueKeepsItsOrder(t *testing.T) {
	w := newWorld(t, func(w *world) { w.cfg.MaxTaskIdle = -1 }).start(nil)
	in, out := 0, 0
	for step := range 300 {
		var batch []string
		for range step % 37 {
			batch = append(batch, fmt.Sprintf("%d@%d", in, in))
			in++
		}
		w.poll("a", batch...)
		w.seen = nil
		_, _, _, err := w.task.Process(step%31, 0)
		no(t, err)
		for _, s := range w.seen {
			same(t, "record", fmt.Sprintf("%d@%d", out, out), s)
			out++
		}
		if o := w.task.Offsets()[tp("a")]; in > 0 && o.Offset != int64(out) {
			t.Fatalf("step %d: offset %d, want %d", step, o.Offset, out)
		}
	}
	w.process()
	same(t, "all", in-out, len(w.seen))
}

func TestOffsetsAndMetadata(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.node.on = func(t processor.Task, r *processor.Record[string, string]) error {
			*t.Metadata(operator.TimeKey+"probe", -1) = r.Timestamp
			return nil
		}
	}).start(nil)
	same(t, "nothing to commit", false, w.task.NeedsCommit())
	same(t, "no offsets", 0, len(w.task.Offsets()))
	w.poll("a", "1@7", "2@9")
	_, _, _, err := w.task.Process(1, 0)
	no(t, err)
	same(t, "needs a commit", true, w.task.NeedsCommit())
	got := w.commit()
	numbers := map[string]int64{operator.TimeKey + "probe": 7}
	same(t, "the first record that is not processed", map[broker.TopicPartition]broker.OffsetAndMetadata{
		tp("a"): {Offset: 1, LeaderEpoch: -1, Metadata: task.EncodeMetadata(7, numbers)}}, got)
	same(t, "committed", false, w.task.NeedsCommit())
	w.process()
	// control records at the end of a partition move its position
	w.task.Add(&broker.Batch{TopicPartition: tp("a"), Next: 12, LastStable: 12}, true)
	got = w.commit()
	same(t, "the consumer's position", int64(12), got[tp("a")].Offset)
	w.task.Add(&broker.Batch{TopicPartition: tp("b"), Next: 3, LastStable: 3}, true)
	same(t, "a position alone needs a commit", true, w.task.NeedsCommit())
	got = w.commit()
	same(t, "only what has moved", 1, len(got))
	same(t, "a time that nothing has set", task.EncodeMetadata(-1, map[string]int64{operator.TimeKey + "probe": 9}), got[tp("b")].Metadata)
}

func TestNumbersAreCommittedWithoutARecord(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.node.init = func(t processor.Task) {
			count := t.Metadata("count", 0)
			t.Schedule(-1, 10, processor.WallClockTime, "probe", func(now int64) error {
				if now < 1035 {
					*count++
				}
				return nil
			})
		}
	})
	w.start(map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a"): {Offset: 4}, tp("b"): {Offset: 5, Metadata: task.EncodeMetadata(3, map[string]int64{"count": 2})}})
	for _, c := range []struct {
		now     int64
		offsets int
	}{{1010, 2}, {1030, 2}, {1040, 0}} { // the last one changes nothing
		_, err := w.task.Punctuate(c.now)
		no(t, err)
		got := w.commit()
		same(t, fmt.Sprint("offsets at ", c.now), c.offsets, len(got))
		if c.offsets > 0 {
			same(t, "position", int64(5), got[tp("b")].Offset)
		}
	}
}

func TestRestartFromWhatWasCommitted(t *testing.T) {
	numbers := map[string]int64{}
	set := func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.node.init = func(t processor.Task) {
			for k, initial := range map[string]int64{operator.TimeKey + "x": -1, operator.DropKey + "x": 0, "new": 42} {
				numbers[k] = *t.Metadata(k, initial)
			}
		}
	}
	committed := map[broker.TopicPartition]broker.OffsetAndMetadata{
		tp("a"): {Offset: 5, Metadata: task.EncodeMetadata(100, map[string]int64{operator.TimeKey + "x": 90, operator.DropKey + "x": 3})},
		tp("b"): {Offset: 9, Metadata: task.EncodeMetadata(70, map[string]int64{operator.TimeKey + "x": 100, operator.DropKey + "x": 2, "unused": 1})},
	}
	w := newWorld(t, set).start(committed)
	same(t, "stream time", int64(100), w.task.StreamTime())
	same(t, "the highest of all partitions", map[string]int64{operator.TimeKey + "x": 100, operator.DropKey + "x": 3, "new": 42}, numbers)
	same(t, "positions", []int64{5, 9}, []int64{w.task.Position(tp("a")), w.task.Position(tp("b"))})
	same(t, "dropped", map[string]int64{"x": 3}, w.task.Dropped())

	committed[tp("a")] = broker.OffsetAndMetadata{Offset: 5, Metadata: "somebody else's"}
	w = newWorld(t, set).start(committed)
	same(t, "metadata that cannot be read is passed over", int64(70), w.task.StreamTime())
	if !strings.Contains(w.log.String(), "ignoring the metadata") {
		t.Error("and that must be logged")
	}
}

func TestForgetTime(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.cfg.ForgetTime, w.cfg.MaxTaskIdle = true, -1
		w.node.init = func(t processor.Task) {
			*t.Metadata(operator.TimeKey+"x", -1) = 5
			*t.Metadata(operator.DropKey+"x", 0) = 6
		}
	}).start(nil)
	w.poll("a", "1@1")
	w.process()
	same(t, "metadata", task.EncodeMetadata(1, map[string]int64{operator.DropKey + "x": 6}), w.commit()[tp("a")].Metadata)
}

func TestRecordsThatCannotBeRead(t *testing.T) {
	var asked []string
	w := newWorld(t, func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.cfg.Handlers.Deserialization = func(id processor.TaskID, source string, tp broker.TopicPartition, r *broker.Record, err error) bool {
			asked = append(asked, fmt.Sprintf("%s %s %s %d: %v", id, source, tp, r.Offset, err))
			return r.Timestamp < 100
		}
		w.extract = func(r processor.Extracted[string, string], _ int64) (int64, error) { return r.Timestamp, nil }
	}).start(nil)
	w.poll("a", "bad@1", "1@2", "bad@3", "early@-1", "2@4", "bad@5") // the extractor leaves out what has no time
	w.saw("1@2 2@4")
	same(t, "asked", []string{
		`0_0 source-a a-0 0: deserialize value: "bad" is no number`,
		`0_0 source-a a-0 2: deserialize value: "bad" is no number`,
		`0_0 source-a a-0 5: deserialize value: "bad" is no number`,
	}, asked)
	same(t, "dropped", map[string]int64{"source-a": 4}, w.task.Dropped())
	same(t, "the last one is committed too", int64(6), w.commit()[tp("a")].Offset)
	w.poll("a", "3@10", "bad@100")
	_, _, _, err := w.task.Process(10, 0)
	var at *task.Error
	if !errors.As(err, &at) || at.Offset != 7 || at.Node != "source-a" {
		t.Errorf("error %v, want one at source-a, offset 7", err)
	}
}

func TestARecordWithoutATimeStopsTheTask(t *testing.T) {
	w := newWorld(t, func(w *world) { w.cfg.MaxTaskIdle = -1 }).start(nil)
	w.poll("a", "1@1", "2@-1")
	n, _, _, err := w.task.Process(10, 0)
	if n != 0 || err == nil || !strings.Contains(err.Error(), "a-0 offset 1: ") || !strings.Contains(err.Error(), "set a timestamp extractor") {
		t.Errorf("%d processed, error %v; want the error before the record in front of it", n, err)
	}
}

func TestAnErrorOfANodeHasItsPlace(t *testing.T) {
	boom := errors.New("boom")
	fail := func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.node.on = func(_ processor.Task, r *processor.Record[string, string]) error {
			if r.Value == "2" {
				return boom
			}
			return nil
		}
	}
	w := newWorld(t, fail).start(nil)
	w.poll("a", "1@1", "2@2", "3@3")
	n, _, _, err := w.task.Process(10, 0)
	if !errors.Is(err, boom) || err.Error() != "task 0_0, processor probe, a-0 offset 1: boom" || n != 1 {
		t.Errorf("%d processed, error %v", n, err)
	}

	w = newWorld(t, func(w *world) {
		fail(w)
		w.cfg.Handlers.Processing = func(_ processor.TaskID, node string, ctx *processor.RecordContext, err error) bool {
			return node == "probe" && ctx.Offset == 1 && errors.Is(err, boom)
		}
	}).start(nil)
	w.poll("a", "1@1", "2@2", "3@3")
	w.saw("1@1 2@2 3@3")
	same(t, "dropped", map[string]int64{"probe": 1}, w.task.Dropped())
}

// TestStoresAreCommittedAfterTheBroker: the state and its changelog offset become durable in PostCommit alone, and a restart restores from there.
func TestStoresAreCommittedAfterTheBroker(t *testing.T) {
	engine := state.NewMemory()
	set := func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.cfg.OpenEngine = func(processor.TaskID) (state.Engine, error) { return engine, nil }
		w.node.on = func(t processor.Task, r *processor.Record[string, string]) error {
			return t.Store("s").Top.Put([]byte(r.Key), []byte(r.Value))
		}
	}
	durable := func() (string, int64) {
		db := state.OpenDB(engine)
		v, err := db.Table("s").Get([]byte("k"))
		no(t, err)
		o, err := db.Offset("s")
		no(t, err)
		return string(v), o
	}
	w := newWorld(t, set).start(nil)
	w.poll("a", "1@1", "2@2")
	w.process()
	no(t, w.task.PrepareCommit(0))
	no(t, w.coll.Flush())
	v, o := durable()
	same(t, "before", []any{"", int64(-1)}, []any{v, o})
	if w.task.Uncommitted() == 0 {
		t.Error("there is something uncommitted")
	}
	no(t, w.task.PostCommit())
	v, o = durable()
	same(t, "after", []any{"2", int64(2)}, []any{v, o})
	same(t, "uncommitted", int64(0), w.task.Uncommitted())
	changelog := w.prod.sent[tp("app-s-changelog")]
	same(t, "changelog", 2, len(changelog))
	same(t, "changelog record", broker.Record{Key: []byte("k"), Value: []byte("1"), Timestamp: 1}, changelog[0])
	w.poll("a", "3@3")
	w.process()
	no(t, w.task.Close())

	// another thread, with a collector that remembers nothing
	w2 := newWorld(t, set)
	tk, err := task.New(w2.cfg, processor.TaskID{}, []broker.TopicPartition{tp("a"), tp("b")}, nil, w2.coll)
	no(t, err)
	same(t, "restores from", map[string]int64{"s": 2}, tk.Changelogs())
	no(t, tk.Restore("s", []broker.Record{{Key: []byte("k"), Value: []byte("restored")}, {Value: []byte("no key")}}))
	no(t, tk.Restored(map[string]int64{"s": 9}))
	v, o = durable()
	same(t, "restored", []any{"restored", int64(9)}, []any{v, o})

	// back on the first thread, whose collector wrote up to 2 long ago
	w.start(nil)
	w.poll("b", "x@1")
	no(t, w.task.PostCommit())
	_, o = durable()
	same(t, "an old memory does not move the offset back", int64(9), o)
	no(t, tk.Wipe("s"))
	v, o = durable()
	same(t, "wiped", []any{"", int64(-1)}, []any{v, o})
}

func TestRequestedCommit(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.node.on = func(t processor.Task, _ *processor.Record[string, string]) error {
			t.RequestCommit()
			return nil
		}
	}).start(nil)
	same(t, "not asked", false, w.task.CommitRequested())
	w.poll("a", "1@1")
	w.process()
	same(t, "asked", true, w.task.CommitRequested())
	w.commit()
	same(t, "done", false, w.task.CommitRequested())
}

func TestDeadLetters(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.cfg.Handlers.DeadLetters = "out"
		w.cfg.Handlers.Deserialization = func(processor.TaskID, string, broker.TopicPartition, *broker.Record, error) bool { return true }
	}).start(nil)
	w.poll("a", "bad@5")
	w.saw("")
	no(t, w.coll.Flush())
	var letters []broker.Record
	for p := range int32(4) {
		letters = append(letters, w.prod.sent[broker.TopicPartition{Topic: "out", Partition: p}]...)
	}
	if len(letters) != 1 {
		t.Fatalf("%d letters, want 1", len(letters))
	}
	got := map[string]string{}
	for _, h := range letters[0].Headers {
		got[h.Key] = string(h.Value)
	}
	delete(got, "__streams.errors.stacktrace")
	delete(got, "__streams.errors.exception")
	same(t, "headers", map[string]string{"__streams.errors.message": `deserialize value: "bad" is no number`, "__streams.errors.topic": "a",
		"__streams.errors.partition": "0", "__streams.errors.offset": "0"}, got)
	same(t, "value", "bad", string(letters[0].Value))
}
