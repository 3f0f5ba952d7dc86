package scenarios_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/faults"
)

// TestOperatorTimeOutlivesACrash crashes an instance before late records come. Where an operator's time is forgotten with its task, as in
// Kafka Streams, windows that were closed open again: late records slip in, and fewer are dropped. Where it is kept, nothing shows.
func TestOperatorTimeOutlivesACrash(t *testing.T) {
	s := twoDays(t)
	s.Faults = []faults.Fault{crashed("departures-2", "2013-01-02T00:30:00Z", 10*time.Minute)}
	pass(t, s, 1)

	s.Apps[0].Config["kstreamlab.operator.time"] = "forgotten"
	v := run(t, s, 1)
	for name, want := range map[string][]string{
		"windowed-counts": {
			`key "DL" window [2013-01-01T22:00:00Z, 2013-01-01T23:00:00Z): expected 10, found 1`,
			`key "MQ" window [2013-01-01T22:00:00Z, 2013-01-01T23:00:00Z): expected 3, found 1`,
		},
		"late-drops":             {"expected 56 records dropped as late, found 54"},
		"exactly-once":           nil,
		"store-equals-changelog": nil,
		"caught-up":              nil,
	} {
		if d := cmp.Diff(want, found(t, v, name).Problems); name != "exactly-once" && d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
