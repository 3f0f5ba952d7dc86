package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/sim"
)

const timeout = 30 * time.Second // the default of Config.CallTimeout

// fixed makes the latency 1 ms, so that a test can say when things happen.
func fixed(t testing.TB) *world {
	w := &world{Kernel: sim.New(sim.Config{Seed: 1, Latency: sim.LatencyConfig{Base: time.Millisecond}})}
	t.Cleanup(w.Close)
	return w
}

func echo(_ string, req any, reply func(any, int)) { reply(req, 1) }

func TestCallFaults(t *testing.T) {
	const ms = time.Millisecond
	to := func(kind sim.MessageKind, v sim.Verdict) func(sim.Message) sim.Verdict {
		return func(m sim.Message) sim.Verdict {
			if m.Kind == kind {
				return v
			}
			return sim.Verdict{}
		}
	}
	for name, tc := range map[string]struct {
		plant  func(w *world, n *sim.Network)
		want   error
		after  time.Duration
		served int
	}{
		"none":             {func(*world, *sim.Network) {}, nil, 2 * ms, 1},
		"request lost":     {func(_ *world, n *sim.Network) { n.SetRule("r", to(sim.Request, sim.Verdict{Drop: true})) }, sim.ErrTimeout, timeout, 0},
		"reply lost":       {func(_ *world, n *sim.Network) { n.SetRule("r", to(sim.Reply, sim.Verdict{Drop: true})) }, sim.ErrTimeout, timeout + ms, 1},
		"reply to be lost": {func(_ *world, n *sim.Network) { n.SetRule("r", to(sim.Request, sim.Verdict{DropReply: true})) }, sim.ErrTimeout, timeout + ms, 1},
		"slow request":     {func(_ *world, n *sim.Network) { n.SetRule("r", to(sim.Request, sim.Verdict{Delay: 5 * ms})) }, nil, 7 * ms, 1},
		"slow both": {func(_ *world, n *sim.Network) {
			n.SetRule("r", to(sim.Request, sim.Verdict{Delay: 5 * ms}))
			n.SetRule("s", to(sim.Reply, sim.Verdict{Delay: 6 * ms}))
		}, nil, 13 * ms, 1},
		"rule replaced": {func(_ *world, n *sim.Network) {
			n.SetRule("r", to(sim.Request, sim.Verdict{Drop: true}))
			n.SetRule("r", to(sim.Request, sim.Verdict{}))
		}, nil, 2 * ms, 1},
		"rule removed": {func(_ *world, n *sim.Network) {
			n.SetRule("r", to(sim.Request, sim.Verdict{Drop: true}))
			n.RemoveRule("r")
		}, nil, 2 * ms, 1},
		"partition":           {func(_ *world, n *sim.Network) { n.Partition("server", "app") }, sim.ErrTimeout, timeout, 0},
		"isolated":            {func(_ *world, n *sim.Network) { n.Partition("app", "*") }, sim.ErrTimeout, timeout, 0},
		"others are isolated": {func(_ *world, n *sim.Network) { n.Partition("other", "*") }, nil, 2 * ms, 1},
		"healed": {func(_ *world, n *sim.Network) {
			n.Partition("a", "app")
			n.Partition("app", "server")
			n.Heal("server", "app")
		}, nil, 2 * ms, 1},
		"cut on the way there": {func(w *world, n *sim.Network) { w.After(ms/2, func() { n.Partition("app", "server") }) }, sim.ErrTimeout, timeout + ms, 1},
		"cut on the way back":  {func(w *world, n *sim.Network) { w.After(ms*3/2, func() { n.Partition("app", "server") }) }, nil, 2 * ms, 1},
		"down":                 {func(_ *world, n *sim.Network) { n.Down("server") }, sim.ErrConnectionRefused, 2 * ms, 0},
		"goes down on the way": {func(w *world, n *sim.Network) { w.After(ms/2, func() { n.Down("server") }) }, sim.ErrConnectionRefused, 2 * ms, 0},
		"restarts on the way": {func(w *world, n *sim.Network) {
			w.After(ms/2, func() { n.Down("server"); n.Listen("server", echo) })
		}, sim.ErrConnectionReset, 2 * ms, 0},
		"down behind a partition": {func(w *world, n *sim.Network) {
			w.After(ms/2, func() { n.Partition("app", "server"); n.Down("server") })
		}, sim.ErrTimeout, timeout + ms, 0},
		"shorter time-out": {func(_ *world, n *sim.Network) {
			n.SetCallTimeout(time.Second)
			n.Partition("server", "app")
		}, sim.ErrTimeout, time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, async := range []bool{false, true} {
				w := fixed(t)
				n, served := w.Network(), 0
				n.Listen("server", func(from string, req any, reply func(any, int)) { served++; echo(from, req, reply) })
				tc.plant(w, n)
				p := w.NewProcess("app", nil)
				calls := 0
				check := func(resp any, err error) {
					calls++
					if !errors.Is(err, tc.want) || err == nil && resp != "req" {
						t.Errorf("async %v: got %v, %v, want %v", async, resp, err, tc.want)
					}
					if got := w.Now().Sub(start); got != tc.after {
						t.Errorf("async %v: after %s, want %s", async, got, tc.after)
					}
				}
				if async {
					n.CallAsync(p, "server", "req", 1, check)
				} else {
					p.Go("main", func(ctx context.Context) { check(n.Call(ctx, p, "server", "req", 1)) })
				}
				w.run(t)
				if served != tc.served || calls != 1 {
					t.Errorf("async %v: served %d times, want %d; %d outcomes", async, served, tc.served, calls)
				}
			}
		})
	}
}

