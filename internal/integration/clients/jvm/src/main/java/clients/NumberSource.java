package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** A source connector that writes the texts "number 0" to "number COUNT-1" to a topic, once: its offset is the next number. */
public final class NumberSource extends SourceConnector {
    private Map<String, String> config;

    @Override
    public void start(Map<String, String> props) {
        config = props;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return Numbers.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int max) {
        return List.of(config);
    }

    @Override
    public void stop() {
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef()
            .define("topic", ConfigDef.Type.STRING, ConfigDef.Importance.HIGH, "where to")
            .define("count", ConfigDef.Type.INT, ConfigDef.Importance.HIGH, "how many");
    }

    @Override
    public String version() {
        return "1";
    }

    /** The task. */
    public static final class Numbers extends SourceTask {
        private static final Map<String, String> PARTITION = Map.of("source", "numbers");
        private String topic;
        private long count;
        private long next;

        @Override
        public void start(Map<String, String> props) {
            topic = props.get("topic");
            count = Long.parseLong(props.get("count"));
            Map<String, Object> at = context.offsetStorageReader().offset(PARTITION);
            next = at == null ? 0 : (Long) at.get("next");
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            if (next >= count) {
                synchronized (this) {
                    wait(200);
                }
                return null;
            }
            List<SourceRecord> out = new ArrayList<>();
            for (int i = 0; i < 100 && next < count; i++) {
                String value = "number " + next;
                next++;
                out.add(new SourceRecord(PARTITION, Map.of("next", next), topic, Schema.STRING_SCHEMA, value));
            }
            return out;
        }

        @Override
        public void stop() {
        }

        @Override
        public String version() {
            return "1";
        }
    }
}
