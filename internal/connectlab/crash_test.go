package connectlab_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// prefix is a transform that puts a text before each value; skip drops the values that end with it.
type prefix struct{ text, skip string }

var prefixDef = config.NewDef(config.Key{Name: "text", Type: config.String, Default: ""}, config.Key{Name: "skip", Type: config.String})

func (*prefix) Config() *config.Def { return prefixDef }
func (*prefix) Close()              {}

func (p *prefix) Configure(props config.Props) error {
	v, err := prefixDef.Parse(props)
	p.text, p.skip = v.String("text"), v.String("skip")
	return err
}

func (p *prefix) Apply(r *connect.Record) (*connect.Record, error) {
	s, _ := r.Value.(string)
	if p.skip != "" && strings.HasSuffix(s, p.skip) {
		return nil, nil
	}
	c := r.Copy()
	c.Value = p.text + s
	return c, nil
}

// machine is one machine with a worker that copies input to output through a topic. It may crash and start again.
type machine struct {
	t     *testing.T
	k     *sim.Kernel
	model *simulated.Model
	disk  *sim.Disk
	proc  *sim.Process
	w     *worker.Worker
}

func (m *machine) start() {
	m.proc = m.k.NewProcess("worker", m.disk)
	cluster := m.model.Client(m.proc)
	plugins := builtin.Plugins(file.Standard{})
	plugins.RegisterTransform("test.Prefix", func(host.Host) connect.Transform { return &prefix{} })
	cfg, err := worker.ParseConfig(plugins, map[string]string{
		"key.converter": "String", "value.converter": "String", "offset.storage.file.filename": "offsets", "offset.flush.interval.ms": "2000"})
	if err != nil {
		m.t.Fatal(err)
	}
	m.proc.Go("main", func(ctx context.Context) {
		store, err := worker.OpenOffsetFile(m.proc, cfg.OffsetFile())
		if err != nil {
			m.t.Error(err)
			return
		}
		m.w = worker.New(m.proc, cluster, plugins, cfg, store)
		for _, props := range []map[string]string{
			{"name": "in", "connector.class": "FileStreamSource", "file": "input", "topic": "lines", "transforms": "a,b",
				"transforms.a.type": "test.Prefix", "transforms.a.text": "<", "transforms.a.skip": "7",
				"transforms.b.type": "test.Prefix", "transforms.b.text": "["},
			{"name": "out", "connector.class": "FileStreamSink", "file": "output", "topics": "lines"},
		} {
			if err := m.w.StartConnector(ctx, props); err != nil {
				m.t.Error(err)
			}
		}
	})
}

