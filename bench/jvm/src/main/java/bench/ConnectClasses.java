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
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Transformation;

/** Converters and transforms of Kafka Connect, each alone on one thread: TRANSFORM=CLASS key=value;... arguments. Prints records a second. */
public final class ConnectClasses {
    private interface Step {
        Object run(int i) throws Exception;
    }

    private static volatile Object sink;

    private static void measure(String name, Step step) throws Exception {
        long end = System.nanoTime() + 1_500_000_000L; // to warm up
        int i = 0;
        while (System.nanoTime() < end) {
            for (int k = 0; k < 256; k++) {
                sink = step.run(i++);
            }
        }
        long began = System.nanoTime();
        long n = 0;
        while (System.nanoTime() - began < 1_500_000_000L) {
            for (int k = 0; k < 256; k++) {
                sink = step.run(i++);
            }
            n += 256;
        }
        Out.event(name, n * 1_000_000_000L / (System.nanoTime() - began));
    }

    public static void main(String[] args) throws Exception {
        Schema inner = SchemaBuilder.struct().name("Place").field("city", Schema.STRING_SCHEMA).field("zip", Schema.INT32_SCHEMA).build();
        Schema schema = SchemaBuilder.struct().name("Order").field("id", Schema.INT64_SCHEMA).field("user", Schema.STRING_SCHEMA)
            .field("amount", Schema.FLOAT64_SCHEMA).field("paid", Schema.BOOLEAN_SCHEMA).field("at", Schema.INT64_SCHEMA).field("place", inner).build();
        Struct place = new Struct(inner).put("city", "Berlin").put("zip", 10115);
        Struct value = new Struct(schema).put("id", 123456L).put("user", "user-4711").put("amount", 99.5).put("paid", true).put("at", 1700000000123L).put("place", place);

        for (boolean schemas : new boolean[] {false, true}) {
            JsonConverter json = new JsonConverter();
            json.configure(Map.of("schemas.enable", String.valueOf(schemas)), false);
            byte[] bytes = json.fromConnectData("t", schema, value);
            String name = schemas ? "json with schemas" : "json";
            measure(name + ", write", i -> json.fromConnectData("t", schema, value));
            measure(name + ", read", i -> json.toConnectData("t", bytes));
        }
        AvroData data = new AvroData(100);
        org.apache.avro.Schema avro = data.fromConnectSchema(schema);
        var writer = new GenericDatumWriter<Object>(avro);
        var reader = new GenericDatumReader<GenericRecord>(avro);
        var out = new ByteArrayOutputStream();
        Step write = i -> {
            out.reset();
            var encoder = EncoderFactory.get().directBinaryEncoder(out, null);
            writer.write(data.fromConnectData(schema, value), encoder);
            encoder.flush();
            return out.toByteArray();
        };
        byte[] bytes = (byte[]) write.run(0);
        measure("avro, write", write);
        measure("avro, read", i -> {
            SchemaAndValue v = data.toConnectData(avro, reader.read(null, DecoderFactory.get().binaryDecoder(bytes, null)));
            return v;
        });
        for (String a : args) {
            String[] parts = a.split("=", 2);
            String[] config = parts[1].split(";");
            @SuppressWarnings("unchecked")
            Transformation<SinkRecord> t = (Transformation<SinkRecord>) Class.forName("org.apache.kafka.connect.transforms." + config[0]).getDeclaredConstructor().newInstance();
            Map<String, String> props = new LinkedHashMap<>();
            for (int i = 1; i < config.length; i++) {
                String[] kv = config[i].split("=", 2);
                props.put(kv[0], kv[1]);
            }
            t.configure(props);
            ConnectHeaders headers = new ConnectHeaders();
            headers.addString("trace", "abc").addString("tenant", "7");
            SinkRecord r = new SinkRecord("orders", 0, Schema.STRING_SCHEMA, "key-1", schema, value, 42, 1700000000123L, TimestampType.CREATE_TIME, headers);
            measure(parts[0], i -> t.apply(r));
        }
        Out.event("done", 0);
        System.exit(0);
    }

    private ConnectClasses() { }
}
