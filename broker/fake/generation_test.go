package fake

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A heartbeat that is sent in a member's name may come after the rebalance has ended: the member's next wait must have the new generation.
func TestALateHeartbeatIsNoNewGeneration(t *testing.T) {
	w := newWaiting(nil)
	defer w.close()
	s := kmsg.NewPtrSyncGroupRequest()
	s.MemberID, s.Generation = "m", 2
	w.synced(s)
	hb := kmsg.NewPtrHeartbeatRequest()
	hb.MemberID, hb.Generation = "m", 1
	w.beat(hb)
	if got := w.generations["m"]; got != 2 {
		t.Errorf("the generation is %d, not 2", got)
	}
}
