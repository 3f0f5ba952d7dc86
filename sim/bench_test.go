package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/sim"
)

func benchKernel(b *testing.B) (*sim.Kernel, *sim.Process) {
	k := sim.New(sim.Config{Seed: 1, MaxInstant: 1 << 40})
	b.Cleanup(k.Close)
	b.ReportAllocs()
	return k, k.NewProcess("p", nil)
}

func perSecond(b *testing.B, n uint64, what string) {
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), what+"/s")
}

func runBench(b *testing.B, k *sim.Kernel) {
	b.ResetTimer()
	if err := k.Run(nil); err != nil {
		b.Fatal(err)
	}
}

// Two threads take turns without anything in the heap.
func BenchmarkSwitch(b *testing.B) {
	k, p := benchKernel(b)
	for range 2 {
		p.Go("t", func(ctx context.Context) {
			for range b.N / 2 {
				_ = p.Sleep(ctx, 0)
			}
		})
	}
	runBench(b, k)
	perSecond(b, k.Dispatches(), "switches")
}

// 1,000 threads sleep for different times.
func BenchmarkSleep(b *testing.B) {
	k, p := benchKernel(b)
	for i := range 1000 {
		p.Go("t", func(ctx context.Context) {
			for range b.N / 1000 {
				_ = p.Sleep(ctx, time.Duration(1000+i))
			}
		})
	}
	runBench(b, k)
	perSecond(b, k.Dispatches(), "switches")
}

// Two threads wake each other through a condition.
func BenchmarkCondPingPong(b *testing.B) {
	k, p := benchKernel(b)
	mu := p.NewMutex()
	c := p.NewCond(mu)
	turn := 0
	for me := range 2 {
		p.Go("t", func(ctx context.Context) {
			for range b.N / 2 {
				mu.Lock()
				for turn != me {
					_ = c.Wait(ctx, time.Time{})
				}
				turn = 1 - me
				c.Broadcast()
				mu.Unlock()
			}
		})
	}
	runBench(b, k)
	perSecond(b, k.Dispatches(), "switches")
}

// Six members send heartbeats, and the server keeps a session timer for each: what an idle group costs.
func BenchmarkHeartbeat(b *testing.B) {
	k, _ := benchKernel(b)
	sessions := map[string]*sim.Timer{}
	k.Network().Listen("broker", func(from string, _ any, reply func(any, int)) {
		if t := sessions[from]; t != nil {
			t.Stop()
		}
		sessions[from] = k.After(45*time.Second, func() { b.Error("expired") })
		reply(nil, 10)
	})
	for i := range 6 {
		p := k.NewProcess(string(rune('a'+i)), nil)
		n := 0
		var beat func()
		beat = func() {
			if n++; n > b.N/6 {
				sessions[p.Name()].Stop()
				return
			}
			k.Network().CallAsync(p, "broker", nil, 40, func(_ any, err error) {
				if err != nil {
					b.Error(err)
				}
				p.After(3*time.Second, beat)
			})
		}
		p.After(time.Duration(i)*time.Millisecond, beat)
		sessions[p.Name()] = k.After(time.Hour, func() {})
	}
	runBench(b, k)
}

// A thread calls a server that answers at once.
func BenchmarkCall(b *testing.B) {
	k, p := benchKernel(b)
	k.Network().Listen("broker", func(_ string, req any, reply func(any, int)) { reply(req, 10) })
	p.Go("t", func(ctx context.Context) {
		for range b.N {
			if _, err := k.Network().Call(ctx, p, "broker", nil, 10); err != nil {
				b.Error(err)
			}
		}
	})
	runBench(b, k)
}

// A context with a time-out that is never reached, around each wait.
func BenchmarkWithTimeout(b *testing.B) {
	k, p := benchKernel(b)
	p.Go("t", func(ctx context.Context) {
		for range b.N {
			c, cancel := p.WithTimeout(ctx, time.Minute)
			_ = p.Sleep(c, 1)
			cancel()
		}
	})
	runBench(b, k)
}