// What happens to a call that the server keeps waiting.
func TestParkedCall(t *testing.T) {
	const ms = time.Millisecond
	for name, tc := range map[string]struct {
		plant func(w *world, n *sim.Network)
		want  error
		after time.Duration
	}{
		"waits for days":             {func(*world, *sim.Network) {}, nil, 240*time.Hour + ms},
		"server goes down":           {func(w *world, n *sim.Network) { w.After(time.Second, func() { n.Down("server") }) }, sim.ErrConnectionReset, time.Second + ms},
		"partition":                  {func(w *world, n *sim.Network) { w.After(time.Hour, func() { n.Partition("server", "*") }) }, sim.ErrTimeout, time.Hour + timeout},
		"partition on the way there": {func(w *world, n *sim.Network) { w.After(ms/2, func() { n.Partition("server", "*") }) }, sim.ErrTimeout, ms + timeout},
		"two partitions": {func(w *world, n *sim.Network) {
			w.After(time.Second, func() { n.Partition("server", "*") })
			w.After(2*time.Second, func() { n.Partition("server", "app") })
		}, sim.ErrTimeout, time.Second + timeout},
		"partition that heals":       {func(w *world, n *sim.Network) { flap(w, time.Second) }, nil, 240*time.Hour + ms},
		"partition that comes again": {func(w *world, n *sim.Network) { flap(w, time.Second); flap(w, time.Hour) }, nil, 240*time.Hour + ms},
		"reply into a partition": {func(w *world, n *sim.Network) {
			w.After(240*time.Hour-time.Second, func() { n.Partition("server", "*") })
		}, sim.ErrTimeout, 240*time.Hour + timeout},
		"cancelled":         {func(*world, *sim.Network) {}, context.Canceled, time.Hour},
		"deadline exceeded": {func(*world, *sim.Network) {}, context.DeadlineExceeded, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := fixed(t)
			n := w.Network()
			n.Listen("server", func(_ string, req any, reply func(any, int)) {
				w.At(start.Add(240*time.Hour), func() { reply(req, 1) })
			})
			tc.plant(w, n)
			p := w.NewProcess("app", nil)
			p.Go("main", func(ctx context.Context) {
				switch tc.want {
				case context.Canceled:
					var cancel context.CancelFunc
					ctx, cancel = p.WithCancel(ctx)
					w.After(time.Hour, cancel)
				case context.DeadlineExceeded:
					var cancel context.CancelFunc
					ctx, cancel = p.WithTimeout(ctx, time.Hour)
					defer cancel()
				}
				_, err := n.Call(ctx, p, "server", "req", 1)
				if !errors.Is(err, tc.want) || w.Now().Sub(start) != tc.after {
					t.Errorf("got %v after %s, want %v after %s", err, w.Now().Sub(start), tc.want, tc.after)
				}
				// the late reply disturbs nobody
				if err := p.Sleep(ctx, 300*time.Hour); tc.want != context.Canceled && tc.want != context.DeadlineExceeded && err != nil {
					t.Error(err)
				}
			})
			w.run(t)
		})
	}
}

