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

// InPlaceTransform is a Transform that need not make a copy of every record. Kafka has none: there a transform makes a record each time. Where a worker
// has a record that nobody else knows, as those that it has just made of what it consumed, or that the transform before has made, it calls ApplyInPlace.
type InPlaceTransform interface {
	Transform
	// ApplyInPlace is Apply, but may change r and return it; what r refers to, its value and its headers, is immutable all the same. Where it returns an
	// error, r is as it was: it may be applied again.
	//
	// By having this method a transform promises more of Apply too: a record that either returns is r, or a new one that the transform does not keep, nor
	// has given to anybody else. It does not keep r.
	ApplyInPlace(r *Record) (*Record, error)
}

// Predicate decides whether a transform is applied: Kafka's Predicate.
type Predicate interface {
	Config() *config.Def
	Configure(props config.Props) error
	// Holds must not change r, nor keep it.
	Holds(r *Record) (bool, error)
	Close()
}
