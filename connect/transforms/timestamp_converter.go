package transforms

import (
	"math"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
	"github.com/kstreamlab/kstreamlab/connect/internal/simpledate"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// TimestampConverter changes how a time is written: as a text, a Unix time, a Date, a Time or a Timestamp. Kafka's TimestampConverter.
type TimestampConverter struct {
	on      place
	host    host.Host // for the century of years of two digits
	get     reading
	field   any // a string, or nil; "" is the whole
	target  *timeType
	format  *simpledate.Layout // nil: none
	unit    int64              // of Unix times: nanoseconds
	layouts schemas.Cache[*timeLayout]
}

// timeLayout is a layout, and how the time of it is written; at is its place among the moves, or -1.
type timeLayout struct {
	layout
	at   int
	from *timeType
}

var timestampConverterDef = config.NewDef(
	config.Key{Name: "field", Type: config.String, Default: "", Importance: config.High, Doc: "The field with the time; empty: the whole key or value."},
	config.Key{Name: "target.type", Type: config.String, Required: true, Validator: config.In("string", "unix", "Date", "Time", "Timestamp"),
		Importance: config.High, Doc: "How the time is to be written: string, unix, Date, Time or Timestamp."},
	config.Key{Name: "format", Type: config.String, Default: "", Importance: config.Medium,
		Doc: "The form of a string, read or written, as Java's SimpleDateFormat has it, in UTC."},
	config.Key{Name: "unix.precision", Type: config.String, Default: "milliseconds",
		Validator: config.In("nanoseconds", "microseconds", "milliseconds", "seconds"), Importance: config.Low,
		Doc: "The unit of a Unix time, read or written. What is below a millisecond is lost."},
	replaceNull())

// Config declares the properties.
func (*TimestampConverter) Config() *config.Def { return timestampConverterDef }

// Close does nothing.
func (*TimestampConverter) Close() {}

// Configure reads the properties.
func (t *TimestampConverter) Configure(props config.Props) error {
	v, get, err := parse(timestampConverterDef, props)
	if err != nil {
		return err
	}
	t.get, t.field, t.target = get, v["field"], timeTypes[v.String("target.type")]
	t.unit = int64(map[string]time.Duration{"nanoseconds": time.Nanosecond, "microseconds": time.Microsecond,
		"milliseconds": time.Millisecond, "seconds": time.Second}[v.String("unix.precision")])
	pattern := v.String("format")
	if javastring.Blank(pattern) {
		if t.target == stringTime {
			return data.ConfigException.Errorf("TimestampConverter requires format option to be specified when using string timestamps")
		}
		return nil
	}
	if t.format, err = simpledate.Compile(pattern); err != nil {
		return config.Invalid("TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: "+pattern,
			"java.lang.IllegalArgumentException: "+err.Error(), "")
	}
	if t.host != nil {
		t.format = t.format.At(t.host.Now().UnixMilli())
	}
	return nil
}

const timePurpose = "converting timestamp formats"

// Apply converts.
func (t *TimestampConverter) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *TimestampConverter) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *TimestampConverter) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	switch {
	case s == nil:
		return t.withoutSchema(r, v)
	case t.field == "":
		from, err := timeTypeOf(s)
		if err != nil {
			return nil, err
		}
		if v, err = t.convert(v, from); err != nil {
			return nil, err
		}
		return t.on.with(r, t.target.schema(s.Optional()), v)
	}
	st, err := asStructOrNil(v, timePurpose)
	if err != nil {
		return nil, err
	}
	own := s
	if st != nil {
		own = st.Schema()
	}
	l, err := t.layouts.Get(s, own, func() (*timeLayout, error) { return t.layout(s, own) })
	if err != nil {
		return nil, err
	}
	if st == nil {
		return t.on.with(r, l.schema, nil)
	}
	out, err := t.rebuild(l, st)
	if err != nil {
		return nil, err
	}
	return t.on.with(r, l.schema, out)
}

