package scenarios

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/faults"
)

// Verdict is what came of a scenario under one seed.
type Verdict struct {
	Scenario  string
	On        On
	Seed      uint64
	TraceHash string // simulated: equal for both runs, or see Differs
	Virtual   time.Duration
	Wall      time.Duration
	Records   int
	Steps     []faults.Step
	Findings  []Finding
	// Differs tells how the two runs of a simulated seed differ: the first event that is not the same. It is a failure.
	Differs string
	tables  map[string]*Table
}

// Pass says whether everything holds.
func (v *Verdict) Pass() bool {
	for _, f := range v.Findings {
		if !f.Pass {
			return false
		}
	}
	return v.Differs == ""
}

// Table is a topic's final table, for topics that were to be exported or that an expectation looked at.
func (v *Verdict) Table(topic string) (*Table, bool) {
	t, ok := v.tables[topic]
	return t, ok
}

// Write writes the verdict for a person.
func (v *Verdict) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "scenario %s on %s, seed %d: %d records\n", v.Scenario, v.On, v.Seed, v.Records)
	for _, s := range v.Steps {
		fmt.Fprintf(&b, "  fault  %s\n", s)
	}
	for _, f := range v.Findings {
		mark := "ok    "
		if !f.Pass {
			mark = "FAILED"
		}
		fmt.Fprintf(&b, "  %s %s: %s\n", mark, f.Name, f.Figures)
		for _, p := range f.Problems {
			fmt.Fprintf(&b, "         %s\n", p)
		}
		if f.More > 0 {
			fmt.Fprintf(&b, "         and %d more\n", f.More)
		}
	}
	if v.Differs != "" {
		fmt.Fprintf(&b, "  FAILED replay: the two runs of this seed differ: %s\n", v.Differs)
	}
	if v.On == Simulated {
		fmt.Fprintf(&b, "virtual time %s, wall time %s (%.0f times faster), trace %s\n", v.Virtual.Round(time.Millisecond), v.Wall.Round(time.Millisecond),
			v.Virtual.Seconds()/v.Wall.Seconds(), v.TraceHash)
	} else {
		fmt.Fprintf(&b, "wall time %s\n", v.Wall.Round(time.Millisecond))
	}
	fmt.Fprintln(&b, v.word())
	_, err := io.WriteString(w, b.String())
	return err
}

func (v *Verdict) word() string {
	if v.Pass() {
		return "PASS"
	}
	return "FAIL"
}

// MarshalJSON is the verdict for machines.
func (v *Verdict) MarshalJSON() ([]byte, error) {
	type expectation struct {
		Name     string   `json:"name"`
		Pass     bool     `json:"pass"`
		Figures  string   `json:"figures"`
		Problems []string `json:"problems,omitempty"`
	}
	type fault struct {
		At       string `json:"at"`
		Kind     string `json:"kind"`
		Instance string `json:"instance"`
	}
	out := struct {
		Scenario     string        `json:"scenario"`
		On           On            `json:"on"`
		Seed         uint64        `json:"seed"`
		TraceHash    string        `json:"trace_hash"`
		VirtualMS    int64         `json:"virtual_ms"`
		WallMS       int64         `json:"wall_ms"`
		Records      int           `json:"records"`
		Verdict      string        `json:"verdict"`
		Replay       string        `json:"replay,omitempty"`
		Faults       []fault       `json:"faults"`
		Expectations []expectation `json:"expectations"`
	}{v.Scenario, v.On, v.Seed, v.TraceHash, v.Virtual.Milliseconds(), v.Wall.Milliseconds(), v.Records, strings.ToLower(v.word()), v.Differs, []fault{}, []expectation{}}
	for _, s := range v.Steps {
		out.Faults = append(out.Faults, fault{s.At.UTC().Format(time.RFC3339Nano), string(s.Kind), s.Instance})
	}
	for _, f := range v.Findings {
		out.Expectations = append(out.Expectations, expectation{f.Name, f.Pass, f.Figures, f.Problems})
	}
	return json.Marshal(out)
}
