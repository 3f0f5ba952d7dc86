// Package converters is for the simple converters of Kafka Connect: strings, bytes, booleans, numbers, and headers as text. JSON and the
// converters with a schema registry are packages of their own.
package converters

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// The Java classes.
const (
	StringClass       = "org.apache.kafka.connect.storage.StringConverter"
	SimpleHeaderClass = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
	ByteArrayClass    = "org.apache.kafka.connect.converters.ByteArrayConverter"
	BooleanClass      = "org.apache.kafka.connect.converters.BooleanConverter"
	ShortClass        = "org.apache.kafka.connect.converters.ShortConverter"
	IntegerClass      = "org.apache.kafka.connect.converters.IntegerConverter"
	LongClass         = "org.apache.kafka.connect.converters.LongConverter"
	FloatClass        = "org.apache.kafka.connect.converters.FloatConverter"
	DoubleClass       = "org.apache.kafka.connect.converters.DoubleConverter"
)

// Register registers the converters.
func Register(p *connect.Plugins) {
	p = p.WithVersion(connect.Version)
	p.RegisterConverter(StringClass, func(host.Host) connect.Converter { return &String{} })
	p.RegisterConverter(ByteArrayClass, func(host.Host) connect.Converter { return &ByteArray{} })
	p.RegisterConverter(BooleanClass, func(host.Host) connect.Converter { return &Boolean{} })
	for class, n := range numbers { // each by itself: the order does not matter
		p.RegisterConverter(class, func(host.Host) connect.Converter { return n })
	}
	p.RegisterHeaderConverter(SimpleHeaderClass, func(host.Host) connect.HeaderConverter { return SimpleHeader{} })
}

// typeKey is the property that says what a converter is used for. The worker sets it.
var typeKey = config.Key{Name: "converter.type", Type: config.String, Required: true, Validator: config.In("key", "value", "header"),
	Importance: config.Low, Doc: "How this converter will be used."}

var typeDef = config.NewDef(typeKey)

// withType are props with the type filled in: key or value.
func withType(props config.Props, key bool) config.Props {
	all := config.Props{}
	for k, v := range props { // into a map: order does not matter
		all[k] = v
	}
	all[typeKey.Name] = "value"
	if key {
		all[typeKey.Name] = "key"
	}
	return all
}

// forHeaders are props with the type filled in where it is absent.
func forHeaders(props config.Props) config.Props {
	if _, ok := props[typeKey.Name]; ok {
		return props
	}
	all := withType(props, false)
	all[typeKey.Name] = "header"
	return all
}
