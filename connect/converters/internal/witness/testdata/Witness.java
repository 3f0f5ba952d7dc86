import io.confluent.kafka.schemaregistry.testutil.MockSchemaRegistry;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.json.JsonConverter;
import io.confluent.kafka.schemaregistry.avro.AvroSchemaProvider;
import io.confluent.kafka.schemaregistry.json.JsonSchemaProvider;
import io.confluent.kafka.schemaregistry.protobuf.ProtobufSchemaProvider;

public class Witness {
  static String one(Throwable t) {
    StringBuilder b = new StringBuilder();
    for (; t != null; t = t.getCause()) b.append(t.getClass().getName()).append(": ").append(t.getMessage()).append(" | ");
    return b.toString().replace("\n", " ").replace("\t", " ");
  }
  static String hex(byte[] b) { StringBuilder s = new StringBuilder(); for (byte x : b) s.append(String.format("%02x", x)); return s.toString(); }
  static byte[] unhex(String s) { byte[] b = new byte[s.length()/2]; for (int i = 0; i < b.length; i++) b[i] = (byte) Integer.parseInt(s.substring(2*i, 2*i+2), 16); return b; }

  public static void main(String[] args) throws Exception {
    SchemaRegistryClient client = MockSchemaRegistry.getClientForScope("w", List.of(new AvroSchemaProvider(), new JsonSchemaProvider(), new ProtobufSchemaProvider()));
    JsonConverter json = new JsonConverter();
    json.configure(Map.of("schemas.enable", "true", "converter.type", "value"), false);
    Map<String, Converter> converters = new HashMap<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    System.setOut(System.err);
    // config: format k=v;k=v TAB W TAB topic TAB hex of the envelope     or    ... TAB R TAB topic TAB type TAB hex of schema TAB hex of bytes after id
    SchemaRegistryClient fresh = MockSchemaRegistry.getClientForScope("r", List.of(new AvroSchemaProvider(), new JsonSchemaProvider(), new ProtobufSchemaProvider()));
    for (String line; (line = in.readLine()) != null; ) {
      String[] p = line.split("\t", -1);
      Converter writer = converters.computeIfAbsent("w " + p[0], k -> open(p[0], client, "w")), reader = converters.computeIfAbsent("r " + p[0], k -> open(p[0], fresh, "r"));
      String topic = p[2];
      try {
        byte[] bytes; String text = "", type = "";
        if (p[1].equals("W")) {
          SchemaAndValue v = json.toConnectData(topic, unhex(p[3]));
          bytes = writer.fromConnectData(topic, v.schema(), v.value());
          if (bytes == null) { out.println("-"); out.flush(); continue; }
          var written = client.getSchemaById(new java.math.BigInteger(hex(bytes).substring(2, 10), 16).intValue());
          text = written.canonicalString();
          type = written.schemaType();
        } else {
          text = new String(unhex(p[4]), StandardCharsets.UTF_8);
          type = p[3];
          bytes = unhex("0000000000" + p[5]);
        }
        // Read by the text: another process knows no more.
        String back;
        try {
          int id = fresh.register(topic + "-value", switch (type) {
            case "AVRO" -> new io.confluent.kafka.schemaregistry.avro.AvroSchema(text);
            case "JSON" -> new io.confluent.kafka.schemaregistry.json.JsonSchema(text);
            default -> new io.confluent.kafka.schemaregistry.protobuf.ProtobufSchema(text);
          });
          byte[] again = bytes.clone();
          java.nio.ByteBuffer.wrap(again).putInt(1, id);
          SchemaAndValue got = reader.toConnectData(topic, again);
          back = hex(json.fromConnectData(topic, got.schema(), got.value()));
        } catch (Throwable t) { back = "!" + one(t); }
        out.println(hex(bytes) + "\t" + hex(text.getBytes(StandardCharsets.UTF_8)) + "\t" + back);
      } catch (Throwable t) {
        out.println("!" + one(t));
      }
      out.flush();
    }
  }

  static Converter open(String format, SchemaRegistryClient client, String scope) {
    String[] f = format.split(" ", 2);
    Converter c = switch (f[0]) {
      case "avro" -> new io.confluent.connect.avro.AvroConverter(client);
      case "json" -> new io.confluent.connect.json.JsonSchemaConverter(client);
      default -> new io.confluent.connect.protobuf.ProtobufConverter(client);
    };
    Map<String, String> m = new HashMap<>();
    m.put("schema.registry.url", "mock://" + scope);
    if (f.length > 1 && !f[1].isEmpty()) for (String kv : f[1].split(";")) m.put(kv.split("=")[0], kv.split("=")[1]);
    c.configure(m, false);
    return c;
  }
}
