package scenarios_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/faults"
)

// TestStoresThroughCrashes runs both engines under drawn crashes and zombies.
func TestStoresThroughCrashes(t *testing.T) {
	for _, pebble := range []bool{false, true} {
		for seed := range uint64(5) {
			s := twoDays(t)
			s.Apps[0].Pebble = pebble
			pass(t, s, 1+seed)
		}
	}
}

// TestACrashCostsOnlyTheTail crashes the only instance late in the second day, on a disk that loses what was not synced. With Pebble it
// restores what came since the last sync, half a minute ago; in memory it restores everything.
func TestACrashCostsOnlyTheTail(t *testing.T) {
	s := twoDays(t)
	s.Apps[0].Instances = 1
	s.Faults = []faults.Fault{crashed("departures-1", "2013-01-02T22:00:00Z", time.Minute)}
	for _, pebble := range []bool{true, false} {
		s.Apps[0].Pebble = pebble
		lines, v := events(t, s, 1)
		if !v.Pass() {
			t.Fatal(text(t, v))
		}
		restored, all := restoredAfterRestart(t, lines)
		switch {
		case all < 1000:
			t.Errorf("pebble %v: the changelogs hold %d offsets only", pebble, all)
		case pebble && restored > all/50:
			t.Errorf("with Pebble, %d of %d offsets were restored", restored, all)
		case !pebble && restored != all:
			t.Errorf("in memory, %d of %d offsets were restored", restored, all)
		}
	}
}

var restoreStart = regexp.MustCompile(`restore\.start task=\S+ store=departures from=(\d+) to=(\d+)$`)

// restoredAfterRestart sums up the offsets that tasks had to restore after the restart, and all that their changelogs hold.
func restoredAfterRestart(t *testing.T, lines []string) (restored, all int) {
	t.Helper()
	again := false
	for _, l := range lines {
		again = again || strings.Contains(l, "fault what=restart")
		m := restoreStart.FindStringSubmatch(l)
		if !again || m == nil {
			continue
		}
		from, err1 := strconv.Atoi(m[1])
		to, err2 := strconv.Atoi(m[2])
		if err1 != nil || err2 != nil {
			t.Fatal(l)
		}
		restored += to - from
		all += to
	}
	return restored, all
}
