package simulated_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
)

func (w *world) ops() broker.Operations { return w.c.Admin().(broker.Operations) }

func (w *world) wantCode(err error, name string) {
	w.t.Helper()
	var e *broker.Error
	if !errors.As(err, &e) || e.Name != name {
		w.t.Fatalf("got %v, want %s", err, name)
	}
}

func TestCreatePartitions(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		one := w.worker("one", broker.MemberConfig{Assignor: spread{cooperative: true}})
		p := w.producer(ctx, "")
		if n, err := p.Partitions(ctx, "a"); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		w.sleep(ctx, 10*time.Second)
		w.wantCode(w.ops().CreatePartitions(ctx, "a", 2), "INVALID_PARTITIONS")
		w.wantCode(w.ops().CreatePartitions(ctx, "b", 2), "UNKNOWN_TOPIC_OR_PARTITION")
		w.must(w.ops().CreatePartitions(ctx, "a", 5))
		w.sleep(ctx, 10*time.Second)
		if len(one.d.owned) != 5 {
			t.Fatalf("the group has %v", one.d.owned)
		}
		w.put(ctx, p, tp("a", 4), 0, 1)
		w.wantValues(ctx, tp("a", 4), broker.ReadUncommitted, "0")
		for _, v := range w.m.Partitions() {
			if v.Leader != v.Replicas[0] || len(v.ISR) != 3 {
				t.Fatalf("%+v", v)
			}
		}
	})
}

// TestMetadataAges lets a producer of another process find out about new partitions by metadata.max.age.ms.
func TestMetadataAges(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "")
		count := func() int32 {
			n, err := p.Partitions(ctx, "a")
			w.must(err)
			w.sleep(ctx, time.Second) // a refresh may be under way
			return n
		}
		if n := count(); n != 1 {
			t.Fatal(n)
		}
		far := w.k.NewProcess("far", nil)
		far.Go("admin", func(ctx context.Context) {
			w.must(w.m.Client(far).Admin().(broker.Operations).CreatePartitions(ctx, "a", 3))
		})
		w.sleep(ctx, 4*time.Minute)
		if n := count(); n != 1 {
			t.Fatalf("%d partitions before the metadata are old", n)
		}
		w.sleep(ctx, 2*time.Minute)
		count()
		if n := count(); n != 3 {
			t.Fatalf("%d partitions after metadata.max.age.ms", n)
		}
	})
}

func set(v string) *string { return &v }

func TestAlterTopicConfigs(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "retention.ms", "1000000")
		a := tp("a", 0)
		p := w.producer(ctx, "")
		w.put(ctx, p, a, 0, 1)
		w.wantCode(w.ops().AlterTopicConfigs(ctx, "a", map[string]*string{"retention.ms": set("7"), "segment.bytes": set("x")}), "INVALID_CONFIG")
		w.wantCode(w.ops().AlterTopicConfigs(ctx, "none", nil), "UNKNOWN_TOPIC_OR_PARTITION")
		check := func(name, want string) {
			t.Helper()
			if cfg, err := w.c.Admin().TopicConfigs(ctx, "a"); err != nil || cfg[name] != want {
				t.Fatalf("%s is %s (%v), want %s", name, cfg[name], err, want)
			}
		}
		check("retention.ms", "1000000") // all or nothing
		w.must(w.ops().AlterTopicConfigs(ctx, "a", map[string]*string{"max.message.bytes": set("200"), "retention.ms": nil}))
		check("max.message.bytes", "200")
		check("retention.ms", "-1")
		w.must(p.Send(ctx, a, []broker.Record{{Value: make([]byte, 300), Timestamp: broker.NoTimestamp}}, nil))
		w.wantCode(p.Flush(ctx), "MESSAGE_TOO_LARGE")
		w.must(w.ops().AlterTopicConfigs(ctx, "a", map[string]*string{"max.message.bytes": nil, "min.insync.replicas": set("2")}))
		for _, id := range followers(view(w, a)) {
			w.m.StallReplica(a, id)
			w.m.ShrinkISR(a, id)
		}
		refused := 0
		w.m.OnProduceRefused(func(string) { refused++ })
		w.must(p.Send(ctx, a, values(1, 2), nil))
		w.sleep(ctx, 5*time.Second)
		w.must(w.ops().AlterTopicConfigs(ctx, "a", map[string]*string{"min.insync.replicas": nil}))
		w.must(p.Flush(ctx))
		if refused == 0 {
			t.Fatal("min.insync.replicas=2 was not heeded")
		}
		w.m.CrashBroker(int(view(w, a).Leader))
		w.sleep(ctx, 15*time.Second)
		if v := view(w, a); v.Leader != -1 {
			t.Fatalf("leader %d", v.Leader)
		}
		w.must(w.ops().AlterTopicConfigs(ctx, "a", map[string]*string{"unclean.leader.election.enable": set("true")}))
		if v := view(w, a); v.Leader < 1 {
			t.Fatal("no leader although an unclean one is allowed now")
		}
	})
}

