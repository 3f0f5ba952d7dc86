package worker_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

// keeping is a user's transform that keeps what it is given and what it returns, as it may.
type keeping struct {
	connect.Transform
	kept []*connect.Record
	text []string
}

func (k *keeping) Apply(r *connect.Record) (*connect.Record, error) {
	out := r.Copy()
	out.Topic += "!"
	k.kept = append(k.kept, r, out)
	k.text = append(k.text, r.String(), out.String())
	return out, nil
}

func insertHeader(t *testing.T, name string) *worker.Stage {
	t.Helper()
	x := &transforms.InsertHeader{}
	if err := x.Configure(config.Props{"header": name, "value.literal": "1"}); err != nil {
		t.Fatal(err)
	}
	return &worker.Stage{Class: "InsertHeader", Transform: x}
}

// TestChainInPlace: what a chain makes is changed in place from then on, unless a user's transform has seen it.
func TestChainInPlace(t *testing.T) {
	k := &keeping{}
	chain := worker.Chain{insertHeader(t, "a"), insertHeader(t, "b"), {Class: "keeping", Transform: k}, insertHeader(t, "c"), insertHeader(t, "d")}
	for _, own := range []bool{false, true} {
		given := connect.NewSourceRecord(nil, nil, "t", data.StringSchema, "v")
		text := given.String()
		r, mine := given, own
		var made []bool
		for _, s := range chain {
			out, ownOut, err := s.Apply(r, mine)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, out != r)
			r, mine = out, ownOut
		}
		want := []bool{!own, false, true, true, false}
		for i := range want {
			if made[i] != want[i] {
				t.Errorf("own %v: stage %d made a record: %v", own, i, made[i])
			}
		}
		if !own && given.String() != text {
			t.Errorf("the chain has changed a record that is not its own:\n%s\n%s", text, given)
		}
		if r.Topic != "t!" || r.Headers.Len() != 4 {
			t.Errorf("%s", r)
		}
	}
	for i, r := range k.kept {
		if r.String() != k.text[i] {
			t.Errorf("a record that a transform keeps was changed:\n%s\n%s", k.text[i], r)
		}
	}
}
