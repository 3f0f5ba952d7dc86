// Package transforms is for the single message transforms of Apache Kafka, under their Java class names, with Kafka's properties, results and
// messages: org.apache.kafka.connect.transforms in Go.
//
// A transform of the key or the value has two classes, Name$Key and Name$Value. An instance belongs to one task; it remembers the schemas it
// has made for the last 16 schemas that came (Kafka's SynchronizedCache), so that a record costs no building of schemas.
package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Prefix is the Java package of the classes.
const Prefix = "org.apache.kafka.connect.transforms."

// Register registers all of them.
func Register(p *connect.Plugins) {
	p = p.WithVersion(connect.Version)
	for name, make := range sided { // into a registry: order does not matter
		p.RegisterTransform(Prefix+name+"$Key", func(h host.Host) connect.Transform { return make(Key, h) })
		p.RegisterTransform(Prefix+name+"$Value", func(h host.Host) connect.Transform { return make(Value, h) })
	}
	for name, make := range whole { // into a registry: order does not matter
		p.RegisterTransform(Prefix+name, func(host.Host) connect.Transform { return make() })
	}
}

// sided are the transforms of the key or the value.
var sided = map[string]func(on Side, h host.Host) connect.Transform{
	"Cast":               func(on Side, _ host.Host) connect.Transform { return &Cast{on: place{Side: on}} },
	"ExtractField":       func(on Side, _ host.Host) connect.Transform { return NewExtractField(on) },
	"Flatten":            func(on Side, _ host.Host) connect.Transform { return &Flatten{on: place{Side: on}} },
	"HeaderFrom":         func(on Side, _ host.Host) connect.Transform { return &HeaderFrom{on: place{Side: on}} },
	"HoistField":         func(on Side, _ host.Host) connect.Transform { return &HoistField{on: place{Side: on}} },
	"InsertField":        func(on Side, _ host.Host) connect.Transform { return NewInsertField(on) },
	"MaskField":          func(on Side, _ host.Host) connect.Transform { return &MaskField{on: place{Side: on}} },
	"ReplaceField":       func(on Side, _ host.Host) connect.Transform { return NewReplaceField(on) },
	"SetSchemaMetadata":  func(on Side, _ host.Host) connect.Transform { return &SetSchemaMetadata{on: place{Side: on}} },
	"TimestampConverter": func(on Side, h host.Host) connect.Transform { return &TimestampConverter{on: place{Side: on}, host: h} },
}

// whole are the transforms of a record.
var whole = map[string]func() connect.Transform{
	"DropHeaders":     func() connect.Transform { return &DropHeaders{} },
	"Filter":          func() connect.Transform { return &Filter{} },
	"InsertHeader":    func() connect.Transform { return &InsertHeader{} },
	"RegexRouter":     func() connect.Transform { return &RegexRouter{} },
	"TimestampRouter": func() connect.Transform { return &TimestampRouter{} },
	"ValueToKey":      func() connect.Transform { return &ValueToKey{} },
}
