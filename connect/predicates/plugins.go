// Package predicates is for the predicates of Apache Kafka, which decide to which records a transform is applied: their Java classes are those
// of org.apache.kafka.connect.transforms.predicates.
package predicates

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Prefix is the Java package of the classes.
const Prefix = "org.apache.kafka.connect.transforms.predicates."

// Register registers all of them.
func Register(p *connect.Plugins) {
	p = p.WithVersion(connect.Version)
	p.RegisterPredicate(Prefix+"HasHeaderKey", func(host.Host) connect.Predicate { return &HasHeaderKey{} })
	p.RegisterPredicate(Prefix+"RecordIsTombstone", func(host.Host) connect.Predicate { return RecordIsTombstone{} })
	p.RegisterPredicate(Prefix+"TopicNameMatches", func(host.Host) connect.Predicate { return &TopicNameMatches{} })
}
