package scenarios

import (
	"context"

	"github.com/kstreamlab/kstreamlab/broker"
)

// Look is an expectation of a test: what look finds wrong with the records that a committed reader sees in a topic.
type Look struct {
	Topic string
	Look  func(records []broker.Record) []string
}

// Name implements Expectation.
func (e Look) Name() string { return "look " + e.Topic }

func (e Look) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	logs, err := r.Log(ctx, e.Topic)
	if err != nil {
		return *f, err
	}
	var all []broker.Record
	for _, l := range logs {
		all = append(all, l.records...)
	}
	for _, p := range e.Look(all) {
		f.problem("%s", p)
	}
	return *f, nil
}

// Drops is an expectation of a test: how many records a node has dropped over the application's life.
type Drops struct {
	App, Node string
	Want      int64
}

// Name implements Expectation.
func (e Drops) Name() string { return "drops " + e.Node }

func (e Drops) check(ctx context.Context, r *Run) (Finding, error) {
	f := finding(e)
	app, _ := r.Scenario.app(e.App)
	offsets, err := r.admin.CommittedOffsets(ctx, app.ID())
	if err != nil {
		return *f, err
	}
	drops, err := app.Topology.CommittedDrops(app.ID(), offsets)
	if err != nil {
		return *f, err
	}
	if drops[e.Node] != e.Want {
		f.problem("expected %d records dropped by %s, found %d (%v)", e.Want, e.Node, drops[e.Node], drops)
	}
	return *f, nil
}
