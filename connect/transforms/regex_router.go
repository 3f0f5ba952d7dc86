package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
)

// RegexRouter changes the topic where all of it matches a regular expression: its first match is replaced. Kafka's RegexRouter.
type RegexRouter struct {
	topics *javaregex.Rewriter
	copies copies
}

var regexRouterDef = config.NewDef(
	config.Key{Name: "regex", Type: config.String, Required: true, Validator: Regex, Importance: config.High, Doc: "The regular expression, in Java's syntax."},
	config.Key{Name: "replacement", Type: config.String, Required: true, Importance: config.High, Doc: "What replaces it; $1 or ${name} is a group."})

// Config declares the properties.
func (*RegexRouter) Config() *config.Def { return regexRouterDef }

// Close does nothing.
func (*RegexRouter) Close() {}

// Configure reads the properties.
func (t *RegexRouter) Configure(props config.Props) error {
	v, err := regexRouterDef.Parse(props)
	if err != nil {
		return err
	}
	p, err := compileRegex(v.String("regex"))
	if err != nil {
		return err
	}
	t.topics = javaregex.NewRewriter(p, v.String("replacement"))
	return nil
}

// Apply changes the topic.
func (t *RegexRouter) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *RegexRouter) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *RegexRouter) apply(r input) (*connect.Record, error) {
	topic, matched, err := t.topics.Rewrite(r.Topic)
	switch {
	case err != nil:
		return nil, err
	case !matched:
		return r.Record, nil
	}
	c, err := t.copies.of(r)
	if err != nil {
		return nil, err
	}
	c.Topic = topic
	return c, nil
}
