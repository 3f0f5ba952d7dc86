package connect

import (
	"github.com/kstreamlab/kstreamlab/connect/config"
)

// Transform changes one record at a time: Kafka's Transformation.
type Transform interface {
	// Config declares the properties. It is called without Configure too.
	Config() *config.Def
	// Configure is called once, before Apply. An error, mostly a ConfigException, refuses the connector's configuration.
	Configure(props config.Props) error
	// Apply returns the changed record, r itself when there is nothing to change, or nil to drop it. r must not be changed: see Record.Copy.
	Apply(r *Record) (*Record, error)
	// Close is called once at the end, also after a failed Configure.
	Close()
}

// Predicate decides whether a transform is applied: Kafka's Predicate.
type Predicate interface {
	Config() *config.Def
	Configure(props config.Props) error
	Holds(r *Record) (bool, error)
	Close()
}
