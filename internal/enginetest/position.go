package enginetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

func texts(reset string) streams.Consumed[string, string] {
	return streams.Consumed[string, string]{Key: serde.String(), Value: serde.String(), Reset: reset}
}

// pattern reads topics that match, one of which comes while the application runs, and another with more partitions.
func pattern(ctx context.Context, p *Place) error {
	b := streams.NewBuilder()
	streams.StreamPattern(b, regexp.QuoteMeta(p.name("in-"))+".*", texts("")).To(p.name("out"))
	top, err := b.Build()
	if err != nil {
		return err
	}
	for _, name := range []string{"in-1", "other", "out"} {
		if err := p.topic(ctx, name, 1); err != nil {
			return err
		}
	}
	if err := p.write(ctx, line{topic: "in-1", key: "a", value: "1"}, line{topic: "other", key: "x", value: "9"}); err != nil {
		return err
	}
	i, err := p.app("app", top, 2, nil)
	if err != nil {
		return err
	}
	if err := p.lines(ctx, "out", "a=1"); err != nil {
		return err
	}
	if err := p.topic(ctx, "in-2", 1); err != nil { // the one task gets another input
		return err
	}
	if err := p.write(ctx, line{topic: "in-2", key: "b", value: "2"}, line{topic: "in-1", key: "a", value: "3"}); err != nil {
		return err
	}
	if err := p.lines(ctx, "out", "a=1", "a=3", "b=2"); err != nil {
		return err
	}
	if err := p.running(ctx, i, 1); err != nil {
		return err
	}
	if err := p.topic(ctx, "in-3", 3); err != nil { // two more tasks
		return err
	}
	if err := p.write(ctx, line{topic: "in-3", partition: 0, key: "c", value: "4"}, line{topic: "in-3", partition: 2, key: "d", value: "5"}); err != nil {
		return err
	}
	if err := p.lines(ctx, "out", "a=1", "a=3", "b=2", "c=4", "d=5"); err != nil {
		return err
	}
	return p.running(ctx, i, 3)
}

// resets starts sources where their own policies say, and one where auto.offset.reset does.
func resets(ctx context.Context, p *Place) error {
	b := streams.NewBuilder()
	for _, source := range [][2]string{{"all", "earliest"}, {"new", "latest"}, {"recent", "by_duration:PT1H"}, {"default", ""}} {
		streams.Stream(b, p.name(source[0]), texts(source[1])).To(p.name("out"))
	}
	top, err := b.Build()
	if err != nil {
		return err
	}
	old := p.Host.Now().Add(-24 * time.Hour)
	for _, topic := range []string{"all", "new", "recent", "default", "out"} {
		if err := p.topic(ctx, topic, 1); err != nil {
			return err
		}
		if topic == "out" {
			continue
		}
		if err := p.write(ctx, line{topic: topic, key: topic, value: "old", at: old}, line{topic: topic, key: topic, value: "fresh"}); err != nil {
			return err
		}
	}
	i, err := p.app("app", top, 1, map[string]string{"auto.offset.reset": "latest"})
	if err != nil {
		return err
	}
	if err := p.running(ctx, i, 4); err != nil {
		return err
	}
	for _, topic := range []string{"all", "new", "recent", "default"} {
		if err := p.write(ctx, line{topic: topic, key: topic, value: "later"}); err != nil {
			return err
		}
	}
	if err := p.lines(ctx, "out", "all=old", "all=fresh", "all=later", "new=later", "recent=fresh", "recent=later", "default=later"); err != nil {
		return err
	}
	return noReset(ctx, p)
}

// noReset starts an application whose source has no policy.
func noReset(ctx context.Context, p *Place) error {
	b := streams.NewBuilder()
	streams.Stream(b, p.name("all"), texts("none")).To(p.name("out"))
	top, err := b.Build()
	if err != nil {
		return err
	}
	i, err := p.app("none", top, 1, nil)
	if err != nil {
		return err
	}
	if err := i.Wait(ctx); !errors.Is(err, broker.ErrNoOffset) {
		return fmt.Errorf("a source without policy and position: %v; want ErrNoOffset", err)
	}
	return nil
}

// outOfRange deletes the records at which an application stands while it is stopped.
func outOfRange(ctx context.Context, p *Place) error {
	b := streams.NewBuilder()
	streams.Stream(b, p.name("in"), texts("earliest")).To(p.name("out"))
	top, err := b.Build()
	if err != nil {
		return err
	}
	for _, topic := range []string{"in", "out"} {
		if err := p.topic(ctx, topic, 1); err != nil {
			return err
		}
	}
	put := func(values ...string) error {
		for _, v := range values {
			if err := p.write(ctx, line{topic: "in", key: "k", value: v}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := put("1", "2"); err != nil {
		return err
	}
	props := map[string]string{"auto.offset.reset": "none"}
	i, err := p.app("app", top, 1, props)
	if err != nil {
		return err
	}
	if err := p.lines(ctx, "out", "k=1", "k=2"); err != nil {
		return err
	}
	i.Stop(true)
	if err := i.Wait(ctx); err != nil {
		return err
	}
	if err := put("3", "4", "5"); err != nil {
		return err
	}
	if err := p.Cluster.Admin().DeleteRecords(ctx, map[broker.TopicPartition]int64{{Topic: p.name("in")}: 4}); err != nil {
		return err
	}
	if _, err := p.app("app", top, 1, props); err != nil {
		return err
	}
	return p.lines(ctx, "out", "k=1", "k=2", "k=5")
}
