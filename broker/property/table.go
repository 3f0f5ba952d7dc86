package property

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	maxInt  = math.MaxInt32
	maxLong = math.MaxInt64
)

// Which clients have a property.
var (
	all       = []string{"consumer", "producer", "admin"}
	consumer  = []string{"consumer"}
	producer  = []string{"producer"}
	consumers = []string{"consumer", "admin"}
	clients   = []string{"consumer", "producer"}
)

// Why properties have no effect.
const (
	engineOwns  = "the engine decides it"
	jvmOnly     = "it names a Java class, or is for the JVM"
	noMetrics   = "clients report no metrics of their own"
	noKerberos  = "GSSAPI (Kerberos) is not supported"
	seedsRemain = "the bootstrap servers are always asked again when no known broker answers"
	portNames   = "records are handed over with their partition"
)

// rows is the table, sorted by name. Names, types, defaults and bounds are those of Apache Kafka 4.2, but where Doc says otherwise.
var rows = sorted(slices.Concat(common, consuming, producing, ssl, sasl, inert))

var common = []Property{
	text("bootstrap.servers", "", all, "brokers to begin with, host:port, separated by commas").of(List).checked(checkAddresses),
	choice("client.dns.lookup", "use_all_dns_ips", all, "how bootstrap names are looked up: all their addresses are tried", "use_all_dns_ips"),
	text("client.id", "", all, "the name that brokers log and apply quotas to; an engine adds which client it is"),
	number("connections.max.idle.ms", Long, "540000", 1000, maxLong, all, "milliseconds after which an idle connection is closed"),
	number("default.api.timeout.ms", Int, "60000", 0, maxInt, consumers, "milliseconds that a request and its repetitions may take"),
	number("metadata.max.age.ms", Long, "300000", 0, maxLong, all, "milliseconds after which topics are looked up again; at least 1000 count"),
	number("receive.buffer.bytes", Int, "-1", -1, maxInt, all, "bytes of a connection's receive buffer (SO_RCVBUF); -1, the default here: the system's, which grows by itself"),
	number("reconnect.backoff.max.ms", Long, "1000", 0, maxLong, all, "milliseconds of the longest pause before a broker that did not answer is connected to again"),
	number("reconnect.backoff.ms", Long, "50", 0, maxLong, all, "milliseconds of the first such pause; it doubles"),
	number("request.timeout.ms", Int, "30000", 0, maxInt, all, "milliseconds that a broker may take to answer, 100 to 900000 count; a produce request may take twice as long, at the broker and on the way"),
	number("retries", Int, "2147483647", 0, maxInt, []string{"producer", "admin"}, "how often a record, or a request, is tried again; delivery.timeout.ms and default.api.timeout.ms end it sooner"),
	number("retry.backoff.max.ms", Long, "1000", 0, maxLong, all, "milliseconds of the longest pause between two attempts"),
	number("retry.backoff.ms", Long, "100", 0, maxLong, all, "milliseconds of the first pause between two attempts; it doubles"),
	choice("security.protocol", "PLAINTEXT", all, "how brokers are spoken to", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
	number("send.buffer.bytes", Int, "-1", -1, maxInt, all, "bytes of a connection's send buffer (SO_SNDBUF); -1, the default here: the system's"),
	number("socket.connection.setup.timeout.max.ms", Long, "30000", 1, maxLong, all, "milliseconds that connecting may take at most after failures"),
	number("socket.connection.setup.timeout.ms", Long, "10000", 1, maxLong, all, "milliseconds that connecting may take; doubles with each failure"),
}

var consuming = []Property{
	boolean("allow.auto.create.topics", "false", consumer, "whether looking at a topic may make the broker create it; false, unlike Kafka's plain consumer and like Kafka Streams"),
	choice("auto.offset.reset", "none", consumer, "where a partition starts that has no position; none for a plain consumer here, earliest for an application", "earliest", "latest", "none"),
	boolean("check.crcs", "true", consumer, "whether the checksums of what is fetched are looked at"),
	text("client.rack", "", consumer, "where this client is: fetches go to a replica there"),
	number("fetch.max.bytes", Int, "52428800", 1, maxInt, consumer, "bytes that a fetch may return"),
	number("fetch.max.wait.ms", Int, "500", 0, maxInt, consumer, "milliseconds that a broker may hold a fetch that has nothing to return; at least 10 count"),
	number("fetch.min.bytes", Int, "1", 0, maxInt, consumer, "bytes that a broker waits for before it answers a fetch"),
	text("group.instance.id", "", consumer, "makes members static: they come back to what they had"),
	choice("group.protocol", "classic", consumer, "who assigns partitions: classic, a member", "classic"),
	number("heartbeat.interval.ms", Int, "3000", 1, maxInt, consumer, "milliseconds between heartbeats to the group"),
	choice("isolation.level", "read_uncommitted", consumer, "whether records of open and aborted transactions are read; with exactly_once_v2 always read_committed", "read_uncommitted", "read_committed"),
	number("max.partition.fetch.bytes", Int, "1048576", 1, maxInt, consumer, "bytes that a fetch may return for one partition"),
	number("max.poll.interval.ms", Int, "300000", 1, maxInt, consumer, "milliseconds that a member may work between two polls"),
	number("max.poll.records", Int, "500", 1, maxInt, consumer, "records of one poll; an application's default is 1000"),
	number("session.timeout.ms", Int, "45000", 1, maxInt, consumer, "milliseconds without a heartbeat after which the group expels a member"),
}

var producing = []Property{
	choice("acks", "all", producer, "who must have a record before it counts as written: all in-sync replicas, the leader (1), nobody (0); less than all gives idempotence up", "all", "-1", "1", "0"),
	number("batch.size", Int, "16384", 0, maxInt, producer, "bytes that a producer's batch may wait for; what has gathered behind a request that is under way may be more"),
	number("buffer.memory", Long, "33554432", 1, maxLong, producer, "bytes that a producer holds before it makes its caller wait"),
	number("compression.gzip.level", Int, "-1", -1, 9, producer, "1 fast to 9 small; -1: the usual").checked(func(v string) string {
		if v == "0" {
			return "1 to 9, or -1, is expected"
		}
		return ""
	}),
	number("compression.lz4.level", Int, "9", 1, 17, producer, "1 fast to 17 small"),
	choice("compression.type", "none", producer, "how batches are compressed", "none", "gzip", "snappy", "lz4", "zstd"),
	number("compression.zstd.level", Int, "3", -131072, 22, producer, "fast to small"),
	number("delivery.timeout.ms", Int, "120000", 0, maxInt, producer, "milliseconds that a record may take to be acknowledged; raised to linger.ms + request.timeout.ms where it is not given"),
	boolean("enable.idempotence", "true", producer, "whether records are written once and in order whatever is repeated; false in a transactional producer is not possible"),
	number("linger.ms", Long, "0", 0, maxInt, producer, "milliseconds that a batch that is not full may wait; 0 for a plain producer here (Kafka: 5), 5 for an application"),
	number("max.block.ms", Long, "60000", 0, maxLong, producer, "milliseconds that a caller is made to wait while buffer.memory is full"),
	number("max.in.flight.requests.per.connection", Int, "5", 1, maxInt, producer, "produce requests under way to a broker; without idempotence, more than 1 may change the order. An idempotent producer always has 5"),
	number("max.request.size", Int, "1048576", 512, 1<<30, producer, "bytes of the largest record or batch"),
	number("transaction.timeout.ms", Int, "60000", 1, maxInt, producer, "milliseconds after which the broker aborts an open transaction; an application's default is 10000"),
}

var ssl = []Property{
	text("ssl.cipher.suites", "", all, "names of the allowed cipher suites up to TLS 1.2; those of TLS 1.3 are not configurable").of(List).checked(checkSuites),
	text("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", all, "allowed versions").of(List).checked(checkVersions),
	text("ssl.endpoint.identification.algorithm", "https", all, "https: the broker's certificate must be for the name that was connected to; empty: for any name").checked(func(v string) string {
		if v == "" || strings.EqualFold(v, "https") {
			return ""
		}
		return "https, or nothing, is expected"
	}),
	text("ssl.key.password", "", all, "password of the private key in the key store").of(Password),
	text("ssl.keystore.certificate.chain", "", all, "the client's certificates in PEM").of(Password),
	text("ssl.keystore.key", "", all, "the client's private key in PEM (PKCS#8)").of(Password),
	text("ssl.keystore.location", "", all, "file with the client's private key and certificates"),
	text("ssl.keystore.password", "", all, "password of that file").of(Password),
	choice("ssl.keystore.type", "JKS", all, "its format; JKS means JKS or PKCS12, as in Java", "JKS", "PKCS12", "PEM"),
	choice("ssl.protocol", "TLSv1.3", all, "the highest version to be used", "TLSv1.3", "TLSv1.2", "TLS"),
	text("ssl.truststore.certificates", "", all, "trusted certificates in PEM").of(Password),
	text("ssl.truststore.location", "", all, "file with trusted certificates; none: those of the system"),
	text("ssl.truststore.password", "", all, "password of that file").of(Password),
	choice("ssl.truststore.type", "JKS", all, "its format; JKS means JKS or PKCS12, as in Java", "JKS", "PKCS12", "PEM"),
}

// oauthHandlers are the callback handlers whose work is done here.
var oauthHandlers = []string{"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
	"org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
	"org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler"}

var sasl = []Property{
	text("sasl.jaas.config", "", all, `the login: MODULE required NAME="VALUE" ...;`).of(Password).checked(func(v string) string {
		if v == "" {
			return ""
		}
		if _, err := ParseJAAS(v); err != nil {
			return err.Error()
		}
		return ""
	}),
	number("sasl.login.connect.timeout.ms", Int, "10000", 0, maxInt, all, "OAUTHBEARER: milliseconds that connecting to the token endpoint may take"),
	choice("sasl.login.callback.handler.class", "", all, "OAUTHBEARER: where tokens come from; not needed", append([]string{""}, oauthHandlers...)...).of(Class),
	number("sasl.login.read.timeout.ms", Int, "10000", 0, maxInt, all, "OAUTHBEARER: milliseconds that the token endpoint may take to answer"),
	number("sasl.login.refresh.buffer.seconds", Int, "300", 0, 3600, all, "OAUTHBEARER: seconds before the end of its life at which a token is used no more"),
	number("sasl.login.retry.backoff.max.ms", Long, "10000", 1, maxLong, all, "OAUTHBEARER: milliseconds of the longest pause between two attempts to get a token"),
	number("sasl.login.retry.backoff.ms", Long, "100", 1, maxLong, all, "OAUTHBEARER: milliseconds of the first such pause"),
	text("sasl.mechanism", "GSSAPI", all, "how to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; Kafka's default, GSSAPI, is not supported"),
	text("sasl.oauthbearer.client.credentials.client.id", "", all, "OAUTHBEARER: the client's id, in place of the login's option clientId"),
	text("sasl.oauthbearer.client.credentials.client.secret", "", all, "OAUTHBEARER: its secret, in place of the option clientSecret").of(Password),
	boolean("sasl.oauthbearer.header.urlencode", "false", all, "OAUTHBEARER: whether id and secret are URL-encoded in the Authorization header"),
	text("sasl.oauthbearer.scope", "", all, "OAUTHBEARER: the scope to ask for, in place of the option scope"),
	text("sasl.oauthbearer.token.endpoint.url", "", all, "OAUTHBEARER: where tokens come from: an http or https URL (client credentials), or file:///PATH of a file that holds one").checked(checkTokenURL),
}

var inert = slices.Concat(
	without(engineOwns, consumer, "auto.commit.interval.ms", "enable.auto.commit", "exclude.internal.topics", "group.id", "group.remote.assignor", "partition.assignment.strategy", "share.acknowledgement.mode", "share.acquire.mode"),
	without(engineOwns, producer, "transaction.two.phase.commit.enable", "transactional.id", "metadata.max.idle.ms"),
	without(portNames, producer, "partitioner.adaptive.partitioning.enable", "partitioner.availability.timeout.ms", "partitioner.class", "partitioner.ignore.keys"),
	without(jvmOnly, consumer, "key.deserializer", "value.deserializer"),
	without(jvmOnly, producer, "key.serializer", "value.serializer"),
	without(jvmOnly, clients, "interceptor.classes"),
	without(jvmOnly, all, "config.providers", "sasl.client.callback.handler.class", "sasl.login.class", "security.providers", "ssl.engine.factory.class", "ssl.keymanager.algorithm", "ssl.provider",
		"ssl.secure.random.implementation", "ssl.trustmanager.algorithm"),
	without(noMetrics, all, "auto.include.jmx.reporter", "enable.metrics.push", "metric.reporters", "metrics.num.samples", "metrics.recording.level", "metrics.sample.window.ms"),
	without(noKerberos, all, "sasl.kerberos.kinit.cmd", "sasl.kerberos.min.time.before.relogin", "sasl.kerberos.service.name", "sasl.kerberos.ticket.renew.jitter", "sasl.kerberos.ticket.renew.window.factor"),
	without(seedsRemain, all, "bootstrap.controllers", "metadata.recovery.rebootstrap.trigger.ms", "metadata.recovery.strategy"),
	without("a token is fetched again when a connection needs one", all, "sasl.login.refresh.min.period.seconds", "sasl.login.refresh.window.factor", "sasl.login.refresh.window.jitter"),
	without("tokens are looked at by the broker", all, "sasl.oauthbearer.clock.skew.seconds", "sasl.oauthbearer.expected.audience", "sasl.oauthbearer.expected.issuer", "sasl.oauthbearer.jwks.endpoint.refresh.ms",
		"sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "sasl.oauthbearer.jwks.endpoint.url", "sasl.oauthbearer.scope.claim.name", "sasl.oauthbearer.sub.claim.name"),
)

func text(name, dflt string, clients []string, doc string) Property {
	return Property{Name: name, Type: String, Default: dflt, Clients: clients, Doc: doc}
}

func choice(name, dflt string, clients []string, doc string, oneOf ...string) Property {
	return Property{Name: name, Type: String, Default: dflt, OneOf: oneOf, Clients: clients, Doc: doc}
}

func boolean(name, dflt string, clients []string, doc string) Property {
	return Property{Name: name, Type: Boolean, Default: dflt, Clients: clients, Doc: doc}
}

func number(name string, t Type, dflt string, least, most int64, clients []string, doc string) Property {
	p := Property{Name: name, Type: t, Default: dflt, Least: &least, Clients: clients, Doc: doc}
	if most != maxInt && most != maxLong {
		p.Most = &most
	}
	return p
}

func without(why string, clients []string, names ...string) (out []Property) {
	for _, name := range names {
		out = append(out, Property{Name: name, Type: String, Clients: clients, Inert: why, Doc: "without effect: " + why})
	}
	return out
}

func (p Property) of(t Type) Property { p.Type = t; return p }

func (p Property) checked(f func(string) string) Property { p.check = f; return p }

func sorted(ps []Property) []Property {
	slices.SortFunc(ps, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return ps
}

// Parts are the parts of a list, without space around them and without empty ones.
func Parts(list string) (out []string) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func checkAddresses(value string) string {
	parts := Parts(value)
	for _, part := range parts {
		i := strings.LastIndexByte(part, ':')
		if i <= 0 {
			return "host:port, separated by commas, is expected"
		}
		if n, err := strconv.ParseUint(part[i+1:], 10, 16); err != nil || n == 0 {
			return "a port from 1 to 65535 is expected after " + part[:i+1]
		}
	}
	if len(parts) == 0 {
		return "host:port, separated by commas, is expected"
	}
	return ""
}

func checkTokenURL(value string) string {
	for _, scheme := range []string{"http://", "https://", "file:"} {
		if strings.HasPrefix(value, scheme) {
			return ""
		}
	}
	return "an http, https or file URL is expected"
}
