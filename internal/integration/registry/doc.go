// Package registry is for tests that need a real Schema Registry, started by .ci/kafka/schema-registry, and Confluent's own serializers for
// Python beside ours. They carry the build tag integration.
package registry
