package bench;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;

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
        var str = Serdes.String();
        var bytes = Serdes.ByteArray();
        String out = "out-" + w.toLowerCase(Locale.ROOT) + "-" + System.getProperty("bench.run", "0");
        switch (w) {
            case "W1", "L" -> b.stream(w.equals("L") ? "lat-in" : "in", Consumed.with(bytes, bytes))
                .mapValues(v -> v)
                .peek((k, v) -> reached())
                .to(out, Produced.with(bytes, bytes));
            case "W4" -> b.stream("in", Consumed.with(str, bytes))
                .groupByKey()
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofMinutes(1)))
                .aggregate(() -> 0L, (k, v, n) -> {
                    reached();
                    return n + 1;
                }, Materialized.with(str, Serdes.Long()))
                .toStream()
                .to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 60000), Serdes.Long()));
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
