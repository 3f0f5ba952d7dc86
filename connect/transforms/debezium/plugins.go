// Package debezium is for the transforms of Debezium that users run beside Kafka's, under their Java class names: ExtractNewRecordState, which
// makes plain rows of change events, ByLogicalTableRouter, which joins topics of sharded tables, and the outbox EventRouter.
//
// They behave as those of Debezium 3.5, also where its result depends on what came before: a schema that was made for the first of several
// equal schemas is used for all of them.
package debezium

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// The Java classes.
const (
	ExtractNewRecordStateClass = "io.debezium.transforms.ExtractNewRecordState"
	ByLogicalTableRouterClass  = "io.debezium.transforms.ByLogicalTableRouter"
	EventRouterClass           = "io.debezium.transforms.outbox.EventRouter"
)

// Version is what these transforms report.
const Version = "3.5.0.Final"

// Register registers all of them.
func Register(p *connect.Plugins) {
	register := func(class string, make func(h host.Host) any) {
		p.Register(connect.Plugin{Class: class, Kind: connect.KindTransform, Version: Version, New: make})
	}
	register(ExtractNewRecordStateClass, func(host.Host) any { return &ExtractNewRecordState{} })
	register(ByLogicalTableRouterClass, func(host.Host) any { return &ByLogicalTableRouter{} })
	register(EventRouterClass, func(h host.Host) any { return &EventRouter{host: h} })
}

// envelope says whether the value is a change event, by the name of its schema.
func envelope(r *connect.Record) bool {
	return r.ValueSchema != nil && strings.HasSuffix(r.ValueSchema.Name(), ".Envelope")
}

// asStruct is v as a struct; purpose is for the message.
func asStruct(v any, purpose string) (*data.Struct, error) {
	if st, ok := v.(*data.Struct); ok {
		return st, nil
	}
	return nil, data.DataException.Errorf("Only Struct objects supported for [%s], found: %s", purpose, data.ClassOf(v))
}

// newRecord is a copy with another topic, key and value: Kafka's newRecord, which cannot make a sink record without a partition.
func newRecord(r *connect.Record) (*connect.Record, error) {
	if r.Sink != nil && r.Partition == connect.NoPartition {
		return nil, data.NullPointerException.Errorf("the partition of a sink record is null")
	}
	return r.Copy(), nil
}

// extract makes an ExtractField of the value.
func extract(field string) *transforms.ExtractField {
	t := transforms.NewExtractField(transforms.Value)
	if err := t.Configure(config.Props{"field": field}); err != nil {
		panic(err) // a name of ours
	}
	return t
}

// text is a string field of a struct, as Struct.getString; ok is false for null.
func text(st *data.Struct, name string) (s string, ok bool, err error) {
	v, err := st.GetTyped(name, data.String)
	if err != nil {
		return "", false, err
	}
	s, ok = v.(string)
	if !ok && v != nil {
		return "", false, data.ClassCastException.Errorf("class %s cannot be cast to class java.lang.String", data.ClassOf(v))
	}
	return s, ok, nil
}
