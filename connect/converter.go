package connect

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Converter translates between values and bytes: Kafka's Converter.
type Converter interface {
	// Config declares the properties.
	Config() *config.Def
	// Configure is called once, first. The property converter.type may be absent: key decides.
	Configure(props config.Props, key bool) error
	// FromConnect returns the bytes of a value; nil is a null (a tombstone). headers are those of the record that is being produced: a
	// converter may append to them. headers may be nil.
	FromConnect(topic string, headers *[]broker.Header, s *data.Schema, v any) ([]byte, error)
	// ToConnect returns the value of bytes; nil is a null. The value may share memory with b, which is immutable.
	ToConnect(topic string, headers []broker.Header, b []byte) (data.SchemaAndValue, error)
}

// HeaderConverter translates between header values and bytes: Kafka's HeaderConverter.
type HeaderConverter interface {
	Config() *config.Def
	// ConfigureHeaders is called once, first.
	ConfigureHeaders(props config.Props) error
	FromHeader(topic, key string, s *data.Schema, v any) ([]byte, error)
	ToHeader(topic, key string, b []byte) (data.SchemaAndValue, error)
	// Close is called once at the end.
	Close()
}
