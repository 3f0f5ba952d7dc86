package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// DropHeaders removes the headers of some names: Kafka's DropHeaders.
type DropHeaders struct {
	names   []string
	copies  copies
	headers data.HeaderSlab
}

var dropHeadersDef = config.NewDef(config.Key{Name: "headers", Type: config.List, Required: true, Validator: config.Distinct(false, false),
	Importance: config.High, Doc: "The names of the headers that are removed."})

// Config declares the properties.
func (*DropHeaders) Config() *config.Def { return dropHeadersDef }

// Close does nothing.
func (*DropHeaders) Close() {}

// Configure reads the properties.
func (d *DropHeaders) Configure(props config.Props) error {
	v, err := dropHeadersDef.Parse(props)
	d.names = v.List("headers")
	return err
}

// Apply removes the headers.
func (d *DropHeaders) Apply(r *connect.Record) (*connect.Record, error) {
	return d.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (d *DropHeaders) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return d.apply(input{r, true})
}

func (d *DropHeaders) apply(r input) (*connect.Record, error) {
	left := d.headers.Without(r.Headers, d.names)
	if left == r.Headers {
		return r.Record, nil
	}
	c, err := d.copies.of(r)
	if err != nil {
		return nil, err
	}
	c.Headers = left
	return c, nil
}
