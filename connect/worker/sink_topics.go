package worker

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
)

// fault is what is wrong with a property.
type fault struct{ key, message string }

// topicFaults are what is wrong with the topics of a sink: it must have exactly one of topics and topics.regex, and must not read its dead
// letter queue.
func topicFaults(props map[string]string) (out []fault) {
	list, pattern := strings.TrimSpace(props[topicsKey]), strings.TrimSpace(props[topicsRegexKey])
	dlq := strings.TrimSpace(props[dlqTopicKey])
	both := func(message string) {
		out = append(out, fault{topicsKey, message}, fault{topicsRegexKey, message})
	}
	switch {
	case list != "" && pattern != "":
		both("topics and topics.regex are mutually exclusive options, but both are set.")
	case list == "" && pattern == "":
		both("Must configure one of topics or topics.regex")
	}
	if dlq == "" {
		return out
	}
	if names := topicList(list); list != "" && slices.Contains(names, dlq) {
		out = append(out, fault{topicsKey, "The DLQ topic '" + dlq + "' may not be included in the list of topics ('topics=[" + strings.Join(names, ", ") + "]') consumed by the connector"})
	}
	if x, err := javaregex.Compile(pattern); pattern != "" && err == nil && x.Matches(dlq) {
		out = append(out, fault{topicsRegexKey, "The DLQ topic '" + dlq + "' may not be matched by the regex for the topics ('topics.regex=" + pattern + "') consumed by the connector"})
	}
	return out
}

// topicList are the names in a list, without empty and repeated ones.
func topicList(list string) (out []string) {
	v, err := config.ParseType(topicsKey, list, config.List)
	names, _ := v.([]string)
	if err != nil {
		return nil
	}
	for _, n := range names {
		if n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
