package debezium

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// EventRouter makes events of the rows that are inserted into an outbox table: Debezium's outbox pattern. The columns give topic, key, id,
// payload, and further headers or fields.
type EventRouter struct {
	host        host.Host // for the log; may be nil
	behaviour   string    // for updates
	id, key     string
	payload     string
	timestamp   string // empty: the time of the change
	version     string // empty: none
	routeBy     string
	tombstone   bool
	additional  []additionalField
	mustHave    bool
	headersOnly bool
	expand      *payloadExpander // nil: not wanted
	after       *transforms.ExtractField
	router      transforms.RegexRouter
	values      valueSchemas
}

const (
	tableGroup   = "Table"
	routerGroup  = "Router"
	tracingGroup = "Tracing"
)

var eventRouterDef = func() *config.Def {
	key := func(name string, t config.Type, def any, i config.Importance, group string, order int, doc string) config.Key {
		return config.Key{Name: name, Type: t, Default: def, Importance: i, Group: group, Order: order, Width: config.WidthMedium, Doc: doc}
	}
	return config.NewDef(
		key("table.field.event.id", config.String, "id", config.Low, tableGroup, 1, "The column with the event's id, which becomes the header id."),
		key("table.field.event.key", config.String, "aggregateid", config.Low, tableGroup, 2, "The column with the event's key."),
		key("table.field.event.type", config.String, "type", config.Low, tableGroup, 3, "The column with the event's type."),
		key("table.field.event.payload", config.String, "payload", config.Low, tableGroup, 4, "The column with the payload."),
		key("table.field.event.timestamp", config.String, nil, config.Medium, tableGroup, 5, "The column with the record's timestamp; the time of the change where it is not set."),
		key("table.fields.additional.placement", config.List, nil, config.High, tableGroup, 6, "Further columns, as column:header, column:envelope or column:partition, with an alias after another colon."),
		key("table.fields.additional.error.on.missing", config.Boolean, true, config.Medium, tableGroup, 7, "Whether a column of those that is not there is an error."),
		key("table.field.event.schema.version", config.String, nil, config.Low, tableGroup, 8, "The column with the version of the value's schema."),
		key("table.op.invalid.behavior", config.String, "warn", config.Medium, tableGroup, 9, "What happens with an update: warn, error (both drop it), or fatal."),
		key("table.expand.json.payload", config.Boolean, false, config.Medium, tableGroup, 10, "Whether a payload that is JSON becomes a struct."),
		key("table.json.payload.null.behavior", config.String, "ignore", config.Medium, tableGroup, 11, "What becomes of a null in JSON: ignore, or optional_bytes."),
		key("route.by.field", config.String, "aggregatetype", config.High, routerGroup, 1, "The column that decides on the topic."),
		key("route.topic.regex", config.String, "(?<routedByValue>.*)", config.Low, routerGroup, 2, "A regular expression of that column's value, in Java's syntax."),
		key("route.topic.replacement", config.String, "outbox.event.${routedByValue}", config.High, routerGroup, 3, "The topic; ${routedByValue} is the value."),
		key("route.tombstone.on.empty.payload", config.Boolean, false, config.High, routerGroup, 4, "Whether an empty payload makes a tombstone."),
		key("tracing.span.context.field", config.String, "tracingspancontext", config.Low, tracingGroup, 1, "Accepted for compatibility; there is no tracing."),
		key("tracing.operation.name", config.String, "transaction-log-read", config.Low, tracingGroup, 2, "Accepted for compatibility; there is no tracing."),
		key("tracing.with.context.field.only", config.Boolean, false, config.Low, tracingGroup, 3, "Accepted for compatibility; there is no tracing."))
}()

var eventRouterRules = []rule{
	{"table.fields.additional.placement", placements}, {"table.fields.additional.error.on.missing", boolean},
	{"route.topic.regex", regex}, {"route.tombstone.on.empty.payload", boolean},
	{"table.op.invalid.behavior", oneOf("warn", "error", "fatal")}, {"table.expand.json.payload", boolean},
	{"table.json.payload.null.behavior", oneOf("ignore", "optional_bytes")},
}

// inHashOrder brings rules into the order in which Debezium's hash map of all its properties has them: the first fault is told.
func inHashOrder(rules []rule) (out []rule) {
	var names []string
	for _, k := range eventRouterDef.Keys() {
		if k.Group != tracingGroup {
			names = append(names, k.Name)
		}
	}
	for _, name := range javastring.HashOrder(names) {
		for _, r := range rules {
			if r.name == name {
				out = append(out, r)
			}
		}
	}
	return out
}

// Config declares the properties.
func (*EventRouter) Config() *config.Def { return eventRouterDef }

// Close does nothing.
func (*EventRouter) Close() {}

// Configure reads the properties.
func (t *EventRouter) Configure(props config.Props) error {
	s := settings{eventRouterDef, props}
	if name, problem := s.firstFault(inHashOrder(eventRouterRules)); name != "" {
		v, _ := s.text(name)
		return config.Invalid(name, v, "The '"+name+"' value is invalid: "+problem)
	}
	t.behaviour = lower(s.or("table.op.invalid.behavior"))
	t.id, t.key, t.payload = s.or("table.field.event.id"), s.or("table.field.event.key"), s.or("table.field.event.payload")
	t.timestamp, t.version, t.routeBy = s.or("table.field.event.timestamp"), s.or("table.field.event.schema.version"), s.or("route.by.field")
	t.tombstone, t.mustHave = s.bool("route.tombstone.on.empty.payload"), s.bool("table.fields.additional.error.on.missing")
	if s.bool("table.expand.json.payload") {
		t.expand = &payloadExpander{keepNull: lower(s.or("table.json.payload.null.behavior")) == "optional_bytes",
			names: adjusterOf(s.or("field.name.adjustment.mode"), true)}
	}
	t.additional = parsePlacements(s)
	t.headersOnly = true
	for _, f := range t.additional {
		t.headersOnly = t.headersOnly && f.placement != "envelope"
	}
	t.after = extract("after")
	return t.router.Configure(config.Props{"regex": s.or("route.topic.regex"), "replacement": s.or("route.topic.replacement")})
}

func (t *EventRouter) warn(message string, args ...any) {
	if t.host != nil && t.host.Log() != nil {
		t.host.Log().Warn(message, args...)
	}
}

// Apply makes the event.
func (t *EventRouter) Apply(r *connect.Record) (*connect.Record, error) {
	switch {
	case r.Value == nil:
		return nil, nil
	case !envelope(r):
		return r, nil
	}
	change, err := asStruct(r.Value, "Detect Debezium Operation")
	if err != nil {
		return nil, err
	}
	op, ok, err := text(change, "op")
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, data.NullPointerException.Errorf("the operation is null")
	case op == "d":
		return nil, nil
	case op == "u" && t.behaviour == "fatal":
		return nil, data.IllegalStateException.Errorf("Unexpected update message received %s, fail.", data.Text(r.Key))
	case op == "u":
		t.warn("an update of the outbox table is dropped", "topic", r.Topic)
		return nil, nil
	}
	after, err := t.after.Apply(r)
	if err != nil {
		return nil, err
	}
	row, err := asStruct(after.Value, "Read Outbox Event")
	if err != nil {
		return nil, err
	}
	e := event{EventRouter: t, change: change, row: row, schema: after.ValueSchema}
	out, err := e.record(r)
	if err != nil {
		return nil, err
	}
	return t.router.ApplyInPlace(out)
}

// ApplyInPlace is Apply: it makes a record anyway.
func (t *EventRouter) ApplyInPlace(r *connect.Record) (*connect.Record, error) { return t.Apply(r) }
