package topology

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// Reset says where a partition starts that has no committed position, or one that is out of range: Kafka's AutoOffsetReset.
type Reset struct {
	Policy broker.ResetPolicy
	// ByTime: at the first record of Ago before now or later, or at the end where there is none; Policy does not count.
	ByTime bool
	Ago    time.Duration
}

// ResetError is a text that names no reset policy.
type ResetError struct{ Text, Want string }

func (e *ResetError) Error() string {
	return fmt.Sprintf("streams: %q is no reset policy: %s", e.Text, e.Want)
}

// Class is Kafka's name of the error kind.
func (e *ResetError) Class() string { return "java.lang.IllegalArgumentException" }

const byDuration = "by_duration:"

// ParseReset reads earliest, latest, none, or by_duration: and a duration of ISO 8601, such as PT1H30M or P2D. The error is a *ResetError.
func ParseReset(text string) (Reset, error) {
	switch text {
	case "earliest":
		return Reset{Policy: broker.ResetEarliest}, nil
	case "latest":
		return Reset{Policy: broker.ResetLatest}, nil
	case "none":
		return Reset{Policy: broker.ResetNone}, nil
	}
	iso, ok := strings.CutPrefix(text, byDuration)
	if !ok {
		return Reset{}, &ResetError{text, "it must be earliest, latest, none, or by_duration: and a duration such as PT1H"}
	}
	ago, ok := parseDuration(iso)
	if !ok {
		return Reset{}, &ResetError{text, "a duration of ISO 8601 that is not negative is expected, such as PT1H30M or P2D"}
	}
	return Reset{ByTime: true, Ago: ago}, nil
}

// isoDuration is what java.time.Duration.parse reads, without signs.
var isoDuration = regexp.MustCompile(`(?i)^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{0,9}))?S)?)?$`)

func parseDuration(text string) (d time.Duration, ok bool) {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil || strings.HasSuffix(strings.ToUpper(text), "T") || m[1]+m[2]+m[3]+m[4] == "" {
		return 0, false
	}
	units := []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second, time.Nanosecond}
	if m[5] != "" {
		m[5] += strings.Repeat("0", 9-len(m[5]))
	}
	for i, unit := range units {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+1], 10, 64)
		if err != nil || n > int64((1<<63-1-d)/unit) {
			return 0, false
		}
		d += time.Duration(n) * unit
	}
	return d, true
}

// ResetOf is the policy of the source that reads a topic, as nodes name it; ok is false where that has none of its own.
func (t *Topology) ResetOf(topic string) (r Reset, ok bool) {
	for _, n := range t.order {
		if n.Kind == SourceNode && n.Reset != "" && (slices.Contains(n.Topics, topic) || n.Pattern != nil && n.Pattern.Matches(topic)) {
			r, err := ParseReset(n.Reset)
			return r, err == nil
		}
	}
	return Reset{}, false
}