// appendFile writes and syncs, as the program does that writes the input.
func (m *machine) appendFile(name string, at int64, text string) {
	f, err := m.disk.FS().OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.WriteAt([]byte(text), at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) readFile(name string) string {
	f, err := m.disk.FS().Open(name)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

// syncDirectory makes the creation of files durable.
func (m *machine) syncDirectory() {
	d, err := m.disk.FS().OpenDir("")
	if err == nil {
		err = d.Sync()
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

const (
	lines  = 300
	cutOff = 9 * time.Second
)

// play lets input grow for half a minute, crashes the machine at the given moments, and returns what is in the output a minute later.
func play(t *testing.T, seed uint64, crashes ...time.Duration) (output, hash string) {
	log := &trace.Log{}
	start := time.UnixMilli(1700000000000).UTC()
	k := sim.New(sim.Config{Seed: seed, Start: start, Trace: log})
	defer k.Close()
	m := &machine{t: t, k: k, model: simulated.New(k, simulated.Config{Brokers: 3}), disk: sim.NewDisk(sim.DiskConfig{Seed: seed})}
	admin := k.NewProcess("admin", sim.NewDisk(sim.DiskConfig{}))
	admin.Go("topics", func(ctx context.Context) {
		if err := m.model.Client(admin).Admin().CreateTopics(ctx, broker.NewTopic{Name: "lines", Partitions: 2, ReplicationFactor: 3}); err != nil {
			t.Error(err)
		}
	})
	m.appendFile("input", 0, "")
	m.appendFile("output", 0, "")
	m.syncDirectory()
	k.At(start.Add(time.Second), m.start)
	at := int64(0)
	for i := range lines {
		text := fmt.Sprintf("line %d\n", i)
		from := at
		at += int64(len(text))
		k.At(start.Add(time.Duration(i)*100*time.Millisecond), func() { m.appendFile("input", from, text) })
	}
	for _, c := range crashes {
		// For a while before the crash nothing reaches the cluster: what is sent then is not written, and must not count as done.
		k.At(start.Add(c-cutOff), func() { k.Network().Partition("worker", "*") })
		k.At(start.Add(c), func() {
			m.proc.Kill()
			k.Network().Heal("worker", "*")
		})
		k.At(start.Add(c+3*time.Second), m.start)
	}
	if err := k.RunUntil(start.Add(400 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, c := range m.w.Status() {
		for _, x := range append(c.Tasks, worker.TaskStatus{State: c.State, Trace: c.Trace}) {
			if x.State != worker.Running {
				t.Errorf("%s: %s %s", c.Name, x.State, x.Trace)
			}
		}
	}
	m.proc.Kill() // what was not synced is gone
	if err := k.RunUntil(start.Add(401 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return m.readFile("output"), log.Hash()
}

// TestNothingIsLost copies a growing file through a topic, with two transforms, under crashes of the machine. What is in the output when the
// machine is killed at last, an unsynced write never, must be every line that is not dropped; without a crash exactly once.
func TestNothingIsLost(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		var crashes []time.Duration
		for i := range int(seed % 4) {
			crashes = append(crashes, time.Duration(12+14*i)*time.Second+time.Duration(seed)*173*time.Millisecond)
		}
		output, hash := play(t, seed, crashes...)
		count := map[string]int{}
		for line := range strings.Lines(output) {
			if !strings.HasSuffix(line, "\n") {
				t.Errorf("seed %d: a torn line %q", seed, line)
			}
			count[strings.TrimSuffix(line, "\n")]++
		}
		for i := range lines {
			text := fmt.Sprintf("[<line %d", i)
			n := count[text]
			delete(count, text)
			switch dropped := i%10 == 7; {
			case dropped && n != 0:
				t.Errorf("seed %d: %q was to be dropped", seed, text)
			case !dropped && n == 0, !dropped && len(crashes) == 0 && n != 1:
				t.Errorf("seed %d: %q came %d times", seed, text, n)
			}
		}
		if len(count) > 0 {
			t.Errorf("seed %d: foreign lines: %v", seed, count)
		}
		if _, again := play(t, seed, crashes...); again != hash {
			t.Errorf("seed %d: two runs differ", seed)
		}
	}
}

// TestOffsetsSurvive reads the offsets that a crashed worker has left.
func TestOffsetsSurvive(t *testing.T) {
	k := sim.New(sim.Config{Seed: 1, Start: time.UnixMilli(1700000000000).UTC()})
	defer k.Close()
	disk := sim.NewDisk(sim.DiskConfig{Seed: 1})
	p := k.NewProcess("one", disk)
	p.Go("main", func(ctx context.Context) {
		f, err := worker.OpenOffsetFile(p, "offsets")
		if err != nil {
			t.Error(err)
			return
		}
		for i := range 3 {
			if err := f.Set(ctx, []worker.StoredOffset{{Key: fmt.Append(nil, "k", i), Value: fmt.Append(nil, "v", i)}}); err != nil {
				t.Error(err)
			}
		}
		if err := f.Set(ctx, []worker.StoredOffset{{Key: []byte("k1")}}); err != nil {
			t.Error(err)
		}
	})
	if err := k.RunUntil(k.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if err := k.RunUntil(k.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	f, err := worker.OpenOffsetFile(k.NewProcess("two", disk), "offsets")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"k0": "v0", "k1": "", "k2": "v2"} {
		got, err := f.Get(context.Background(), []byte(key))
		if err != nil || !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s: %q %v, want %q", key, got, err, want)
		}
	}
}
