package registry

import (
	"fmt"
	"strings"
)

// Named is what a subject name strategy must know of a record.
type Named struct {
	Topic string
	Key   bool
	// Record is the full name of the record's schema; empty: it is no record, or has no name.
	Record string
}

// UsesRecord tells whether the strategy for keys or values needs the name of the record.
func (c *Config) UsesRecord(key bool) bool {
	s := c.strategy(key)
	return s == RecordNameStrategy || s == TopicRecordNameStrategy
}

func (c *Config) strategy(key bool) string {
	if key {
		return c.text("key.subject.name.strategy")
	}
	return c.text("value.subject.name.strategy")
}

// Subject is the subject of a record's schema: Confluent's SubjectNameStrategy.
func (c *Config) Subject(n Named) (string, error) {
	s := c.strategy(n.Key)
	switch s {
	case RecordNameStrategy, TopicRecordNameStrategy:
		if n.Record == "" {
			part := "value"
			if n.Key {
				part = "key"
			}
			//lint:ignore ST1005 Kafka's words
			return "", fmt.Errorf("In configuration %s.subject.name.strategy = %s, the message %[1]s must only be a record schema", part, s)
		}
		if s == RecordNameStrategy {
			return n.Record, nil
		}
		return n.Topic + "-" + n.Record, nil
	}
	if n.Key {
		return n.Topic + "-key", nil
	}
	return n.Topic + "-value", nil
}

// ReferenceSubject is the subject of a file that a Protobuf schema imports: Confluent's ReferenceSubjectNameStrategy.
func (c *Config) ReferenceSubject(file string) string {
	if c.text("reference.subject.name.strategy") == QualifiedReferenceStrategy {
		return strings.ReplaceAll(strings.TrimSuffix(file, ".proto"), "/", ".")
	}
	return file
}