func flap(w *world, at time.Duration) {
	w.After(at, func() { w.Network().Partition("server", "app") })
	w.After(at+time.Second, func() { w.Network().Heal("server", "app") })
}

// Whatever the jitter, sizes and delays, a link delivers in order; and two links do not wait for each other.
func TestLinksDeliverInOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		n, rng := w.Network(), w.Rand("test")
		n.SetLatency("a", "b", sim.LatencyConfig{Base: time.Millisecond, Jitter: 10 * time.Millisecond, BytesPerSecond: 1_000_000})
		n.SetRule("slow", func(m sim.Message) sim.Verdict {
			return sim.Verdict{Delay: time.Duration(rng.IntN(3)*rng.IntN(2)) * time.Millisecond}
		})
		got := map[string][]int{}
		n.Listen("b", func(from string, msg any, reply func(any, int)) {
			got[from] = append(got[from], msg.(int))
			reply(msg, rng.IntN(1000))
		})
		p := w.NewProcess("app", nil)
		for i := range 300 {
			w.After(time.Duration(i)*100*time.Microsecond, func() {
				n.Send("a", "b", i, rng.IntN(2000))
				n.Send("c", "b", i, rng.IntN(2000))
				n.CallAsync(p, "b", i, rng.IntN(2000), func(resp any, err error) { got["reply"] = append(got["reply"], resp.(int)) })
			})
		}
		w.run(t)
		for _, from := range []string{"a", "c", "app", "reply"} {
			if len(got[from]) != 300 || !slices.IsSorted(got[from]) {
				t.Fatalf("seed %d: %s: %v", seed, from, got[from])
			}
		}
	}
}

