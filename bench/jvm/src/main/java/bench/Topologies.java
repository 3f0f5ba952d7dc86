package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.KeyValueStore;

/** The workloads: see README.md. */
final class Topologies {
    /** What reaches the last step (before an aggregation's cache): the progress that the programs report. */
    static final AtomicLong REACHED = new AtomicLong();
    static volatile long firstNanos;

    private static void reached() {
        if (REACHED.getAndIncrement() == 0) {
            firstNanos = System.nanoTime();
            Out.event("first", 0);
        }
    }

    static StreamsBuilder build(String w) {
        StreamsBuilder b = new StreamsBuilder();
        ObjectMapper json = new ObjectMapper();
        var str = Serdes.String();
        var bytes = Serdes.ByteArray();
        String out = "out-" + w.toLowerCase(Locale.ROOT) + "-" + System.getProperty("bench.run", "0");
        switch (w) {
            case "W1", "L" -> b.stream(w.equals("L") ? "lat-in" : "in", Consumed.with(bytes, bytes))
                .mapValues(v -> v)
                .peek((k, v) -> reached())
                .to(out, Produced.with(bytes, bytes));
            case "W2" -> b.stream("in", Consumed.with(bytes, bytes))
                .mapValues(v -> {
                    try {
                        return json.readTree(v);
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                })
                .peek((k, v) -> reached())
                .filter((k, v) -> v.get("flag").asBoolean())
                .mapValues((JsonNode v) -> {
                    ObjectNode o = (ObjectNode) v;
                    o.put("double", o.get("amount").asDouble() * 2);
                    o.remove("pad");
                    try {
                        return json.writeValueAsBytes(o);
                    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                })
                .to(out, Produced.with(bytes, bytes));
            case "W3" -> b.stream("lines", Consumed.with(bytes, str))
                .flatMapValues(v -> Arrays.asList(v.split(" ")))
                .groupBy((k, word) -> word, Grouped.with(str, str))
                .aggregate(() -> 0L, (k, v, n) -> {
                    reached();
                    return n + 1;
                }, Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts").withKeySerde(str)
                    .withValueSerde(Serdes.Long()))
                .toStream().to(out, Produced.with(str, Serdes.Long()));
            case "W4" -> b.stream("in", Consumed.with(str, bytes))
                .groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofMinutes(1)))
                .aggregate(() -> 0L, (k, v, n) -> {
                    reached();
                    return n + 1;
                }, Materialized.with(str, Serdes.Long()))
                .toStream()
                .to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 60000), Serdes.Long()));
            case "W5" -> {
                KTable<String, byte[]> table = b.table("table", Consumed.with(str, bytes), Materialized.as("t"));
                KStream<String, byte[]> s = b.stream("in", Consumed.with(str, bytes));
                s.peek((k, v) -> reached()).join(table, (l, r) -> l)
                    .to(out, Produced.with(str, bytes));
            }
            case "W6" -> {
                KStream<String, byte[]> l = b.stream("left", Consumed.with(str, bytes)).peek((k, v) -> reached());
                KStream<String, byte[]> r = b.stream("right", Consumed.with(str, bytes)).peek((k, v) -> reached());
                l.join(r, (x, y) -> x, JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(10)),
                        StreamJoined.with(str, bytes, bytes))
                    .to(out, Produced.with(str, bytes));
            }
            case "K" -> b.stream("in", Consumed.with(str, bytes))
                .groupByKey()
                .aggregate(() -> 0L, (k, v, n) -> {
                    reached();
                    return n + 1;
                }, Materialized.with(str, Serdes.Long()))
                .toStream().to(out, Produced.with(str, Serdes.Long()));
            default -> throw new IllegalArgumentException(w);
        }
        return b;
    }

    private Topologies() { }
}