func TestElectLeaders(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{LeaderRebalanceInterval: -1})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		a := tp("a", 0)
		first := int(view(w, a).Leader)
		w.wantCode(w.ops().ElectLeaders(ctx, false, a), "ELECTION_NOT_NEEDED")
		w.wantCode(w.ops().ElectLeaders(ctx, false, tp("b", 0)), "UNKNOWN_TOPIC_OR_PARTITION")
		w.m.ShutdownBroker(first)
		w.wantCode(w.ops().ElectLeaders(ctx, false, a), "PREFERRED_LEADER_NOT_AVAILABLE")
		w.m.RestartBroker(first)
		w.sleep(ctx, time.Hour)
		if v := view(w, a); int(v.Leader) == first {
			t.Fatal("the leader went back by itself")
		}
		w.must(w.ops().ElectLeaders(ctx, false, a))
		if v := view(w, a); int(v.Leader) != first {
			t.Fatalf("%+v", v)
		}
		w.wantCode(w.ops().ElectLeaders(ctx, true, a), "ELECTION_NOT_NEEDED")
		for _, id := range followers(view(w, a)) {
			w.m.StallReplica(a, id)
			w.m.ShrinkISR(a, id)
		}
		w.m.CrashBroker(first)
		w.sleep(ctx, 15*time.Second)
		w.must(w.ops().ElectLeaders(ctx, true, a))
		if v := view(w, a); v.Leader < 1 || int(v.Leader) == first || len(v.ISR) != 1 {
			t.Fatalf("%+v", v)
		}
	})
}

func TestTimestamps(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "near", 1, "message.timestamp.before.max.ms", "1000", "message.timestamp.after.max.ms", "2000")
		w.topic(ctx, "plain", 1)
		w.topic(ctx, "append", 1, "message.timestamp.type", "LogAppendTime")
		now := w.main.Now()
		for _, c := range []struct {
			topic string
			off   time.Duration
			code  string
		}{
			{"near", -900 * time.Millisecond, ""}, {"near", -1100 * time.Millisecond, "INVALID_TIMESTAMP"},
			{"near", 2 * time.Second, ""}, {"near", 2200 * time.Millisecond, "INVALID_TIMESTAMP"},
			{"plain", -24 * 365 * time.Hour, ""}, {"plain", 59 * time.Minute, ""}, {"plain", 61 * time.Minute, "INVALID_TIMESTAMP"},
			{"append", 61 * time.Minute, ""},
		} {
			p := w.producer(ctx, "")
			w.must(p.Send(ctx, tp(c.topic, 0), []broker.Record{record("k", "v", w.main.Now().Add(c.off))}, nil))
			if err := p.Flush(ctx); c.code == "" {
				w.must(err)
			} else {
				w.wantCode(err, c.code)
			}
			p.Close()
		}
		if r := w.m.Records(tp("append", 0), 0, 1)[0]; r.Timestamp < now.UnixMilli() || r.Timestamp > now.Add(time.Minute).UnixMilli() {
			t.Fatalf("LogAppendTime is %d", r.Timestamp)
		}
		p := w.producer(ctx, "")
		for _, off := range []time.Duration{3, 9, 5, 9} {
			w.must(p.Send(ctx, tp("plain", 0), []broker.Record{record("k", "v", now.Add(off*time.Second))}, nil))
		}
		w.must(p.Flush(ctx))
		w.must(w.ops().AlterTopicConfigs(ctx, "plain", nil))
		got, err := w.ops().MaxTimestampOffsets(ctx, tp("plain", 0), tp("append", 0))
		if err != nil || got[tp("plain", 0)] != 1 || got[tp("append", 0)] != 0 {
			t.Fatal(got, err)
		}
		w.topic(ctx, "empty", 1)
		if got, err := w.ops().MaxTimestampOffsets(ctx, tp("empty", 0)); err != nil || got[tp("empty", 0)] != broker.NoOffset {
			t.Fatal(got, err)
		}
	})
}

