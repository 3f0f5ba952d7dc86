// Package clients is for tests that let the clients of others use the development broker, `kstreamlab broker`: the JVM's command line
// tools, Kafka Streams and Kafka Connect, and librdkafka. Its tests carry the build tag integration.
package clients
