//go:build integration

package integration_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
	"github.com/kstreamlab/kstreamlab/streams/serde/avro"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// program is an example that runs as a process of its own on the real Kafka.
type program struct {
	t       *testing.T
	ctx     context.Context
	cluster broker.Cluster
	cmd     *exec.Cmd
	out     *os.File
	ended   chan error
}

// startProgram makes the topics, of one partition each, builds the example and starts it.
func startProgram(t *testing.T, name string, topics []string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	p := &program{t: t, ctx: ctx, ended: make(chan error, 1)}
	h := host.NewLive(ctx, host.LiveConfig{Name: "test"})
	cluster, err := kafka.New(kafka.Config{Bootstrap: integration.Bootstrap(), Host: h})
	p.must(err)
	t.Cleanup(cluster.Close)
	p.cluster = cluster
	for _, topic := range topics {
		p.must(cluster.Admin().CreateTopics(ctx, broker.NewTopic{Name: topic, Partitions: 1, ReplicationFactor: 1}))
	}
	t.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := cluster.Admin().DeleteTopics(end, topics...); err != nil {
			t.Error(err)
		}
	})
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", binary, "../../examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	p.out, err = os.Create(filepath.Join(t.TempDir(), "log"))
	p.must(err)
	p.cmd = exec.Command(binary, append([]string{"--bootstrap", strings.Join(integration.Bootstrap(), ",")}, args...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.must(p.cmd.Start())
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(p.clean)
	return p
}

func (p *program) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// write writes a record and waits until the broker has it, so that the program reads records in this order.
func (p *program) write(topic, key, value string, at int64) {
	p.t.Helper()
	producer, err := p.cluster.NewProducer(p.ctx, broker.ProducerConfig{})
	p.must(err)
	defer producer.Close()
	p.must(producer.Send(p.ctx, broker.TopicPartition{Topic: topic}, []broker.Record{{Key: []byte(key), Value: []byte(value), Timestamp: at}}, nil))
	p.must(producer.Flush(p.ctx))
}

// read reads a topic until n committed records have come.
func (p *program) read(topic string, n int) (list []broker.Record) {
	p.t.Helper()
	c, err := p.cluster.NewConsumer(p.ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted})
	p.must(err)
	defer c.Close()
	p.must(c.Assign(p.ctx, map[broker.TopicPartition]int64{{Topic: topic}: 0}))
	for len(list) < n {
		batches, err := c.Poll(p.ctx, 1000, -1)
		if err != nil {
			p.t.Fatalf("%s: %v after %d of %d records", topic, err, len(list), n)
		}
		for _, b := range batches {
			for _, r := range b.Records {
				r.Key, r.Value = append([]byte(nil), r.Key...), append([]byte(nil), r.Value...)
				list = append(list, r)
			}
		}
	}
	return list
}

// terminate sends SIGTERM, and wants exit code 0.
func (p *program) terminate() {
	p.t.Helper()
	p.must(p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("after SIGTERM: %v", err)
		}
		p.ended <- nil
	case <-time.After(40 * time.Second):
		p.t.Error("the program does not end after SIGTERM")
	}
}

// clean ends what a failed test has left, and shows what it printed.
func (p *program) clean() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
	p.out.Close()
	if p.t.Failed() {
		text, err := os.ReadFile(p.out.Name())
		p.t.Logf("%v\n%s", err, text)
	}
}

// field is a member of a JSON value.
func field(t *testing.T, value []byte, name string) any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(value, &v); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return v[name]
}

