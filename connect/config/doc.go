// Package config is for declaring properties: what a plugin or worker can be configured with, from which parsing, validation (all faults at
// once, in Kafka's words) and help are derived. It is Kafka's ConfigDef in Go.
package config