func (t *TimestampConverter) withoutSchema(r input, v any) (*connect.Record, error) {
	if v == nil || t.field == "" {
		v, err := t.convert(v, nil)
		if err != nil {
			return nil, err
		}
		return t.on.with(r, nil, v)
	}
	m, err := asMap(v, timePurpose)
	if err != nil {
		return nil, err
	}
	old, _ := m.Get(t.field)
	made, err := t.convert(old, nil)
	if err != nil {
		return nil, err
	}
	out := m.Copy()
	out.Put(t.field, made)
	return t.on.with(r, nil, out)
}

// rebuild makes the struct of a layout.
func (t *TimestampConverter) rebuild(l *timeLayout, st *data.Struct) (*data.Struct, error) {
	out, straight := l.start(&t.on.structs, st)
	for i := range l.moves {
		m := &l.moves[i]
		if i < straight && m.sure && i != l.at && out.At(i) != nil {
			continue
		}
		v := t.get.field(st, m.from)
		if i == l.at {
			if l.from == nil {
				_, err := timeTypeOf(m.from.Schema)
				return nil, err
			}
			var err error
			if v, err = t.convert(v, l.from); err != nil {
				return nil, err
			}
		}
		if err := m.put(out, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// layout makes the schema for s, and the moves from a struct's own schema.
func (t *TimestampConverter) layout(s, own *data.Schema) (*timeLayout, error) {
	fields, err := fieldsOf(s)
	if err != nil {
		return nil, err
	}
	b := schemas.Basics(s, data.NewStructBuilder())
	for _, f := range fields {
		fs := f.Schema
		if f.Name == t.field {
			fs = t.target.schema(fs.Optional())
		}
		b.Field(f.Name, fs)
	}
	b.SetOptional(s.Optional())
	plain, err := b.Build()
	if err != nil {
		return nil, err
	}
	l, err := t.layoutTo(plain, own)
	if def, ok := s.Default().(*data.Struct); ok && err == nil {
		var converted *data.Struct
		if converted, err = t.convertDefault(plain, s, def); err != nil {
			return nil, err
		}
		if l.schema, err = b.Default(converted).Build(); err != nil {
			return nil, err
		}
	}
	return l, err
}

func (t *TimestampConverter) convertDefault(to, from *data.Schema, def *data.Struct) (*data.Struct, error) {
	l, err := t.layoutTo(to, from)
	if err != nil {
		return nil, err
	}
	return t.rebuild(l, def)
}

func (t *TimestampConverter) layoutTo(to, own *data.Schema) (*timeLayout, error) {
	l := &timeLayout{layout: layout{schema: to}, at: -1}
	var err error
	if l.moves, err = moves(own, to); err != nil {
		return nil, err
	}
	for i, m := range l.moves {
		if m.from.Name == t.field {
			l.at = i
			l.from, _ = timeTypeOf(m.from.Schema) // rebuild tells the error, record by record as Kafka does
		}
	}
	return l, nil
}

// convert converts one value; from is nil where there is no schema to tell how it is written.
func (t *TimestampConverter) convert(v any, from *timeType) (any, error) {
	if v == nil {
		return nil, nil
	}
	if from == nil {
		switch v.(type) {
		case time.Time:
			from = timeTypes["Timestamp"]
		case int64:
			from = unixTime
		case string:
			from = stringTime
		default:
			return nil, data.DataException.Errorf("TimestampConverter does not support class %s objects as timestamps", data.ClassOf(v))
		}
	}
	ms, err := from.read(t, v)
	if err != nil {
		return nil, err
	}
	return t.target.write(t, ms), nil
}

// saturated is a product, or the bound that it is beyond: Java's TimeUnit.
func saturated(n, factor int64) int64 {
	switch {
	case n > math.MaxInt64/factor:
		return math.MaxInt64
	case n < math.MinInt64/factor:
		return math.MinInt64
	}
	return n * factor
}
