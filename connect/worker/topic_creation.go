package worker

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
)

const (
	topicGroup     = "Topic Creation"
	topicPrefix    = "topic.creation."
	topicGroupsKey = topicPrefix + "groups"
	defaultGroup   = "default"
)

// regex wants a regular expression.
var regex = config.Func(func(name string, v any) error {
	s, _ := v.(string)
	if _, err := javaregex.Compile(s); err != nil {
		return config.Invalid(name, v, "Invalid regex: "+err.Error())
	}
	return nil
}, "valid regex")

var regexes = config.Func(func(name string, v any) error {
	list, _ := v.([]string)
	for _, s := range list {
		if _, err := javaregex.Compile(s); err != nil {
			return config.Invalid(name, v, "Syntax error in regular expression: "+err.Error())
		}
	}
	return nil
}, "a list of regular expressions")

func hasTopicCreation(props map[string]string) bool {
	for k := range props { // any: order does not matter
		if strings.HasPrefix(k, topicPrefix) {
			return true
		}
	}
	return false
}

// minusOneOr wants -1 (the broker's default) or at least 1.
func minusOneOr(what string) config.Validator {
	return config.Func(func(name string, v any) error {
		n, ok := asInt(v)
		if !ok || n == 0 || n < -1 {
			return config.Invalid(name, v, what+" must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default")
		}
		return nil
	}, "Positive number, or -1 to use the broker's default")
}

func asInt(v any) (int64, bool) {
	switch n := v.(type) {
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	}
	return 0, false
}

// groupKeys are the properties of a group of topic settings. The default group must say replication and partitions.
func groupKeys(isDefault bool, replication int16, partitions int32) []config.Key {
	keys := []config.Key{
		{Name: "replication.factor", Type: config.Short, Required: isDefault, Validator: minusOneOr("Replication factor"), Importance: config.Low,
			DisplayName: "Replication Factor for Topics", Doc: "The replication factor of new topics; -1: the broker's default."},
		{Name: "partitions", Type: config.Int, Required: isDefault, Validator: minusOneOr("Number of partitions"), Importance: config.Low,
			DisplayName: "Partition Count for Topics", Doc: "The number of partitions of new topics; -1: the broker's default."},
		{Name: "include", Type: config.List, Default: []string{}, Validator: regexes, Importance: config.Low,
			DisplayName: "Inclusion Topic Pattern", Doc: "Regular expressions of the topics that the group is for."},
		{Name: "exclude", Type: config.List, Default: []string{}, Validator: regexes, Importance: config.Low,
			DisplayName: "Exclusion Topic Pattern", Doc: "Regular expressions of the topics that it is not for, even so."},
	}
	if !isDefault {
		keys[0].Default, keys[1].Default = replication, partitions
	}
	return keys
}

func enrichTopics(base *config.Def, props config.Props) (*config.Def, error) {
	def := base.Copy()
	if err := def.Embed(topicPrefix+defaultGroup+".", defaultGroup, 0, config.NewDef(groupKeys(true, 0, 0)...)); err != nil {
		return nil, err
	}
	v, err := def.Parse(props)
	if err != nil {
		return nil, err
	}
	replication := v.Short(topicPrefix + defaultGroup + ".replication.factor")
	partitions := v.Int(topicPrefix + defaultGroup + ".partitions")
	done := []string{defaultGroup}
	for _, alias := range v.List(topicGroupsKey) {
		if slices.Contains(done, alias) {
			continue
		}
		done = append(done, alias)
		child := config.NewDef(groupKeys(false, replication, partitions)...)
		if err := def.Embed(topicPrefix+alias+".", topicGroup+": "+alias, 0, child); err != nil {
			return nil, err
		}
	}
	return def, nil
}

// topicRule is a group of topic settings.
type topicRule struct {
	all              bool // every topic: the default group
	include, exclude []*javaregex.Pattern
	replication      int16
	partitions       int32
	configs          map[string]string
}

// topicRules are the groups of a source connector in order, the default group last; none where the connector leaves creation to the broker.
func (c *ConnectorConfig) topicRules() ([]topicRule, error) {
	if !hasTopicCreation(c.Props) {
		return nil, nil
	}
	var out []topicRule
	for _, alias := range append(slices.DeleteFunc(slices.Clone(c.Values.List(topicGroupsKey)), func(s string) bool { return s == defaultGroup }), defaultGroup) {
		r, err := c.topicRule(alias)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (c *ConnectorConfig) topicRule(alias string) (topicRule, error) {
	prefix := topicPrefix + alias + "."
	r := topicRule{replication: c.Values.Short(prefix + "replication.factor"), partitions: c.Values.Int(prefix + "partitions"), configs: map[string]string{}}
	compile := func(list []string) (out []*javaregex.Pattern, err error) {
		for _, s := range list {
			x, err := javaregex.Compile(s)
			if err != nil {
				return nil, data.ConfigException.Because(err)
			}
			out = append(out, x)
		}
		return out, nil
	}
	var err error
	if alias != defaultGroup {
		if r.include, err = compile(c.Values.List(prefix + "include")); err != nil {
			return r, err
		}
		if r.exclude, err = compile(c.Values.List(prefix + "exclude")); err != nil {
			return r, err
		}
	} else {
		r.all = true
	}
	for k, v := range c.Props { // into a map: order does not matter
		rest, ok := strings.CutPrefix(k, prefix)
		if ok && !slices.Contains([]string{"replication.factor", "partitions", "include", "exclude"}, rest) {
			r.configs[rest] = v
		}
	}
	return r, nil
}

func (r *topicRule) matches(topic string) bool {
	match := func(x *javaregex.Pattern) bool { return x.Matches(topic) }
	return r.all || slices.ContainsFunc(r.include, match) && !slices.ContainsFunc(r.exclude, match)
}

// newTopic is the topic that the first matching rule makes.
func newTopic(rules []topicRule, topic string) broker.NewTopic {
	for _, r := range rules {
		if r.matches(topic) {
			return broker.NewTopic{Name: topic, Partitions: r.partitions, ReplicationFactor: r.replication, Configs: r.configs}
		}
	}
	return broker.NewTopic{Name: topic, Partitions: -1, ReplicationFactor: -1}
}
