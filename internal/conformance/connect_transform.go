package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

func init() {
	connectKinds["transform"] = runTransform
	connectKinds["transform-config"] = runTransformConfig
	connectKinds["predicate"] = runPredicate
	connectKinds["pipeline"] = runPipeline
}

// failure is an expected failure with its stage, where the member error is there.
func diffFailure(want object, stage string, err error) string {
	if w := stageOf(want); !isNull(want["error"]) && w != "" && w != stage {
		return fmt.Sprintf("stage %s, want %s (%v)", stage, w, err)
	}
	return diffError(want["error"], err)
}

func stageOf(want object) string {
	if isNull(want["stage"]) {
		return ""
	}
	return decode[string](want["stage"])
}

// diffApplied compares what became of one record.
func diffApplied(raw json.RawMessage, got *connect.Record, err error) string {
	want := decode[object](raw)
	if !isNull(want["error"]) || err != nil {
		return diffFailure(want, "apply", err)
	}
	if dropped := !isNull(want["dropped"]); dropped || got == nil {
		if dropped != (got == nil) {
			return fmt.Sprintf("dropped: %v", got == nil)
		}
		return ""
	}
	return diffRecord(want["record"], got)
}

// applyAll applies f to each record in turn and compares.
func (c *connectCase) applyAll(f func(*connect.Record) (*connect.Record, error)) string {
	if raw, ok := c.object["record"]; ok {
		got, err := f(recordOf(raw))
		return diffApplied(c.object["expect"], got, err)
	}
	wants := decode[[]json.RawMessage](c.object["expect"])
	for i, raw := range decode[[]json.RawMessage](c.object["records"]) {
		got, err := f(recordOf(raw))
		if d := diffApplied(wants[i], got, err); d != "" {
			return fmt.Sprintf("record %d: %s", i, d)
		}
	}
	return ""
}

// applyBoth is applyAll with each of two functions: the second may change its records.
func (c *connectCase) applyBoth(f, inPlace func(*connect.Record) (*connect.Record, error)) string {
	if d := c.applyAll(f); d != "" {
		return d
	}
	if d := c.applyAll(inPlace); d != "" {
		return "in place: " + d
	}
	return ""
}

// refused compares a failure to configure; ok is false when none is expected and none came.
func (c *connectCase) refused(err error) (diff string, ok bool) {
	raw := c.object["expect"]
	if strings.HasPrefix(string(raw), "[") {
		if err != nil {
			return fmt.Sprintf("configure: %v", err), true
		}
		return "", false
	}
	want := decode[object](raw)
	if err != nil || stageOf(want) == "configure" {
		return diffFailure(want, "configure", err), true
	}
	return "", false
}

func runTransform(c *connectCase) string {
	t := c.plugin(connect.KindTransform, "transform").(connect.Transform)
	defer t.Close()
	if d, ok := c.refused(t.Configure(c.props())); ok {
		return d
	}
	return c.applyBoth(t.Apply, t.(connect.InPlaceTransform).ApplyInPlace) // which all that the project has are
}

func runTransformConfig(c *connectCase) string {
	t := c.plugin(connect.KindTransform, "transform").(connect.Transform)
	defer t.Close()
	want := c.expect()
	if d := diffConfigErrors(want["errors"], t.Config(), c.props()); d != "" {
		return d
	}
	return diffConfigured(want["configure"], t.Configure(c.props()))
}

func runPredicate(c *connectCase) string {
	p := c.plugin(connect.KindPredicate, "predicate").(connect.Predicate)
	defer p.Close()
	if d, ok := c.refused(p.Configure(c.props())); ok {
		return d
	}
	want := c.expect()
	got, err := p.Holds(recordOf(c.object["record"]))
	if !isNull(want["error"]) || err != nil {
		return diffFailure(want, "apply", err)
	}
	if got != decode[bool](want["holds"]) {
		return fmt.Sprintf("holds: %v", got)
	}
	return ""
}

func runPipeline(c *connectCase) string {
	props := map[string]string{}
	all := c.props()
	for _, k := range slices.Sorted(maps.Keys(all)) {
		props[k], _ = all[k].(string)
	}
	kind := connect.KindSink
	if c.text("connector") == "source" {
		kind = connect.KindSource
	}
	var chain worker.Chain
	parsed, err := worker.ParseConnector(c.plugins, kind, props)
	if err == nil {
		chain, err = parsed.Chain(connectHost)
	}
	defer chain.Close()
	if d, ok := c.refused(err); ok {
		return d
	}
	return c.applyBoth(chain.Apply, chain.ApplyInPlace)
}
