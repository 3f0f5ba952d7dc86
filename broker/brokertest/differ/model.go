package differ

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/sim"
)

// process is a process of the simulator.
type process struct {
	p *sim.Process
	c broker.Cluster
}

func (p process) Host() host.Host         { return p.p }
func (p process) Cluster() broker.Cluster { return p.c }
func (p process) Crash()                  { p.p.Kill() }

var _ brokertest.Process = process{}

// OnModel plays s on a model cluster of three brokers. With crashes one broker at a time goes down between operations and comes back
// some operations later, which no answer may tell. The error is the kernel's: nothing can run any more.
func OnModel(seed uint64, s Sequence, crashes bool) ([]string, error) {
	k := sim.New(sim.Config{Seed: seed})
	defer k.Close()
	m := simulated.New(k, simulated.Config{GroupInitialRebalanceDelay: -1, GroupMinSessionTimeout: time.Millisecond, MinInSyncReplicas: 2})
	main := k.NewProcess("main", nil)
	var before func(int)
	if crashes {
		before = crashing(m, k.Rand("crashes"))
	}
	var answers []string
	main.Go("player", func(ctx context.Context) {
		answers = Play(ctx, process{main, m.Client(main)}, "", s, before)
	})
	if err := k.Run(func() bool { return answers != nil }); err != nil {
		return nil, err
	}
	if answers == nil {
		return nil, fmt.Errorf("the player did not end")
	}
	return answers, nil
}

// crashing crashes a broker now and then, and brings it back.
func crashing(m *simulated.Model, rng *rand.Rand) func(int) {
	down := 0
	return func(i int) {
		switch {
		case down != 0 && rng.IntN(2) == 0:
			m.RestartBroker(down)
			down = 0
		case down == 0 && i > 2 && rng.IntN(4) == 0 && inSync(m):
			down = 1 + rng.IntN(3)
			m.CrashBroker(down)
		}
	}
}

// inSync says whether every replica is.
func inSync(m *simulated.Model) bool {
	for _, p := range m.Partitions() {
		if len(p.ISR) < len(p.Replicas) {
			return false
		}
	}
	return true
}
