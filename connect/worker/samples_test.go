package worker

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSampledAsKafka replays values that Kafka 4.2's Rate, Avg and Max were given. Each line is the time since the line before, a value or -,
// and what the three told then, if they were asked.
func TestSampledAsKafka(t *testing.T) {
	text, err := os.ReadFile("testdata/samples.txt")
	if err != nil {
		t.Fatal(err)
	}
	var s *sampled
	var now time.Time
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f := strings.Fields(line)
		if f[0] == "window" {
			s = &sampled{window: &window{int(number(t, f[1])), time.Duration(number(t, f[2])) * time.Millisecond}}
			continue
		}
		now = now.Add(time.Duration(number(t, f[0])) * time.Millisecond)
		if f[1] != "-" {
			s.record(now, number(t, f[1]))
		}
		if len(f) == 2 {
			continue
		}
		want := fmt.Sprint(number(t, f[2]), number(t, f[3]), number(t, f[4]))
		if got := fmt.Sprint(s.rate(now), s.mean(now), s.max(now)); got != want {
			t.Errorf("line %d: %s, want %s", i+1, got, want)
		}
	}
}

func number(t *testing.T, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
