// Package brokertest is for implementations of package broker: it is the contract of the port as a suite of cases, which the
// simulated cluster, the fake one and a real Kafka are all held to.
//
// A case is an ordinary blocking function that runs on a thread of a process of the target, with that process's clock; it starts
// more processes and threads through its Env. So it runs under virtual time as well as under the wall clock, and a case takes its
// time from nothing else.
package brokertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Target is an implementation under test.
type Target struct {
	// Name is the target's column in docs/contract.md.
	Name string
	// New returns a fixture for one case. All fixtures may share one cluster: names of topics, groups and transactions differ.
	New func(t testing.TB) Fixture
	// Differs names the cases that the target fails knowingly, each with where docs/divergence.md says so.
	Differs map[string]string
	// Parallel runs cases beside each other: for targets whose time is real.
	Parallel bool
}

// Fixture is what one case runs in. It ends with the test (testing.TB.Cleanup).
type Fixture interface {
	// Run runs f on a thread of a new process, and returns when f has returned: the simulated target drives its kernel meanwhile.
	Run(f func(ctx context.Context, p Process))
	// Start starts a further client process. It is called on threads of the case.
	Start(name string) Process
	// Unique is a prefix for names, different for every fixture that shares a cluster.
	Unique() string
}

// Brokers is a Fixture that can stop single brokers. Without it the cases of the area "brokers" are left out.
// Its methods are called on threads of a case; they block, by ctx, until it is done.
type Brokers interface {
	// IDs are the brokers' numbers, as descriptions of topics tell them.
	IDs() []int
	// KillBroker kills a broker without warning. What it led and coordinated moves to others by and by.
	KillBroker(ctx context.Context, id int) error
	// RestartBroker brings a killed broker back, and returns when every replica in the cluster is in sync again.
	RestartBroker(ctx context.Context, id int) error
	// GroupCoordinator and TransactionCoordinator are the brokers that answer for a group or a transactional id now.
	GroupCoordinator(ctx context.Context, group string) (int, error)
	TransactionCoordinator(ctx context.Context, id string) (int, error)
}

// Cleaner is a Fixture whose cluster compacts and applies retention only when it is told to; others do so by themselves within
// some seconds.
type Cleaner interface {
	Clean(topics ...string) error
}

// Announcer is a Fixture, or a Process, in whose cluster one broker may know of a new topic before another does.
type Announcer interface {
	// Announced blocks until every broker knows the topic with all its partitions.
	Announced(ctx context.Context, topic string, partitions int) error
}

// Process is a client process. Calls on its cluster are made from its own threads only.
type Process interface {
	Host() host.Host
	Cluster() broker.Cluster
	// Crash kills the process without a goodbye: its connections are cut, its threads' contexts end. It is called from another
	// process's thread.
	Crash()
}

// brokersArea holds the cases that stop brokers: they run one after the other, before all others.
const brokersArea = "brokers/"

// Run runs every case against the target, and checks that the target's column in docs/contract.md says what came out, or, with the
// flag -contract-rewrite, writes it.
func Run(t *testing.T, target Target) {
	report := newReport(t, target.Name)
	ordered := slices.Clone(cases)
	slices.SortStableFunc(ordered, func(a, b testcase) int { return cmp.Compare(a.rank(), b.rank()) })
	for _, c := range ordered {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { report.ended(c.name, t, target.Differs[c.name]) })
			if why := target.Differs[c.name]; why != "" {
				t.Skipf("known difference: %s", why)
			}
			if target.Parallel && c.rank() > 0 {
				t.Parallel()
			}
			f := target.New(t)
			if _, ok := f.(Brokers); !ok && c.rank() == 0 {
				t.Skip("the target has no brokers to stop")
			}
			runCase(t, f, c)
		})
	}
}

// rank is 0 for the cases that stop brokers, and 1 for others.
func (c testcase) rank() int {
	if strings.HasPrefix(c.name, brokersArea) {
		return 0
	}
	return 1
}

// Names are the names of all cases, in the order in which they run.
func Names() []string {
	names := make([]string, len(cases))
	for i, c := range cases {
		names[i] = c.name
	}
	return names
}

// testcase is one promise of the port.
type testcase struct {
	name string // area/what is promised
	run  func(e *Env)
}

// cases are all cases; the files of this package that hold them add theirs.
var cases = join(produceCases, timestampCases, fetchCases, transactionCases, isolationCases, transactionOffsetCases, groupCases,
	membershipCases, commitCases, adminCases, cleaningCases, brokerCases)

func join(all ...[]testcase) []testcase {
	var out []testcase
	for _, cs := range all {
		out = append(out, cs...)
	}
	return out
}

// limit is how long a case may take, on its process's clock.
const limit = 90 * time.Second

