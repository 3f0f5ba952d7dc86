package enginetest

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
)

// globalTable restarts an application with a global table on disk: it goes on where the table was left, though its topic no longer has what is in
// it; and it starts over where the topic no longer has what comes next.
func globalTable(ctx context.Context, p *Place) error {
	p.disk = true
	b := streams.NewBuilder()
	names := streams.GlobalTable(b, p.name("names"), texts(""))
	named := streams.JoinGlobal(streams.Stream(b, p.name("in"), texts("")), streams.LeftJoin, names, func(k, _ string) (string, error) { return k, nil },
		func(_, v, name string, has bool) (string, error) {
			if !has {
				name = "unknown"
			}
			return v + " " + name, nil
		})
	named.To(p.name("out"))
	top, err := b.Build()
	if err != nil {
		return err
	}
	for _, topic := range []string{"names", "in", "out"} {
		if err := p.topic(ctx, topic, 1); err != nil {
			return err
		}
	}
	var out []string
	// round runs the application over some inputs, after names were written and others deleted.
	round := func(names []line, deleted int64, in []line, want ...string) error {
		if err := p.write(ctx, names...); err != nil {
			return err
		}
		if err := p.Cluster.Admin().DeleteRecords(ctx, map[broker.TopicPartition]int64{{Topic: p.name("names")}: deleted}); err != nil {
			return err
		}
		i, err := p.app("app", top, 1, nil)
		if err != nil {
			return err
		}
		if err := p.write(ctx, in...); err != nil {
			return err
		}
		out = append(out, want...)
		if err := p.lines(ctx, "out", out...); err != nil {
			return err
		}
		i.Stop(true)
		return i.Wait(ctx)
	}
	name := func(key, value string) line { return line{topic: "names", key: key, value: value} }
	ask := func(key, value string) line { return line{topic: "in", key: key, value: value} }
	if err := round([]line{name("a", "Ann"), name("b", "Bob")}, 0, []line{ask("a", "1"), ask("b", "2")}, "a=1 Ann", "b=2 Bob"); err != nil {
		return err
	}
	if err := round(nil, 2, []line{ask("a", "3")}, "a=3 Ann"); err != nil {
		return err
	}
	return round([]line{name("c", "Cid"), name("d", "Dan")}, 3, []line{ask("a", "4"), ask("c", "5"), ask("d", "6")}, "a=4 unknown", "c=5 unknown", "d=6 Dan")
}