// TestOrdersExample runs examples/orders: a premium and a standard order of a known user, and one of a stranger.
func TestOrdersExample(t *testing.T) {
	dir := t.TempDir()
	p := startProgram(t, "orders", []string{"raw-orders", "user-data", "premium-orders", "standard-orders", "enriched-orders", "orders-per-hour", "revenue-by-user", "sessions-by-user"},
		"--state-dir", dir, "--event-time", "--clean-up")
	const at = 1_772_442_000_000
	p.write("user-data", "u1", `{"name":"Ada"}`, at-60_000) // earlier, so that the table has her when the first order is taken
	p.write("raw-orders", "u1", `{"orderId":"warm-up","userId":"u1","type":"GIFT","amount":1}`, at)
	p.read("enriched-orders", 1)
	p.write("raw-orders", "u1", `{"orderId":"o1","userId":"u1","type":"PREMIUM","amount":100.1}`, at+1000)
	p.write("raw-orders", "u2", `{"orderId":"o2","userId":"u2","type":"PREMIUM","amount":5}`, at+2000)
	p.write("raw-orders", "u1", `{"orderId":"o3","userId":"u1","type":"STANDARD","amount":50}`, at+3000)

	if got := p.read("premium-orders", 1)[0]; string(got.Key) != "u1" || field(t, got.Value, "total") != 90.09 {
		t.Errorf("premium: %s", got.Value)
	}
	if got := p.read("standard-orders", 1)[0]; field(t, got.Value, "total") != 50.0 {
		t.Errorf("standard: %s", got.Value)
	}
	var ids []any
	for _, r := range p.read("enriched-orders", 3) {
		ids = append(ids, field(t, r.Value, "orderId"))
	}
	if diff := cmp.Diff([]any{"warm-up", "o1", "o3"}, ids); diff != "" {
		t.Error(diff)
	}
	// the last update of the hour counts all three; how many updates there were depends on commits
	for n := 1; ; n++ {
		list := p.read("orders-per-hour", n)
		if last := list[n-1].Value; last[7] == 3 {
			break
		}
	}
	p.terminate()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the state directory holds %v, %v: want nothing after --clean-up", left, err)
	}
	text, err := os.ReadFile(p.out.Name())
	if err != nil || !strings.HasPrefix(string(text), "Topologies:\n   Sub-topology: 0\n") {
		t.Errorf("the topology was not printed: %v", err)
	}
}

// TestFraudExample runs examples/fraud: an amount far above the average, and another place.
func TestFraudExample(t *testing.T) {
	p := startProgram(t, "fraud", []string{"transactions", "alerts"}, "--state-dir", t.TempDir())
	pay := func(minute int64, amount, place string) {
		at := 1_772_442_000_000 + minute*60_000
		text, err := json.Marshal(map[string]any{"userId": "ada", "amount": json.Number(amount), "location": place, "timestamp": at})
		p.must(err)
		p.write("transactions", "ada", string(text), at)
	}
	pay(0, "10", "Berlin")
	pay(10, "20", "Berlin")
	pay(20, "46", "Berlin")
	pay(30, "1", "Rome")
	var rules []any
	for _, r := range p.read("alerts", 2) {
		rules = append(rules, field(t, r.Value, "rule"))
	}
	if diff := cmp.Diff([]any{"HIGH_AMOUNT", "GEO_ANOMALY"}, rules); diff != "" {
		t.Error(diff)
	}
	p.terminate()
}

// TestRegistryExample runs examples/registry with a real Schema Registry: an order of more than 1000 comes out with the evolved schema, which the registry
// then has.
func TestRegistryExample(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "registry")
	url, err := integration.StartRegistry(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := integration.StopRegistry(dir); err != nil {
			t.Error(err)
		}
	})
	p := startProgram(t, "registry", []string{"order-events", "high-value-orders", "order-counts"}, "--state-dir", t.TempDir(), "--registry", url)
	registry, err := schemaregistry.Open(map[string]string{"schema.registry.url": url})
	p.must(err)
	values := avro.Generic(registry)
	order := avro.MustParse(`{"type":"record","name":"Order","fields":[{"name":"orderId","type":"string"},{"name":"userId","type":"string"},{"name":"amount","type":"double"}]}`)
	for id, amount := range map[string]float64{"o1": 1500.5, "o2": 10} {
		b, err := values.Append(nil, "order-events", avro.NewRecord(order, "orderId", id, "userId", "ada", "amount", amount))
		p.must(err)
		p.write("order-events", "ada", string(b), 1_772_442_000_000)
	}
	high, err := values.Decode("high-value-orders", p.read("high-value-orders", 1)[0].Value)
	if err != nil || high.Get("orderId") != "o1" || high.Get("verified") != false {
		t.Errorf("%v, %v: want order o1, not verified", high, err)
	}
	res, err := http.Get(url + "/subjects/high-value-orders-value/versions/1")
	p.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(text), "HighValueOrder") {
		t.Errorf("the registry says %s %s, %v", res.Status, text, err)
	}
	p.terminate()
}
