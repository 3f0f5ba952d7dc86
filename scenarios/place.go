package scenarios

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// On says where a scenario runs.
type On string

// The places.
const (
	Simulated On = "simulated" // the model cluster under virtual time: exact
	Fake      On = "fake"      // kfake in process, over the wire, in real time
	Kafka     On = "kafka"     // a real cluster
)

// place is where a run happens. Its methods are called from the lab's thread unless said.
type place interface {
	on() On
	// run runs main on a thread of the lab's own process, and returns when it has returned. Called from outside.
	run(main func(ctx context.Context) error) error
	host() host.Host
	cluster() broker.Cluster
	machine(name string) machine
	// schedule arranges that do is called for each step: at its virtual time, or, where time is real, when the workload has reached it.
	schedule(steps []time.Time, do func(i int))
	// arrive blocks until a moment of the workload: until that virtual time, or, where time is real, not at all.
	arrive(ctx context.Context, at time.Time) error
	// settled tells whether all scheduled steps are done; finish does what is left where time is real.
	settled() bool
	finish()
	// end returns the trace hash, or "" where there is none, after run.
	end() string
	// recent are the last events of the trace, for a report.
	close()
}

// machine is where one instance runs: a process at a time, and a disk that outlives it.
type machine interface {
	// start starts a process.
	start() (host.Host, broker.Cluster, error)
	// fs is the disk, as the next process will find it.
	fs() vfs.FS
	kill()
	pause()
	resume()
}
