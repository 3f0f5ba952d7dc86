package differ_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker/brokertest/differ"
)

var seeds = flag.Uint64("seeds", 60, "how many sequences are played")

const steps = 40

func play(t *testing.T, seed uint64, s differ.Sequence, crashes bool) []string {
	t.Helper()
	answers, err := differ.OnModel(seed, s, crashes)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return answers
}

// Crashes of single brokers change nothing that a client can tell.
func TestCrashesCannotBeTold(t *testing.T) {
	for seed := range *seeds {
		s := differ.Generate(seed, steps)
		if d := differ.Compare(s, play(t, seed, s, false), play(t, seed, s, true)); d != "" {
			small := differ.Shrink(s, func(part differ.Sequence) bool {
				return differ.Compare(part, play(t, seed, part, false), play(t, seed, part, true)) != ""
			})
			t.Fatalf("seed %d:\n%s\nshrunk to\n%s", seed, d, small)
		}
	}
}

// The sequences do what they are for: every answer that matters comes.
func TestSequencesReachEverything(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(60) {
		s := differ.Generate(seed, steps)
		for i, answer := range play(t, seed, s, false) {
			word, rest, _ := strings.Cut(answer, " ")
			if word == "error" {
				word += " " + rest
			}
			seen[s[i].Verb+": "+word] = true
			if strings.Contains(answer, "false") && !strings.HasPrefix(answer, "at the end") {
				t.Errorf("seed %d: %s: %s", seed, s[i], answer)
			}
		}
	}
	for _, want := range []string{
		"send: base", "send: error fenced", "send: error unknown-topic", "send: error fatal", "large: error record-too-large", "commit: marked", "abort: marked",
		"commit: error fenced", "commit: refused", "commit: error abortable", "begin: refused", "sendoffsets: ok", "sendoffsets: error unknown-member",
		"read: error lost", "delete: error offset-out-of-range", "topic: error topic-exists", "group: Stable,", "group: Dead,", "commit-offset: ok",
	} {
		if !seen[want] {
			t.Errorf("never: %s", want)
		}
	}
	if t.Failed() {
		var all []string
		for answer := range seen {
			all = append(all, answer)
		}
		slices.Sort(all)
		t.Logf("seen:\n%s", strings.Join(all, "\n"))
	}
}

func TestSequencesAreText(t *testing.T) {
	for seed := range uint64(50) {
		s := differ.Generate(seed, steps)
		again, err := differ.Parse("# a comment\n\n" + s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%v:\n%s", err, again)
		}
		if other := differ.Generate(seed, steps); other.String() != s.String() {
			t.Fatalf("seed %d makes two sequences", seed)
		}
	}
	for _, bad := range []string{"jump p1", "send p1 a-0"} {
		if _, err := differ.Parse(bad); err == nil {
			t.Errorf("%q is taken for a sequence", bad)
		}
	}
}

func TestShrink(t *testing.T) {
	s := differ.Generate(1, steps)
	small := differ.Shrink(s, func(part differ.Sequence) bool {
		text := part.String()
		return strings.Contains(text, "topic b") && strings.Contains(text, "read last")
	})
	if small.String() != "topic b 1\nread last\n" {
		t.Errorf("shrunk to\n%s", small)
	}
}
