package predicates

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
)

// HasHeaderKey holds for records with a header of a name: Kafka's HasHeaderKey.
type HasHeaderKey struct{ name string }

var hasHeaderKeyDef = config.NewDef(config.Key{Name: "name", Type: config.String, Required: true, Validator: config.NonEmpty, Importance: config.Medium,
	Doc: "The name of the header."})

// Config declares the properties.
func (*HasHeaderKey) Config() *config.Def { return hasHeaderKeyDef }

// Close does nothing.
func (*HasHeaderKey) Close() {}

// Configure reads the properties.
func (p *HasHeaderKey) Configure(props config.Props) error {
	v, err := hasHeaderKeyDef.Parse(props)
	p.name = v.String("name")
	return err
}

// Holds looks for the header.
func (p *HasHeaderKey) Holds(r *connect.Record) (bool, error) {
	_, ok := r.Headers.Last(p.name)
	return ok, nil
}
