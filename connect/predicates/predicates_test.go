package predicates_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/predicates"
)

func TestHolds(t *testing.T) {
	record := func(topic string, value any, headers ...string) *connect.Record {
		r := &connect.Record{Topic: topic, ValueSchema: data.OptionalStringSchema, Value: value}
		for _, h := range headers {
			r.Headers.AddString(h, nil)
		}
		return r
	}
	for _, c := range []struct {
		class string
		props config.Props
		r     *connect.Record
		want  bool
	}{
		{"RecordIsTombstone", nil, record("t", nil), true},
		{"RecordIsTombstone", nil, record("t", ""), false},
		{"HasHeaderKey", config.Props{"name": "b"}, record("t", "v", "a", "b", "b"), true},
		{"HasHeaderKey", config.Props{"name": "b"}, record("t", "v", "a", "B"), false},
		{"HasHeaderKey", config.Props{"name": "b"}, record("t", "v"), false},
		{"TopicNameMatches", config.Props{"pattern": "a|b.*"}, record("bc", "v"), true},
		{"TopicNameMatches", config.Props{"pattern": "a|b.*"}, record("ac", "v"), false}, // as a whole
		{"TopicNameMatches", config.Props{"pattern": "(?!internal).*"}, record("internal-x", "v"), false},
		{"TopicNameMatches", config.Props{"pattern": "(?!internal).*"}, record("orders", "v"), true},
	} {
		p := connect.NewPlugins()
		predicates.Register(p)
		x, err := p.NewPredicate(nil, c.class)
		if err == nil {
			err = x.Configure(c.props)
		}
		if err != nil {
			t.Errorf("%s %v: %v", c.class, c.props, err)
			continue
		}
		if got, err := x.Holds(c.r); err != nil || got != c.want {
			t.Errorf("%s %v of %s: %v %v, want %v", c.class, c.props, c.r, got, err, c.want)
		}
	}
}

func TestConfigure(t *testing.T) {
	for _, c := range []struct {
		class string
		props config.Props
		err   string
	}{
		{"HasHeaderKey", nil, `Missing required configuration "name" which has no default value.`},
		{"HasHeaderKey", config.Props{"name": ""}, "Invalid value  for configuration name: String must be non-empty"},
		{"TopicNameMatches", nil, `Missing required configuration "pattern" which has no default value.`},
		{"TopicNameMatches", config.Props{"pattern": ""}, "Invalid value  for configuration pattern: String must be non-empty"},
	} {
		p := connect.NewPlugins()
		predicates.Register(p)
		x, err := p.NewPredicate(nil, c.class)
		if err == nil {
			err = x.Configure(c.props)
		}
		if err == nil || err.Error() != c.err {
			t.Errorf("%s %v: %v, want %s", c.class, c.props, err, c.err)
		}
	}
	if err := new(predicates.TopicNameMatches).Configure(config.Props{"pattern": "("}); err == nil || !data.ClassOfError(err).Extends(data.ConfigException) {
		t.Errorf("a broken expression: %v", err)
	}
}
