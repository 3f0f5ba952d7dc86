package enginetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// backwards is a partitioner of one's own: what the hash gives, the other way round.
func backwards(key string, partitions int32) int32 {
	var n int32
	for _, c := range []byte(key) {
		n += int32(c)
	}
	return partitions - 1 - n%partitions
}

// foreignKeys joins orders, "customer amount" by their number, with customers, whose topic has another number of partitions; both are written with a
// partitioner of their own. Two instances share the tasks.
func foreignKeys(ctx context.Context, p *Place) error {
	top, err := orders(p)
	if err != nil {
		return err
	}
	for i, topic := range []string{"customers", "orders", "out"} {
		if err := p.topic(ctx, topic, int32(i+2)); err != nil {
			return err
		}
	}
	put := func(topic string, partitions int32, rows ...string) error {
		for _, row := range rows {
			key, value, _ := strings.Cut(row, "=")
			if err := p.write(ctx, line{topic: topic, key: key, value: value, partition: backwards(key, partitions)}); err != nil {
				return err
			}
		}
		return nil
	}
	var names, lines, want []string
	for c := range 6 {
		names = append(names, fmt.Sprintf("c%d=name%d", c, c))
	}
	for o := range 24 {
		lines = append(lines, fmt.Sprintf("o%d=c%d %d", o, o%8, o))
	}
	if err := put("customers", 2, names...); err != nil {
		return err
	}
	for _, name := range []string{"one", "two"} {
		if _, err := p.app("app", top, 2, map[string]string{"state.dir": "/" + p.name(name), "processing.guarantee": "exactly_once_v2"}); err != nil {
			return err
		}
	}
	if err := put("orders", 3, lines...); err != nil {
		return err
	}
	for o := range 24 {
		if o%8 < 6 {
			want = append(want, fmt.Sprintf("o%d=name%d %d", o, o%8, o))
		}
	}
	if err := p.table(ctx, "out", want...); err != nil {
		return err
	}
	// a customer changes, another goes, a missing one comes; an order moves, another goes
	if err := put("customers", 2, "c0=Zoe", "c1=", "c6=Max"); err != nil {
		return err
	}
	if err := put("orders", 3, "o2=c3 100", "o3="); err != nil {
		return err
	}
	want = nil
	for o := range 24 {
		c, amount := o%8, o
		if o == 2 {
			c, amount = 3, 100
		}
		name := map[int]string{0: "Zoe", 2: "name2", 3: "name3", 4: "name4", 5: "name5", 6: "Max"}[c]
		if name != "" && o != 3 {
			want = append(want, fmt.Sprintf("o%d=%s %d", o, name, amount))
		}
	}
	return p.table(ctx, "out", want...)
}

func orders(p *Place) (*streams.Topology, error) {
	b := streams.NewBuilder()
	left, right := streams.Table(b, p.name("orders"), texts("")), streams.Table(b, p.name("customers"), texts(""))
	by := func(_ string, k string, n int32) (int32, error) { return backwards(k, n), nil }
	joined := streams.JoinForeign(streams.InnerJoin, left, right, func(_, order string) (string, error) {
		customer, _, _ := strings.Cut(order, " ")
		return customer, nil
	}, func(_, order string, _ bool, customer string, _ bool) (string, error) {
		_, amount, _ := strings.Cut(order, " ")
		return customer + " " + amount, nil
	}, streams.TableJoined[string, string]{Name: "named", Partition: by, ForeignPartition: by}, streams.Materialized[string, string]{Name: "joined", Value: serde.String()})
	joined.ToStream().To(p.name("out"))
	return b.Build()
}
