package sim_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// dyingEffects is everything that a thread could try on its way out.
func dyingEffects(w *world, p *sim.Process, fs vfs.FS, served *int) []func() {
	return []func(){
		func() { p.Emit(trace.Event{Kind: "late"}) },
		func() { writeFile(fs, "late", "x", true) },
		func() { w.Network().CallAsync(p, "server", "late", 1, nil) },
		func() { _, _ = w.Network().Call(context.Background(), p, "server", "late", 1) },
		func() { p.After(0, func() { *served++ }) },
		func() { p.Go("late", func(context.Context) { *served++ }) },
		func() { _ = p.Sleep(context.Background(), time.Second); *served++ },
		func() { p.Log().Error("late") },
	}
}

func writeFile(fs vfs.FS, name, data string, sync bool) {
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		panic(err)
	}
	_, _ = f.Write([]byte(data))
	if sync {
		_ = f.Sync()
		dir, _ := fs.OpenDir("")
		_ = dir.Sync()
		_ = dir.Close()
	}
	_ = f.Close()
}

func files(t *testing.T, d *sim.Disk) string {
	t.Helper()
	names, err := d.FS().List("")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// A process is killed in each of the ways there are; its defers try everything; the world sees nothing of it.
func TestNoEffectAfterTheKillPoint(t *testing.T) {
	for name, kill := range map[string]func(w *world, p *sim.Process){
		"by an event":       func(w *world, p *sim.Process) { w.After(time.Second, p.Kill) },
		"by another thread": func(w *world, p *sim.Process) { killer(w, p.Kill) },
		"by its own thread": func(w *world, p *sim.Process) {
			p.Go("suicide", func(ctx context.Context) {
				defer p.Emit(trace.Event{Kind: "late"})
				_ = p.Sleep(ctx, time.Second)
				p.Kill()
				writeFile(p.FS(), "late", "x", true)
				p.Emit(trace.Event{Kind: "late"})
				t.Error("a dead thread went on after it tried to emit")
			})
		},
		"by its own event": func(w *world, p *sim.Process) { p.After(time.Second, p.Kill) },
		"while paused": func(w *world, p *sim.Process) {
			w.After(time.Millisecond, p.Pause)
			w.After(time.Second, p.Kill)
		},
		"by exit": func(w *world, p *sim.Process) { w.After(time.Second, p.Exit) },
		"by close": func(w *world, p *sim.Process) {
			w.After(time.Second, func() {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			log := &trace.Log{Keep: trace.All}
			w := &world{sim.New(sim.Config{Seed: 7, Trace: log, Logger: slog.New(slog.NewTextHandler(&logged, nil))}), log}
			defer w.Close()
			effects, unwound := 0, 0
			w.Network().Listen("server", func(_ string, req any, _ func(any, int)) {
				if req == "late" {
					effects++
				}
			})
			p := w.NewProcess("app", nil)
			fs := p.FS()
			for _, effect := range dyingEffects(w, p, fs, &effects) {
				p.Go("t", func(ctx context.Context) {
					defer func() { unwound++ }()
					defer effect()
					defer effect()
					_, _ = w.Network().Call(ctx, p, "server", "early", 1)
					t.Error("the call came back")
				})
			}
			var hooks []string
			p.OnKill(func() { p.Emit(trace.Event{Kind: "late"}); hooks = append(hooks, "kill") })
			p.AfterUnwind(func() { hooks = append(hooks, "first") })
			p.AfterUnwind(func() {
				hooks = append(hooks, "last")
				if unwound != 8 {
					t.Errorf("AfterUnwind ran after %d of 8 threads", unwound)
				}
			})
			kill(w, p)
			err := w.Run(nil)
			if name == "by close" {
				var d *sim.Deadlock
				if !errors.As(err, &d) {
					t.Fatal("these threads wait forever")
				}
				w.Close()
			} else if err != nil {
				t.Fatal(err)
			}
			if w.kinds("app") != "" || effects != 0 || files(t, p.Disk()) != "" || logged.Len() > 0 {
				t.Errorf("effects after death: events %q, %d effects, files %q, log %s", w.kinds("app"), effects, files(t, p.Disk()), &logged)
			}
			want := "kill last first"
			if name == "by close" {
				want = "last first"
			}
			if got := strings.Join(hooks, " "); got != want {
				t.Errorf("hooks: %s, want %s", got, want)
			}
			if p.Alive() && name != "by close" {
				t.Error("alive")
			}
		})
	}
}

// killer is a process whose thread calls f after a second.
func killer(w *world, f func()) {
	q := w.NewProcess("killer", nil)
	q.Go("main", func(ctx context.Context) { _ = q.Sleep(ctx, time.Second); f() })
}

func TestThreadThatRefusesToDieIsReported(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	p.Go("undead", func(ctx context.Context) {
		for {
			func() {
				defer func() { _ = recover() }()
				_ = p.Sleep(ctx, time.Minute)
			}()
		}
	})
	w.After(time.Second, p.Kill)
	var bug *sim.Panic
	if err := w.Run(nil); !errors.As(err, &bug) || bug.Thread != "undead" || !strings.Contains(err.Error(), "after its process was killed") {
		t.Fatalf("got %v", err)
	}
}

func TestRecoveredKillSaysWhatItIs(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	var got error
	p.Go("careful", func(ctx context.Context) {
		defer func() { got, _ = recover().(error) }()
		_ = p.Sleep(ctx, time.Hour)
	})
	w.After(time.Second, p.Kill)
	w.run(t)
	if !errors.Is(got, host.ErrKilled) {
		t.Fatalf("recovered %v", got)
	}
}

func TestRestartKeepsNameAndDisk(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	first := p.Rand("id").Uint64()
	writeFile(p.FS(), "synced", "x", true)
	writeFile(p.FS(), "unsynced", "x", false)
	p.Kill()
	q := w.NewProcess("app", p.Disk())
	if got, err := q.FS().List(""); err != nil || strings.Join(got, " ") != "synced" {
		t.Fatalf("the restarted process finds %v, %v", got, err)
	}
	if q.Rand("id").Uint64() == first || q.Incarnation() != 2 {
		t.Fatal("a restarted process draws the same ids again")
	}
	writeFile(p.FS(), "zombie", "x", true)
	writeFile(q.FS(), "unsynced", "x", false)
	q.Exit()
	if got := files(t, q.Disk()); got != "synced unsynced" {
		t.Fatalf("after a clean exit the disk has %q", got)
	}
	idle := w.NewProcess("app", q.Disk())
	r := w.NewProcess("app", q.Disk()) // a process without threads has exited
	if idle.Alive() {
		t.Error("two processes of one name")
	}
	r.Go("main", func(ctx context.Context) { _ = r.Sleep(ctx, time.Second) })
	defer func() {
		if recover() == nil {
			t.Error("two processes of one name")
		}
	}()
	w.NewProcess("app", nil)
}

func TestPause(t *testing.T) {
	w := newWorld(t, 1)
	var log []string
	mark := func(s string) { log = append(log, s+"@"+w.Now().Sub(start).Truncate(time.Second).String()) }
	w.Network().Listen("server", func(_ string, req any, reply func(any, int)) { mark("served"); reply(req, 1) })
	p := w.NewProcess("app", nil)
	p.Go("sleeper", func(ctx context.Context) {
		_ = p.Sleep(ctx, 2*time.Second)
		mark("slept")
	})
	p.After(3*time.Second, func() { mark("event") })
	w.After(500*time.Millisecond, func() {
		w.Network().CallAsync(p, "server", 1, 1, func(any, error) { mark("reply") })
		p.Pause()
		p.Pause()
	})
	w.After(4*time.Second, func() { mark("world") })
	w.After(10*time.Second, func() { p.Resume(); p.Resume() })
	if err := w.RunUntil(start.Add(5 * time.Second)); err != nil || !p.Paused() {
		t.Fatal(err)
	}
	w.run(t)
	// what became due first happens first
	if got, want := strings.Join(log, " "), "served@0s world@4s reply@10s slept@10s event@10s"; got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// However often a process is paused, what it is sent reaches it in order, even what is due at the instant at which it goes on.
func TestPauseKeepsTheOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		p := w.NewProcess("app", nil)
		w.Network().SetLatency("server", "app", sim.LatencyConfig{Base: time.Microsecond})
		w.Network().SetLatency("app", "server", sim.LatencyConfig{Base: time.Microsecond})
		w.Network().Listen("server", func(_ string, req any, reply func(any, int)) { reply(req, 1) })
		rng := w.Rand("test")
		next := 0
		for i := range 500 {
			w.After(time.Duration(i)*time.Microsecond, func() {
				w.Network().CallAsync(p, "server", i, 1, func(resp any, err error) {
					if resp != next {
						t.Errorf("seed %d: got %v, want %d", seed, resp, next)
					}
					next++
					if next%50 == 0 {
						p.Pause()
						w.After(time.Duration(rng.IntN(300))*time.Microsecond, p.Resume)
					}
				})
			})
		}
		w.run(t)
		if next != 500 {
			t.Fatalf("seed %d: %d of 500 replies", seed, next)
		}
	}
}

func TestClockSkew(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	mu := p.NewMutex()
	c := p.NewCond(mu)
	var woke time.Time
	p.SetClockSkew(time.Minute)
	if got := p.Now().Sub(start); got != time.Minute {
		t.Fatalf("skewed by %s", got)
	}
	p.Go("main", func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		_ = c.Wait(ctx, p.Now().Add(time.Second)) // a deadline is told by the process's own clock
		woke = w.Now()
		p.SetClockSkew(-time.Minute)
		before := p.Now()
		mu.Unlock()
		_ = p.Sleep(ctx, time.Second)
		mu.Lock()
		if p.Now().Before(before) {
			t.Error("the clock ran backwards")
		}
	})
	w.run(t)
	if got := woke.Sub(start); got != time.Second {
		t.Fatalf("woke after %s", got)
	}
}

