package bench;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** TopologyTestDriver: WORKLOAD RECORDS STATE_DIR [memory]; WORKLOAD "first" is the time to the first assertion. */
public final class TestDriver {
    public static void main(String[] a) {
        boolean first = a[0].equals("first");
        String w = first ? "W3" : a[0];
        int n = first ? 1 : Integer.parseInt(a[1]);
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "ttd-" + w);
        p.put(StreamsConfig.STATE_DIR_CONFIG, a[2]);
        if (a.length > 3 && a[3].equals("memory")) {
            p.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
        }
        try (TopologyTestDriver d = new TopologyTestDriver(Topologies.build(w).build(p), p, Instant.EPOCH)) {
            var ks = new StringSerializer();
            var vs = new ByteArraySerializer();
            int warm = first ? 0 : Math.min(n / 5, 20000);
            switch (w) {
                case "W5" -> {
                    TestInputTopic<String, byte[]> t = d.createInputTopic("table", ks, vs);
                    // every record commits, and a commit flushes RocksDB: 100 k rows would take minutes
                    keys = a.length > 3 && a[3].equals("memory") ? 10_000 : 500;
                    for (int i = 0; i < (keys == 500 ? 500 : 100_000); i++) {
                        t.pipeInput(String.format("k%06d", i), Data.json(i), 0L);
                    }
                    feed(d.createInputTopic("in", ks, vs), null, warm, n, false);
                }
                case "W6" -> feed(d.createInputTopic("left", ks, vs), d.createInputTopic("right", ks, vs), warm, n, false);
                case "W3" -> feed(d.createInputTopic("lines", ks, vs), null, warm, n, true);
                default -> feed(d.createInputTopic("in", ks, vs), null, warm, n, false);
            }
            if (first) {
                var out = d.createOutputTopic("out-w3-" + System.getProperty("bench.run", "0"),
                    new org.apache.kafka.common.serialization.StringDeserializer(),
                    new org.apache.kafka.common.serialization.LongDeserializer());
                if (out.readKeyValue().value != 1L) {
                    throw new AssertionError("count");
                }
                Out.event("asserted", 1);
            }
        }
        Out.event("closed", 0);
        System.exit(0);
    }

    private static int keys = 10_000;

    private static void feed(TestInputTopic<String, byte[]> t, TestInputTopic<String, byte[]> u, int warm, int n, boolean lines) {
        String[] key = new String[warm + n]; // made before the clock starts
        byte[][] value = new byte[warm + n][];
        for (int j = 0; j < warm + n; j++) {
            key[j] = Data.key(j, u != null ? Integer.MAX_VALUE : keys);
            value[j] = lines ? Data.line(j) : Data.json(j);
        }
        long from = 0;
        for (int j = 0; j < warm + n; j++) {
            if (j == warm) {
                from = System.nanoTime();
            }
            t.pipeInput(key[j], value[j], j);
            if (u != null) {
                u.pipeInput(key[j], value[j], j);
            }
        }
        Out.event("elapsed_us", (System.nanoTime() - from) / 1000);
        Out.event("done", n);
    }

    /** The same records as the Go generator makes, in shape and size. */
    static final class Data {
        static String key(int i, int keys) {
            return String.format("k%06d", Integer.remainderUnsigned(i * 0x9E3779B1, keys));
        }

        static byte[] json(int i) {
            StringBuilder s = new StringBuilder(100);
            s.append("{\"id\":").append(i).append(",\"user\":\"u").append(i % 1000).append("\",\"amount\":").append(i % 997)
                .append(".5,\"flag\":").append(i % 2 == 0).append(",\"pad\":\"");
            while (s.length() < 98) {
                s.append('x');
            }
            return s.append("\"}").toString().getBytes(StandardCharsets.UTF_8);
        }

        static byte[] line(int i) {
            StringBuilder s = new StringBuilder(100);
            for (int w = 0; w < 8; w++) {
                s.append(w == 0 ? "" : " ").append(String.format("word-%06d", Integer.remainderUnsigned((i * 8 + w) * 0x9E3779B1, 10_000)));
            }
            return s.toString().getBytes(StandardCharsets.UTF_8);
        }
    }

    private TestDriver() { }
}
