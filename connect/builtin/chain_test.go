package builtin_test

import (
	"fmt"
	"maps"
	"math/rand"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

// TestChains says that no chain of transforms panics, whatever the record, that it leaves the record it is given as it was, gives the same
// result again, and that a value it returns is one of its schema, where Kafka's rules do not make it otherwise: see excused.
func TestChains(t *testing.T) {
	plugins := builtin.Plugins(file.Standard{})
	names := slices.Sorted(maps.Keys(configs))
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 10_000
	var applied, refused, failed, dropped int
	properties := gopter.NewProperties(parameters)
	properties.Property("chains", prop.ForAll(func(seed int64) (bad string) {
		m := maker{rand.New(rand.NewSource(seed))}
		props, r := m.connector(names), m.record()
		defer func() {
			if e := recover(); e != nil {
				bad = fmt.Sprintf("%v on %s: panic %v\n%s", props, r, e, debug.Stack())
			}
		}()
		chain, err := newChain(plugins, props)
		if err != nil {
			refused++
			return ""
		}
		defer chain.Close()
		before := r.Copy()
		out, err := chain.Apply(r)
		if !r.Equal(before) {
			return fmt.Sprintf("%v changed its record\n%s\n%s", props, before, r)
		}
		again, errAgain := chain.Apply(r)
		if bad := differ(out, err, again, errAgain); bad != "" {
			return fmt.Sprintf("%v on %s: %s", props, r, bad)
		}
		if bad := inPlace(chain, r, out, err); bad != "" {
			return fmt.Sprintf("%v on %s: in place: %s", props, r, bad)
		}
		switch {
		case err != nil:
			failed++
			return ""
		case out == nil:
			dropped++
			return ""
		}
		applied++
		return invalid(props, r, out)
	}, gen.Int64()))
	properties.TestingRun(t)
	t.Logf("applied %d, failed %d, dropped %d, refused %d", applied, failed, dropped, refused)
	if applied < 2000 || failed < 500 || dropped < 100 {
		t.Errorf("the cases are one-sided: applied %d, failed %d, dropped %d, refused %d", applied, failed, dropped, refused)
	}
}

// differ compares what a chain made of a record with what it made of the same one later.
func differ(out *connect.Record, err error, again *connect.Record, errAgain error) string {
	if fmt.Sprint(err) != fmt.Sprint(errAgain) || (out == nil) != (again == nil) || out != nil && !out.Equal(again) {
		return fmt.Sprintf("%v %v, then %v %v", out, err, again, errAgain)
	}
	return ""
}

// inPlace applies the chain to a record that it may change: what comes out must be the same, and each transform must leave the record as it was where it
// fails. It must not change what the record refers to.
func inPlace(chain worker.Chain, r, out *connect.Record, err error) string {
	mine, text := r.Copy(), r.String()
	x, errInPlace := chain.ApplyInPlace(mine)
	if bad := differ(out, err, x, errInPlace); bad != "" {
		return bad
	}
	if r.String() != text {
		return "it changed a value or a header, not only its record"
	}
	x, own := r.Copy(), true
	for _, s := range chain {
		before := x.Copy()
		next, ownNext, err := s.Apply(x, own)
		if err != nil && !x.Equal(before) {
			return fmt.Sprintf("%s failed with %v and changed the record\n%s\n%s", s.Class, err, before, x)
		}
		if err != nil || next == nil {
			break
		}
		x, own = next, ownNext
	}
	return ""
}

func newChain(plugins *connect.Plugins, props map[string]string) (worker.Chain, error) {
	parsed, err := worker.ParseConnector(plugins, connect.KindSink, props)
	if err != nil {
		return nil, err
	}
	return parsed.Chain(nil)
}

// invalid says where a result does not fit its schema.
func invalid(props map[string]string, r, out *connect.Record) string {
	for _, x := range []data.SchemaAndValue{{Schema: out.KeySchema, Value: out.Key}, {Schema: out.ValueSchema, Value: out.Value}} {
		if x.Schema == nil || x.Value == nil || excused(x) {
			continue
		}
		if err := data.Validate(x.Schema, x.Value); err != nil {
			return fmt.Sprintf("%v on %s: %s: %v", props, r, out, err)
		}
	}
	return ""
}

// excused is what Kafka lets fall apart from its schema: a cast of a whole Decimal, Date, Time or Timestamp keeps its name, an outbox payload that is a JSON
// array gets the array's schema and stays a text, and a default that is a struct was made before its schema had the default.
func excused(x data.SchemaAndValue) bool {
	switch x.Schema.Name() {
	case data.DecimalName, data.DateName, data.TimeName, data.TimestampName:
		return true
	}
	return x.Schema.Type() == data.Array || x.Schema.Type() == data.StructType && x.Value == x.Schema.Default()
}