func TestLogCarriesVirtualTimeAndProcess(t *testing.T) {
	var b bytes.Buffer
	k := sim.New(sim.Config{Logger: slog.New(slog.NewTextHandler(&b, nil))})
	p := k.NewProcess("app", nil)
	k.After(time.Second, func() { p.Log().Info("hello", "n", 1) })
	if err := k.Run(nil); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "time=2020-01-01T00:00:01.000Z level=INFO msg=hello process=app n=1\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// Whoever comes after the end finds nothing that works.
func TestDeadProcessDoesNothing(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	p.Kill()
	p.Kill()
	p.Exit()
	p.Pause()
	p.Resume()
	ran := 0
	p.AfterUnwind(func() { ran++ }) // too late to wait for
	p.Go("t", func(context.Context) { t.Error("a thread of a dead process ran") })
	tm := p.After(0, func() { t.Error("an event of a dead process ran") })
	tm.Reset(time.Second)
	w.Network().ListenAs(p, "addr", func(string, any, func(any, int)) {})
	w.Network().CallAsync(p, "addr", 1, 1, func(any, error) { t.Error("a dead process got a reply") })
	if _, err := w.Network().Call(context.Background(), p, "addr", 1, 1); !errors.Is(err, host.ErrKilled) {
		t.Errorf("a call of a dead process: %v", err)
	}
	writeFile(p.FS(), "late", "x", true)
	w.run(t)
	if ran != 1 || files(t, p.Disk()) != "" || p.Paused() || w.kinds("app") != "" {
		t.Errorf("AfterUnwind ran %d times, files %q, events %q", ran, files(t, p.Disk()), w.kinds("app"))
	}
}

// Timers of a process that die with it cannot be stopped any more, and the heap forgets them.
func TestTimersDieWithTheirProcess(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	var timers []*sim.Timer
	for i := range 5000 {
		timers = append(timers, p.After(time.Duration(i)*time.Second, func() { t.Error("an event of a dead process ran") }))
	}
	p.Kill()
	n := 0
	for i := range 5000 {
		w.After(time.Duration(i)*time.Second, func() { n++ })
	}
	if timers[0].Stop() {
		t.Error("stopped a dead timer")
	}
	w.run(t)
	if n != 5000 {
		t.Errorf("%d of the kernel's own events", n)
	}
}

// A fault plan kills at an exact point: at an event of the trace, or as a message is sent. That message is not sent.
func TestKillAtAnExactPoint(t *testing.T) {
	for name, tc := range map[string]struct {
		plant func(w *world, app, srv *sim.Process)
		did   string // by app
		err   error  // of app's call
		seen  int    // messages at the server
	}{
		"never": {func(*world, *sim.Process, *sim.Process) {}, "before after", nil, 1},
		"at an event": {func(w *world, app, _ *sim.Process) {
			w.log.Each = func(e trace.Event) {
				if e.Kind == "before" {
					app.Kill()
				}
			}
		}, "before", nil, 0},
		"as the request is sent": {func(w *world, app, _ *sim.Process) { killOn(w, sim.Request, app) }, "before", nil, 0},
		"as the reply is sent":   {func(w *world, _, srv *sim.Process) { killOn(w, sim.Reply, srv) }, "before after", sim.ErrConnectionReset, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			app, srv := w.NewProcess("app", nil), w.NewProcess("srv", nil)
			seen := 0
			w.Network().ListenAs(srv, "addr", func(_ string, req any, reply func(any, int)) { seen++; reply(req, 1) })
			app.Go("main", func(ctx context.Context) {
				app.Emit(trace.Event{Kind: "before"})
				_, err := w.Network().Call(ctx, app, "addr", 1, 1)
				if !errors.Is(err, tc.err) {
					t.Errorf("got %v, want %v", err, tc.err)
				}
				app.Emit(trace.Event{Kind: "after"})
			})
			tc.plant(w, app, srv)
			w.run(t)
			if got := w.kinds("app"); got != tc.did || seen != tc.seen {
				t.Errorf("did %q, %d seen; want %q, %d", got, seen, tc.did, tc.seen)
			}
		})
	}
}

func killOn(w *world, kind sim.MessageKind, p *sim.Process) {
	w.Network().SetRule("kill", func(m sim.Message) sim.Verdict {
		if m.Kind == kind {
			p.Kill()
		}
		return sim.Verdict{}
	})
}

func TestOneWayMessageOfAServerKilledAsItSends(t *testing.T) {
	w := newWorld(t, 1)
	srv := w.NewProcess("srv", nil)
	w.Network().ListenAs(srv, "a", func(string, any, func(any, int)) {})
	w.Network().Listen("b", func(string, any, func(any, int)) { t.Error("the message was sent") })
	killOn(w, sim.OneWay, srv)
	w.Network().Send("a", "b", 1, 1)
	w.run(t)
	if srv.Alive() {
		t.Error("the rule did not see the message")
	}
}
