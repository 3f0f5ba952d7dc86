// Package conformance is for the question whether the engine does what Apache Kafka does: it runs cases recorded from Kafka Streams 4.2
// on a JVM, and compares what comes out byte by byte.
//
// A folder of cases has one case a file in cases/<area>/ and one a line in random/*.jsonl.gz; testdata/streams/README.md describes both.
package conformance
