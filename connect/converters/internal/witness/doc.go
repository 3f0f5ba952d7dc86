// Package witness is for what Confluent's own converters do: testdata holds values that they have written and read, and the test holds ours to it,
// schemas and bytes alike.
//
// Confluent does not publish its jars to Maven Central. To write testdata anew, take https://github.com/confluentinc/schema-registry (it was revision
// 794611bd, version 8.5.0), fetch the jars of testdata/pom.xml with mvn dependency:copy-dependencies, compile src/main/java of client, schema-*,
// avro-*, json-*, protobuf-* and kafka-connect-schema-backup-* with testdata/Witness.java (in SchemaId the package of ByteUtils is utils, without
// internals, in Kafka 4.2), copy json-schema-provider/src/main/resources beside the classes, and run
//
//	go test ./connect/converters/internal/witness -java CLASSPATH -cases 60
//
// More cases with other seeds find what these do not: there were 20000 random values without a difference.
package witness
