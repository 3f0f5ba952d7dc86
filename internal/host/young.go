package host

import (
	"os"
	"sync"
)

// Young is how much a process that MakeRoom was called in allocates between two runs of the collector, at the least: half of the heap that Kafka's
// connect-standalone.sh starts with. With 64 MB transforms are a tenth slower.
const Young = 128 << 20

var room = sync.OnceValue(func() []byte { return make([]byte, Young) })

// MakeRoom makes the collector of this process run only after Young bytes were allocated, however little the process keeps, as a JVM does with its young
// generation: at the start a Go program has its collector run every 4 MB, and a worker that converts records allocates that in a few milliseconds. It
// costs up to Young bytes of memory and changes nothing for a process that keeps more than that. Commands call it for processes that work on records,
// once or more often. Where the environment sets GOGC or GOMEMLIMIT it does nothing: then somebody has decided.
//
// What it does is to hold on to that many bytes and never touch them, so that the machine gives no memory for them; the collector's goal is in
// proportion to what is held.
func MakeRoom() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		room()
	}
}
