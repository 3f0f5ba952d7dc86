//go:build integration

package integration_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/brokertest/differ"
)

var (
	differSeeds  = flag.Uint64("differ-seeds", 60, "how many random sequences are played on the model and on the real Kafka")
	differFirst  = flag.Uint64("differ-first", 0, "the first of them")
	differSteps  = flag.Int("differ-steps", 40, "how long they are")
	differShrink = flag.Bool("differ-shrink", false, "shrink a sequence on which they differ; it takes minutes")
	differBeside = flag.Int("differ-beside", 6, "how many are played at the same time")
)

// announcing is a process that waits until every broker knows a topic.
type announcing struct {
	brokertest.Process
	announcer
}

// onKafka plays a sequence on the real cluster.
func onKafka(t *testing.T, s differ.Sequence) []string {
	var answers []string
	f := announcer{brokertest.Live(t, connect)}
	f.Run(func(ctx context.Context, p brokertest.Process) {
		answers = differ.Play(ctx, announcing{p, f}, f.Unique(), s, nil)
	})
	return answers
}

// TestModelAnswersAsKafka plays random sequences on both. A difference is shrunk, and printed as a sequence to keep as a case.
func TestModelAnswersAsKafka(t *testing.T) {
	var group sync.WaitGroup
	turns := make(chan struct{}, *differBeside)
	for seed := *differFirst; seed < *differFirst+*differSeeds; seed++ {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			if t.Failed() {
				return
			}
			s := differ.Generate(seed, *differSteps)
			if d := differs(t, seed, s); d != "" {
				t.Errorf("seed %d: one is the model, other is Kafka\n%s", seed, d)
				if *differShrink {
					small := differ.Shrink(s, func(part differ.Sequence) bool { return differs(t, seed, part) != "" })
					t.Errorf("seed %d, shrunk:\n%s", seed, differs(t, seed, small))
				}
			}
		})
	}
	group.Wait()
}

func differs(t *testing.T, seed uint64, s differ.Sequence) string {
	model, err := differ.OnModel(seed, s, false)
	if err != nil {
		return fmt.Sprintf("the model: %v", err)
	}
	return differ.Compare(s, model, onKafka(t, s))
}