func runCase(t *testing.T, f Fixture, c testcase) {
	ended, limit := false, limit
	if c.rank() == 0 {
		limit = 4 * limit // brokers take their time to come back
	}
	f.Run(func(ctx context.Context, p Process) {
		ctx, cancel := p.Host().WithTimeout(ctx, limit)
		defer cancel()
		e := &Env{T: t, Ctx: ctx, fixture: f, main: p}
		guard(t, func() { c.run(e) })
		guard(t, e.restartAll)
		ended = true
	})
	if !ended && !t.Failed() {
		t.Errorf("the case's thread did not end")
	}
}

// failure is what a failed check panics with: the thread ends, and the test has been told.
type failure struct{}

// guard runs f and stops a failure.
func guard(t testing.TB, f func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(failure); !ok {
				panic(r) // not ours: a bug, or a thread that is killed
			}
			if !t.Failed() {
				t.Error("a check failed without a word")
			}
		}
	}()
	f()
}

// Env is what a case works with. Its checks end the thread that makes them, and fail the test.
type Env struct {
	T   testing.TB
	Ctx context.Context // of the case's thread, with the case's time limit

	fixture Fixture
	main    Process
	down    []int // brokers that were killed and are not back
}

// Fatalf fails the case.
func (e *Env) Fatalf(format string, args ...any) {
	e.T.Helper()
	e.T.Errorf(format, args...)
	panic(failure{})
}

// Must fails the case when err is not nil.
func (e *Env) Must(err error, what string) {
	e.T.Helper()
	if err != nil {
		e.Fatalf("%s: %v", what, err)
	}
}

// Main is the process of the case's thread.
func (e *Env) Main() Process { return e.main }

// Cluster is the main process's.
func (e *Env) Cluster() broker.Cluster { return e.main.Cluster() }

// Start starts another process.
func (e *Env) Start(name string) Process { return e.fixture.Start(name) }

// Name makes a name unique in the cluster.
func (e *Env) Name(s string) string { return e.fixture.Unique() + s }

// Sleep lets the case's thread sleep.
func (e *Env) Sleep(d time.Duration) {
	e.T.Helper()
	e.Must(e.main.Host().Sleep(e.Ctx, d), "sleep")
}

// Topic creates a topic, waits until it can be used, and returns its name.
func (e *Env) Topic(name string, partitions int32, configs ...string) string {
	e.T.Helper()
	t := broker.NewTopic{Name: e.Name(name), Partitions: partitions, ReplicationFactor: -1, Configs: map[string]string{}}
	for i := 0; i+1 < len(configs); i += 2 {
		t.Configs[configs[i]] = configs[i+1]
	}
	e.Must(e.Cluster().Admin().CreateTopics(e.Ctx, t), "create topic "+t.Name)
	var tps []broker.TopicPartition
	for p := range partitions {
		tps = append(tps, broker.TopicPartition{Topic: t.Name, Partition: p})
	}
	e.Eventually("topic "+t.Name+" is ready", func() bool {
		_, err := e.Cluster().Admin().EndOffsets(e.Ctx, broker.ReadUncommitted, tps...)
		return err == nil
	})
	if a, ok := e.fixture.(Announcer); ok {
		e.Must(a.Announced(e.Ctx, t.Name, int(partitions)), "announce topic "+t.Name)
	}
	return t.Name
}

// Eventually waits until cond holds.
func (e *Env) Eventually(what string, cond func() bool) {
	e.T.Helper()
	until := e.main.Host().Now().Add(limit * 2 / 3)
	for !cond() {
		if e.main.Host().Now().After(until) {
			e.Fatalf("never: %s", what)
		}
		if err := e.main.Host().Sleep(e.Ctx, 5*time.Millisecond); err != nil {
			e.Fatalf("never: %s: %v", what, err)
		}
	}
}

// Thread is a thread that Go started.
type Thread struct {
	e    *Env
	name string
	done atomic.Bool
}

// Go runs f on a new thread of p. f's checks are the Env's that it is given, whose Ctx is the thread's.
func (e *Env) Go(p Process, name string, f func(e *Env)) *Thread {
	th := &Thread{e: e, name: name}
	p.Host().Go(name, func(ctx context.Context) {
		defer th.done.Store(true)
		ctx, cancel := p.Host().WithTimeout(ctx, 4*limit)
		defer cancel()
		guard(e.T, func() { f(&Env{T: e.T, Ctx: ctx, fixture: e.fixture, main: p}) })
	})
	return th
}

// Done says whether the thread has ended.
func (th *Thread) Done() bool { return th.done.Load() }

// Wait waits until the thread has ended. It is called on the case's thread.
func (th *Thread) Wait() {
	th.e.T.Helper()
	th.e.Eventually(fmt.Sprintf("thread %s ends", th.name), th.Done)
	if th.e.T.Failed() {
		panic(failure{})
	}
}

// Do runs f on a thread of p and waits for it.
func (e *Env) Do(p Process, name string, f func(e *Env)) {
	e.T.Helper()
	e.Go(p, name, f).Wait()
}
