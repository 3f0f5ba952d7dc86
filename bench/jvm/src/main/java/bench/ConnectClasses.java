package bench;

import io.apicurio.registry.utils.converter.avro.AvroData;
import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Transformation;

/** A converter or transform of Kafka Connect, alone on one thread: NAME TRANSFORM;key=value;... arguments. Prints records a second. */
public final class ConnectClasses {
    private interface Step {
        Object run(int i) throws Exception;
    }

    /** The last results, here as in Go: a result that nobody keeps need not be made. */
    private static final Object[] KEPT = new Object[1024];

    private static String only;

    private static int runs;

    /** Runs in a second of the process's CPU time, the collector's and the compiler's with it. */
    private static long rate(Step step, double seconds) throws Exception {
        long began = Cpu.nanos();
        long n = 0;
        int i = runs;
        long used;
        do {
            for (int k = 0; k < 4096; k++) {
                KEPT[i & 1023] = step.run(i);
                i = i + 1 & 0xffff;
            }
            n += 4096;
            used = Cpu.nanos() - began;
        } while (used < seconds * 1e9);
        runs = i;
        return (long) (n * 1e9 / used);
    }

    /**
     * rate of a transform as a worker calls it: with records that were just made, in a block, whose making is not measured, here as in Go.
     */
    private static long rate(Transformation<SinkRecord> t, SinkRecord[] inputs, double seconds) {
        SinkRecord[] block = new SinkRecord[4096];
        long n = 0;
        long used = 0;
        do {
            for (int k = 0; k < block.length; k++) {
                block[k] = fresh(inputs[k % INPUTS]);
            }
            long began = Cpu.nanos();
            for (int k = 0; k < block.length; k++) {
                block[k] = t.apply(block[k]);
            }
            used += Cpu.nanos() - began;
            n += block.length;
        } while (used < seconds * 1e9);
        return (long) (n * 1e9 / used);
    }

    /** A record like another, with headers of its own, as a worker makes it of what it consumed. */
    private static SinkRecord fresh(SinkRecord r) {
        ConnectHeaders headers = new ConnectHeaders();
        for (Header h : r.headers()) {
            headers.add(h.key(), h.value(), h.schema());
        }
        return new SinkRecord(r.topic(), r.kafkaPartition(), r.keySchema(), r.key(), r.valueSchema(), r.value(), r.kafkaOffset(), r.timestamp(), r.timestampType(), headers);
    }

    private static void measureTransform(String name, Transformation<SinkRecord> t, SinkRecord[] inputs) {
        if (!name.equals(only)) {
            return;
        }
        double seconds = Double.parseDouble(System.getenv().getOrDefault("BENCH_STEP", "1.5"));
        rate(t, inputs, 2 * seconds); // to warm up
        Out.event(name, rate(t, inputs, seconds));
    }

    private static void measure(String name, Step step) throws Exception {
        if (!name.equals(only)) {
            return;
        }
        double seconds = Double.parseDouble(System.getenv().getOrDefault("BENCH_STEP", "1.5"));
        rate(step, 2 * seconds); // to warm up
        Out.event(name, rate(step, seconds));
    }

    /** How many different records each step takes in turn, here as in Go. */
    private static final int INPUTS = 64;

    /** The records that both sides work on. */
    private static SinkRecord[] orders(Schema inner, Schema schema) {
        String[] cities = {"Berlin", "Hamburg", "Kiel", "Potsdam"};
        SinkRecord[] all = new SinkRecord[INPUTS];
        for (int i = 0; i < INPUTS; i++) {
            long at = 1700000000123L + i * 3600017L;
            Struct place = new Struct(inner).put("city", cities[i % 4]).put("zip", 10115 + i);
            Struct value = new Struct(schema).put("id", 123456L + 7919 * i).put("user", "user-" + (4711 + i)).put("amount", 99.5 + 0.25 * i).put("paid", i % 2 == 0)
                .put("at", at).put("place", place);
            ConnectHeaders headers = new ConnectHeaders();
            headers.addString("trace", "abc").addString("tenant", "7");
            all[i] = new SinkRecord("orders", 0, Schema.STRING_SCHEMA, "key-" + i, schema, value, 42 + i, at, TimestampType.CREATE_TIME, headers);
        }
        return all;
    }

    private interface Writer {
        byte[] write(Object value) throws Exception;
    }

    private static byte[][] written(SinkRecord[] records, Writer w) throws Exception {
        byte[][] all = new byte[INPUTS][];
        for (int i = 0; i < INPUTS; i++) {
            all[i] = w.write(records[i].value());
        }
        return all;
    }

    public static void main(String[] args) throws Exception {
        only = args[0];
        Schema inner = SchemaBuilder.struct().name("Place").field("city", Schema.STRING_SCHEMA).field("zip", Schema.INT32_SCHEMA).build();
        Schema schema = SchemaBuilder.struct().name("Order").field("id", Schema.INT64_SCHEMA).field("user", Schema.STRING_SCHEMA)
            .field("amount", Schema.FLOAT64_SCHEMA).field("paid", Schema.BOOLEAN_SCHEMA).field("at", Schema.INT64_SCHEMA).field("place", inner).build();
        SinkRecord[] records = orders(inner, schema);

        for (boolean schemas : new boolean[] {false, true}) {
            JsonConverter json = new JsonConverter();
            json.configure(Map.of("schemas.enable", String.valueOf(schemas)), false);
            byte[][] bytes = written(records, v -> json.fromConnectData("t", schema, v));
            String name = schemas ? "json with schemas" : "json";
            measure(name + ", write", i -> json.fromConnectData("t", schema, records[i % INPUTS].value()));
            measure(name + ", read", i -> json.toConnectData("t", bytes[i % INPUTS]));
        }
        AvroData data = new AvroData(100);
        org.apache.avro.Schema avro = data.fromConnectSchema(schema);
        var writer = new GenericDatumWriter<Object>(avro);
        var reader = new GenericDatumReader<GenericRecord>(avro);
        var out = new ByteArrayOutputStream();
        Writer write = v -> {
            out.reset();
            var encoder = EncoderFactory.get().directBinaryEncoder(out, null);
            writer.write(data.fromConnectData(schema, v), encoder);
            encoder.flush();
            return out.toByteArray();
        };
        byte[][] bytes = written(records, write);
        measure("avro, write", i -> write.write(records[i % INPUTS].value()));
        measure("avro, read", i -> {
            SchemaAndValue v = data.toConnectData(avro, reader.read(null, DecoderFactory.get().binaryDecoder(bytes[i % INPUTS], null)));
            return v;
        });
        for (int a = 1; a < args.length; a++) {
            String[] config = args[a].split(";");
            @SuppressWarnings("unchecked")
            Transformation<SinkRecord> t = (Transformation<SinkRecord>) Class.forName("org.apache.kafka.connect.transforms." + config[0]).getDeclaredConstructor().newInstance();
            Map<String, String> props = new LinkedHashMap<>();
            for (int i = 1; i < config.length; i++) {
                String[] kv = config[i].split("=", 2);
                props.put(kv[0], kv[1]);
            }
            t.configure(props);
            measureTransform(config[0], t, records);
            measure(config[0] + ", shared record", i -> t.apply(records[i % INPUTS]));
        }
        Out.event("done", 0);
        System.exit(0);
    }

    private ConnectClasses() { }
}
