// Package mavenversion is for versions of plugins as Kafka orders and restricts them (KIP-891): Maven's DefaultArtifactVersion and VersionRange, and
// the reading of plugin.version properties in Kafka's PluginUtils.connectorVersionRequirement.
package mavenversion
