package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// TestPunctuation is the firing rule: each step moves one of the clocks, and what is called is told the clock's time, not the due one.
func TestPunctuation(t *testing.T) {
	stream, wall := processor.StreamTime, processor.WallClockTime
	for _, c := range []struct {
		name            string
		kind            processor.PunctuationType
		start, interval int64
		times           []int64 // of the clock, step by step; the wall clock begins at 1000
		want            string
	}{
		{"stream time: first at once, then on the grid from 0", stream, -1, 10, []int64{3, 9, 10, 11, 20}, "3 10 20"},
		{"stream time: what was missed is one call", stream, -1, 10, []int64{57, 59, 60, 99, 100}, "57 60 99 100"},
		{"stream time: does not go back", stream, -1, 10, []int64{15, 5, 19, 20}, "15 20"},
		{"stream time: anchored", stream, 7, 10, []int64{3, 6, 7, 16, 17, 40, 46, 47}, "7 17 40 47"},
		{"stream time: anchored at 0", stream, 0, 10, []int64{0, 5, 10}, "0 10"},
		{"wall clock: after the interval", wall, -1, 10, []int64{1000, 1009, 1010, 1019, 1020}, "1010 1020"},
		{"wall clock: what was missed is one call, and the grid stays", wall, -1, 10, []int64{1057, 1059, 1060}, "1057 1060"},
		{"wall clock: anchored in the past", wall, 7, 10, []int64{1006, 1007, 1016, 1017}, "1007 1017"},
		{"wall clock: anchored in the future", wall, 1045, 10, []int64{1044, 1045, 1054, 1055}, "1045 1055"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls []string
			w := newWorld(t, func(w *world) {
				w.cfg.MaxTaskIdle = -1
				w.node.init = func(tk processor.Task) {
					tk.Schedule(c.start, c.interval, c.kind, "probe", func(now int64) error {
						ctx := tk.Context()
						if ctx.Topic != "" || ctx.Partition != -1 || ctx.Offset != -1 || ctx.Timestamp != now || len(ctx.Headers) > 0 {
							t.Errorf("context %+v", ctx)
						}
						calls = append(calls, fmt.Sprint(now))
						return nil
					})
				}
			}).start(nil)
			n, err := w.task.Punctuate(1000)
			no(t, err)
			same(t, "before anything is known", 0, n)
			for _, at := range c.times {
				if c.kind == stream {
					w.poll("a", fmt.Sprintf("x@%d", at))
					w.process()
				} else {
					w.clock.now = at
				}
				_, err := w.task.Punctuate(w.clock.now)
				no(t, err)
			}
			same(t, "calls", c.want, strings.Join(calls, " "))
		})
	}
}

func TestStreamTimeComesBeforeTheWallClockAndOldBeforeNew(t *testing.T) {
	var calls []string
	w := newWorld(t, func(w *world) {
		w.cfg.MaxTaskIdle = -1
		w.node.init = func(tk processor.Task) {
			for _, s := range []struct {
				name  string
				kind  processor.PunctuationType
				start int64
			}{{"wall 1", processor.WallClockTime, 1010}, {"stream late", processor.StreamTime, 5}, {"stream 1", processor.StreamTime, -1}, {"stream 2", processor.StreamTime, -1},
				{"wall 2", processor.WallClockTime, 1010}} {
				tk.Schedule(s.start, 100, s.kind, "probe", func(int64) error {
					calls = append(calls, s.name)
					return nil
				})
			}
		}
	}).start(nil)
	same(t, "next on the wall clock", int64(1010), w.task.NextWallClock())
	w.poll("a", "x@7")
	w.process()
	n, err := w.task.Punctuate(1010)
	no(t, err)
	same(t, "number", 5, n)
	same(t, "order", []string{"stream 1", "stream 2", "stream late", "wall 1", "wall 2"}, calls)
	same(t, "a commit is needed", true, w.task.NeedsCommit())
	same(t, "next on the wall clock", int64(1110), w.task.NextWallClock())
}

func TestCancelFromInside(t *testing.T) {
	var calls []string
	cancel := map[string]func(){}
	w := newWorld(t, func(w *world) {
		w.node.init = func(tk processor.Task) {
			for _, name := range []string{"a", "b", "c"} {
				cancel[name] = tk.Schedule(-1, 10, processor.WallClockTime, "probe", func(now int64) error {
					calls = append(calls, fmt.Sprintf("%s@%d", name, now))
					switch {
					case name == "a" && now == 1010:
						cancel["b"]() // before its turn
					case name == "c":
						cancel["c"]() // itself
						cancel["c"]()
					}
					return nil
				})
			}
		}
	}).start(nil)
	for _, now := range []int64{1010, 1020} {
		_, err := w.task.Punctuate(now)
		no(t, err)
	}
	same(t, "calls", []string{"a@1010", "c@1010", "a@1020"}, calls)
	cancel["a"]()
	same(t, "nothing is left", int64(0), w.task.NextWallClock())
}

func TestPunctuatorThatFails(t *testing.T) {
	boom := errors.New("boom")
	for _, goOn := range []bool{false, true} {
		calls := 0
		w := newWorld(t, func(w *world) {
			w.cfg.Handlers.Processing = func(_ processor.TaskID, node string, ctx *processor.RecordContext, err error) bool {
				return goOn && node == "probe" && errors.Is(err, boom) && ctx.Offset == -1
			}
			w.node.init = func(tk processor.Task) {
				tk.Schedule(-1, 10, processor.WallClockTime, "probe", func(int64) error {
					calls++
					return boom
				})
			}
		}).start(nil)
		_, err := w.task.Punctuate(1010)
		if (err == nil) != goOn || err != nil && !errors.Is(err, boom) {
			t.Errorf("handler %v: error %v", goOn, err)
		}
		if goOn {
			_, err = w.task.Punctuate(1020)
			no(t, err)
			same(t, "it goes on", 2, calls)
		}
	}
}