// TestQuotas writes and reads 2 MB under a quota of 100 kB a second: after the burst of ten seconds the rate is the quota.
func TestQuotas(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		const records, size, rate = 200, 10_000, 100_000
		write := func(client string) time.Duration {
			p, err := w.c.NewProducer(ctx, broker.ProducerConfig{ClientID: client})
			w.must(err)
			start := w.main.Now()
			for range records {
				w.must(p.Send(ctx, tp("a", 0), []broker.Record{{Value: make([]byte, size), Timestamp: broker.NoTimestamp}}, nil))
			}
			w.must(p.Flush(ctx))
			return w.main.Now().Sub(start)
		}
		read := func(client string) time.Duration {
			c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{ClientID: client, MaxBytes: 100_000})
			w.must(err)
			defer c.Close()
			w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", 0): 0}))
			start := w.main.Now()
			for n := 0; n < records; {
				out, err := c.Poll(ctx, 1000, -1)
				w.must(err)
				for _, b := range out {
					n += len(b.Records)
				}
			}
			return w.main.Now().Sub(start)
		}
		w.m.SetQuota("slow", rate, rate)
		for name, d := range map[string]time.Duration{"write": write("fast"), "read": read("fast")} {
			if d > time.Second {
				t.Errorf("a client without a quota takes %s to %s", d, name)
			}
		}
		for name, d := range map[string]time.Duration{"write": write("slow"), "read": read("slow")} {
			if d < 8*time.Second || d > 13*time.Second { // (2 MB - 1 MB of burst) / 100 kB/s
				t.Errorf("the slow client takes %s to %s", d, name)
			}
		}
	})
}

func TestCompressionIsAccounted(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "as", 1)
		w.topic(ctx, "zstd", 1, "compression.type", "zstd", "max.message.bytes", "5000")
		bytes := func(topic, codec string, size int) int64 {
			before := view(w, tp(topic, 0)).Bytes
			p, err := w.c.NewProducer(ctx, broker.ProducerConfig{Compression: codec})
			w.must(err)
			w.must(p.Send(ctx, tp(topic, 0), []broker.Record{{Value: make([]byte, size), Timestamp: broker.NoTimestamp}}, nil))
			w.must(p.Flush(ctx))
			return view(w, tp(topic, 0)).Bytes - before
		}
		plain := bytes("as", "", 10000)
		got := []int64{plain, bytes("as", "gzip", 10000), bytes("as", "lz4", 10000), bytes("zstd", "none", 10000), bytes("zstd", "gzip", 10000)}
		if !slices.Equal(got, []int64{10071, 3064, 5066, 2863, 2863}) {
			t.Fatalf("bytes %v", got)
		}
		if _, err := w.c.NewProducer(ctx, broker.ProducerConfig{Compression: "brotli"}); !errors.Is(err, broker.ErrFatal) {
			t.Fatalf("brotli: %v", err)
		}
	})
}

func TestAutoCreateTopics(t *testing.T) {
	for _, on := range []bool{false, true} {
		w := newWorld(t, 1, simulated.Config{AutoCreateTopics: on, Partitions: 2})
		w.run(func(ctx context.Context) {
			p := w.producer(ctx, "")
			n, err := p.Partitions(ctx, "new")
			if on && (n != 2 || err != nil) || !on && !errors.Is(err, broker.ErrUnknownTopic) {
				t.Fatal(n, err)
			}
			if _, err := p.Partitions(ctx, "no spaces"); !errors.Is(err, broker.ErrUnknownTopic) {
				t.Fatal(err)
			}
			if d, err := w.c.Admin().DescribeTopics(ctx, "never"); err != nil || len(d) != 0 {
				t.Fatal(d, err) // a description makes nothing
			}
			if got := len(w.m.Topics()); got != map[bool]int{true: 1}[on] {
				t.Fatalf("%d topics", got)
			}
		})
	}
}

// TestSegmentsDecideWhatIsActive: neither retention by size nor compaction touches the active segment; segment.bytes and segment.ms say
// which that is.
func TestSegmentsDecideWhatIsActive(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "big", 1, "retention.bytes", "100")
		w.topic(ctx, "small", 1, "retention.bytes", "100", "segment.bytes", "200")
		w.topic(ctx, "slow", 1, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.01")
		w.topic(ctx, "quick", 1, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.01", "segment.ms", "1000")
		p := w.producer(ctx, "")
		for i := range 10 {
			for _, name := range []string{"big", "small", "slow", "quick"} {
				w.must(p.Send(ctx, tp(name, 0), values(i, i+1), nil))
			}
			w.must(p.Flush(ctx))
			w.sleep(ctx, 2*time.Second)
		}
		w.sleep(ctx, 10*time.Minute)
		w.wantValues(ctx, tp("big", 0), broker.ReadUncommitted, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
		w.wantValues(ctx, tp("slow", 0), broker.ReadUncommitted, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
		w.wantValues(ctx, tp("quick", 0), broker.ReadUncommitted, "8", "9")
		if got, _ := w.read(ctx, tp("small", 0), broker.ReadUncommitted); len(got) > 4 || len(got) < 2 {
			t.Fatalf("retention.bytes leaves %v", got)
		}
	})
}
