package predicates

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
)

// TopicNameMatches holds for records whose topic, as the transforms before have left it, matches a regular expression as a whole: Kafka's
// TopicNameMatches.
type TopicNameMatches struct{ topics *javaregex.Rewriter }

var topicNameMatchesDef = config.NewDef(config.Key{Name: "pattern", Type: config.String, Required: true,
	Validator: config.All(config.NonEmpty, transforms.Regex), Importance: config.Medium, Doc: "The regular expression, in Java's syntax."})

// Config declares the properties.
func (*TopicNameMatches) Config() *config.Def { return topicNameMatchesDef }

// Close does nothing.
func (*TopicNameMatches) Close() {}

// Configure reads the properties.
func (p *TopicNameMatches) Configure(props config.Props) error {
	v, err := topicNameMatchesDef.Parse(props)
	if err != nil {
		return err
	}
	pattern, err := javaregex.Compile(v.String("pattern"))
	if err != nil {
		return config.Invalid("pattern", v["pattern"], "entry must be a Java-compatible regular expression: "+err.Error())
	}
	p.topics = javaregex.NewRewriter(pattern, "")
	return nil
}

// Holds looks at the topic.
func (p *TopicNameMatches) Holds(r *connect.Record) (bool, error) {
	_, matched, err := p.topics.Rewrite(r.Topic)
	return matched, err
}