func TestBandwidth(t *testing.T) {
	w := fixed(t)
	n := w.Network()
	n.SetLatency("a", "b", sim.LatencyConfig{Base: time.Millisecond, BytesPerSecond: 1000})
	var at []string
	n.Listen("b", func(string, any, func(any, int)) { at = append(at, w.Now().Sub(start).String()) })
	n.Send("a", "b", 1, 500)
	n.Send("a", "b", 2, 500)
	n.Send("c", "b", 3, 500)
	w.run(t)
	if got, want := strings.Join(at, " "), "1ms 501ms 1.001s"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestSend(t *testing.T) {
	w := fixed(t)
	n := w.Network()
	var got []string
	n.Listen("a", echo)
	record := func(from string, msg any, reply func(any, int)) {
		got = append(got, fmt.Sprint(from, ":", msg))
		reply("ignored", 1)
	}
	n.Listen("b", record)
	n.Send("a", "b", "plain", 1)
	n.Send("a", "nowhere", "lost", 1)
	n.SetRule("dup", func(sim.Message) sim.Verdict { return sim.Verdict{Duplicate: true} })
	n.Send("a", "b", "twice", 1)
	n.SetRule("dup", func(sim.Message) sim.Verdict { return sim.Verdict{Drop: true} })
	n.Send("a", "b", "dropped", 1)
	n.RemoveRule("dup")
	n.Partition("a", "b")
	n.Send("a", "b", "cut", 1)
	n.Heal("a", "b")
	n.Down("a")
	n.Send("a", "b", "from the dead", 1)
	w.run(t)
	n.Listen("a", echo)
	n.Send("a", "b", "to an old connection", 1)
	w.After(time.Microsecond, func() { n.Down("b"); n.Listen("b", record) })
	w.run(t)
	if got, want := strings.Join(got, ", "), "a:plain, a:twice, a:twice"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestServerThatIsAProcess(t *testing.T) {
	w := fixed(t)
	n := w.Network()
	srv, cli := w.NewProcess("srv", nil), w.NewProcess("cli", nil)
	n.ListenAs(srv, "addr", echo)
	var log []string
	call := func() {
		n.CallAsync(cli, "addr", 1, 1, func(_ any, err error) { log = append(log, fmt.Sprint(w.Now().Sub(start), " ", err)) })
	}
	call()
	w.After(time.Second, func() { srv.Pause(); call() })
	w.After(2*time.Second, srv.Resume)
	w.After(3*time.Second, func() { srv.Pause(); call() })
	w.After(4*time.Second, func() {
		srv.Kill()
		n.ListenAs(w.NewProcess("srv", srv.Disk()), "addr", echo)
		call()
	})
	w.run(t)
	want := "2ms <nil>, 2.001s <nil>, 4.002s <nil>" // the call of 3 s died with the process that had not taken it
	if got := strings.Join(log, ", "); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestDisconnect(t *testing.T) {
	w := fixed(t)
	n := w.Network()
	var log []string
	for _, addr := range []string{"a", "b", "c"} {
		n.Listen(addr, echo)
		n.OnDisconnect(addr, func(process string) { log = append(log, fmt.Sprint(addr, ":", process, " ", w.Now().Sub(start))) })
	}
	p := w.NewProcess("app", nil)
	n.CallAsync(p, "a", 1, 1, nil)
	n.CallAsync(p, "b", 1, 1, nil)
	w.After(time.Second, func() { n.Partition("app", "b"); p.Kill() })
	w.run(t)
	if got, want := strings.Join(log, " "), "a:app 1.001s"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestRequestOfAKilledProcessIsServed(t *testing.T) {
	w := fixed(t)
	served := 0
	w.Network().Listen("server", func(from string, req any, reply func(any, int)) { served++; echo(from, req, reply) })
	p := w.NewProcess("app", nil)
	w.Network().CallAsync(p, "server", 1, 1, func(any, error) { t.Error("a dead process got a reply") })
	w.After(time.Microsecond, p.Kill)
	w.run(t)
	if served != 1 {
		t.Fatalf("served %d times", served)
	}
}

func TestAnsweringTwiceIsABug(t *testing.T) {
	for _, again := range []time.Duration{0, time.Hour} {
		w := fixed(t)
		w.Network().Listen("server", func(from string, req any, reply func(any, int)) {
			reply(1, 1)
			w.After(again, func() { reply(2, 1) })
		})
		w.Network().CallAsync(w.NewProcess("app", nil), "server", 1, 1, nil)
		if err := w.Run(nil); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Fatalf("again after %s: got %v", again, err)
		}
	}
}

func TestDropsAreTraced(t *testing.T) {
	w := newWorld(t, 1)
	n := w.Network()
	n.Listen("server", echo)
	n.Partition("app", "server")
	n.Partition("app", "server")
	n.CallAsync(w.NewProcess("app", nil), "server", 1, 1, nil)
	n.Heal("app", "server")
	n.Heal("app", "server")
	var got []string
	for _, e := range w.log.Events() {
		if e.Process == "network" {
			got = append(got, strings.SplitN(e.String(), " ", 2)[1])
		}
	}
	want := "network net.partition a=app b=server; network net.drop from=app to=server what=request body=int by=partition; network net.heal a=app b=server"
	if s := strings.Join(got, "; "); s != want {
		t.Fatalf("got  %s\nwant %s", s, want)
	}
}

func TestHTTP(t *testing.T) {
	w := fixed(t)
	w.HandleHTTP("search:9200", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rw.Header().Set("X-From", r.RemoteAddr)
		rw.WriteHeader(http.StatusTooManyRequests)
		_, _ = fmt.Fprintf(rw, "%s %s %s", r.Method, r.RequestURI, body)
	}))
	p := w.NewProcess("app", nil)
	p.Go("main", func(ctx context.Context) {
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://search:9200/_bulk?x=1", strings.NewReader("data"))
		resp, err := p.HTTP().Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 429 || string(body) != "POST /_bulk?x=1 data" || resp.Header.Get("X-From") != "app" || w.Now().Sub(start) != 2*time.Millisecond {
			t.Errorf("got %d %q %v at %s", resp.StatusCode, body, resp.Header, w.Now())
		}
		w.Network().Down("search:9200")
		req, _ = http.NewRequestWithContext(ctx, "GET", "http://search:9200/", nil)
		if _, err = p.HTTP().Do(req); !errors.Is(err, sim.ErrConnectionRefused) {
			t.Errorf("a server that is down: %v", err)
		}
		req, _ = http.NewRequestWithContext(ctx, "GET", "http://example.com/", nil)
		if _, err = p.HTTP().Do(req); err == nil || !strings.Contains(err.Error(), "HandleHTTP") {
			t.Errorf("a server that does not exist: %v", err)
		}
	})
	w.run(t)
}
