package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// InsertHeader adds a header of a fixed value, which is read as SimpleHeaderConverter reads it: Kafka's InsertHeader.
type InsertHeader struct {
	header  data.Header
	copies  copies
	headers data.HeaderSlab
}

var insertHeaderDef = config.NewDef(
	config.Key{Name: "header", Type: config.String, Required: true, Validator: config.NonNull, Importance: config.High, Doc: "The name of the header."},
	config.Key{Name: "value.literal", Type: config.String, Required: true, Validator: config.NonNull, Importance: config.High,
		Doc: "The value of the header, as a text: a number, true or false, a list, a map, a string."})

// Config declares the properties.
func (*InsertHeader) Config() *config.Def { return insertHeaderDef }

// Close does nothing.
func (*InsertHeader) Close() {}

// Configure reads the properties.
func (t *InsertHeader) Configure(props config.Props) error {
	v, err := insertHeaderDef.Parse(props)
	if err != nil {
		return err
	}
	literal, _ := data.ParseString(v.String("value.literal")) // the text null has no value: a null without a schema
	t.header = data.Header{Key: v.String("header"), Schema: literal.Schema, Value: literal.Value}
	return nil
}

// Apply adds the header.
func (t *InsertHeader) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *InsertHeader) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *InsertHeader) apply(r input) (*connect.Record, error) {
	c, err := t.copies.of(r)
	if err != nil {
		return nil, err
	}
	c.Headers = t.headers.Append(c.Headers, t.header.Key, t.header.Schema, t.header.Value) // it is valid: a literal has the schema that was found for it
	return c, nil
}
