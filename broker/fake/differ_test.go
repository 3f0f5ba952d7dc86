package fake_test

import (
	"context"
	"flag"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/brokertest/differ"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

var differSeeds = flag.Uint64("differ-seeds", 20, "how many random sequences are played on the model and on the fake cluster")

// TestModelAnswersAsFake plays random sequences on both.
func TestModelAnswersAsFake(t *testing.T) {
	cluster := start(t, fake.Config{Brokers: 3})
	played := 0
	for seed := range *differSeeds {
		s := differ.Generate(seed, 40)
		model, err := differ.OnModel(seed, s, false)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if known(s, model) {
			continue
		}
		played++
		var answers []string
		f := brokertest.Live(t, client(cluster))
		f.Run(func(ctx context.Context, p brokertest.Process) { answers = differ.Play(ctx, p, f.Unique(), s, nil) })
		if d := differ.Compare(s, model, answers); d != "" {
			t.Errorf("seed %d: one is the model, other is the fake cluster\n%s", seed, d)
		}
	}
	if played < int(*differSeeds)/2 {
		t.Errorf("only %d of %d sequences were played", played, *differSeeds)
	}
}

// known says whether a sequence has what docs/divergence.md, broker/fake, K21 (a delete below the start) or K26 (an abort by a fenced
// producer) is about.
func known(s differ.Sequence, answers []string) bool {
	for i, o := range s {
		if o.Verb == "abort" && answers[i] == "error fenced" || o.Verb == "delete" && strings.HasSuffix(answers[i], "below the start") {
			return true
		}
	}
	return false
}
