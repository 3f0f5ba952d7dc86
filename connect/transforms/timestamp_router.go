package transforms

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/simpledate"
)

// TimestampRouter makes the topic of the topic and the timestamp: Kafka's TimestampRouter.
type TimestampRouter struct {
	format  string
	pattern string
	layout  *simpledate.Layout
	copies  copies
}

var timestampRouterDef = config.NewDef(
	config.Key{Name: "topic.format", Type: config.String, Default: "${topic}-${timestamp}", Importance: config.High,
		Doc: "The new topic, in which ${topic} and ${timestamp} are replaced."},
	config.Key{Name: "timestamp.format", Type: config.String, Default: "yyyyMMdd", Importance: config.High,
		Doc: "The form of the timestamp, as Java's SimpleDateFormat has it, in UTC."})

// Config declares the properties.
func (*TimestampRouter) Config() *config.Def { return timestampRouterDef }

// Close does nothing.
func (*TimestampRouter) Close() {}

// Configure reads the properties. A pattern that is wrong is found by Apply only, as in Kafka.
func (t *TimestampRouter) Configure(props config.Props) error {
	v, err := timestampRouterDef.Parse(props)
	t.format, t.pattern = v.String("topic.format"), v.String("timestamp.format")
	return err
}

// Apply makes the topic.
func (t *TimestampRouter) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *TimestampRouter) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *TimestampRouter) apply(r input) (*connect.Record, error) {
	if r.Timestamp == connect.NoTimestamp {
		return nil, data.DataException.Errorf("Timestamp missing on record: %s", r)
	}
	if t.layout == nil {
		l, err := simpledate.Compile(t.pattern)
		if err != nil {
			return nil, data.IllegalArgumentException.Errorf("%s", err)
		}
		t.layout = l
	}
	var buf [40]byte
	topic := strings.ReplaceAll(t.format, "${topic}", r.Topic)
	c, err := t.copies.of(r)
	if err != nil {
		return nil, err
	}
	c.Topic = strings.ReplaceAll(topic, "${timestamp}", string(t.layout.Append(buf[:0], r.Timestamp)))
	return c, nil
}
