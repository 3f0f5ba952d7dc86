package streams

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/assign"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/thread"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// State is an instance's state, in Kafka's spelling.
type State string

// The states of KafkaStreams.
const (
	Created         State = "CREATED"
	Rebalancing     State = "REBALANCING"
	Running         State = "RUNNING"
	PendingShutdown State = "PENDING_SHUTDOWN"
	NotRunning      State = "NOT_RUNNING"
	PendingError    State = "PENDING_ERROR"
	Error           State = "ERROR"
)

// defaultLinger is the producers' linger.ms, in ms. Kafka Streams has 100, to gather batches; here a thread hands over what a whole round
// of its loop has written at once, so that a short linger costs nothing and an output does not wait for it.
const defaultLinger = 5

// Instance runs a topology: KafkaStreams. Its threads are the host's.
type Instance struct {
	cfg     Config
	top     *Topology
	cluster broker.Cluster
	h       host.Host
	log     *slog.Logger
	cache   *pebble.Cache
	lock    io.Closer

	mu      sync.Locker
	cond    host.Cond
	state   State
	threads []*thread.Thread
	alive   int
	global  *thread.Global // nil: there are no global stores, or its thread has ended
	globals func(store string) *state.Handle
	err     error
}

// NewInstance returns an instance that Start starts. The cluster stays the caller's. A nil host is the machine itself; the lab gives a
// simulated one.
func NewInstance(t *Topology, cfg Config, cluster broker.Cluster, h host.Host) *Instance {
	if h == nil {
		h = host.NewMachine()
	}
	i := &Instance{cfg: cfg, top: t, cluster: cluster, h: h, state: Created, log: h.Log().With("application", cfg.ApplicationID)}
	i.mu = h.NewMutex()
	i.cond = h.NewCond(i.mu)
	return i
}

// Start opens the state directory and starts the threads. It returns before they have their tasks.
func (i *Instance) Start() error {
	if i.State() != Created {
		return fmt.Errorf("streams: an instance is started once; this one is %s", i.State())
	}
	if err := i.top.Check(); err != nil {
		return err
	}
	globals := i.top.t.Globals()
	if (i.cfg.Threads < 1 || !i.reads()) && globals == nil {
		return &topology.Error{Text: "Topology has no stream threads and no global threads, must subscribe to at least one source topic or global table."}
	}
	for _, name := range i.cfg.Unknown {
		i.log.Warn("streams: unknown property, ignored", "property", name)
	}
	if err := i.openStateDir(); err != nil {
		return err
	}
	if i.cfg.ClientID == "" {
		i.cfg.ClientID = i.cfg.ApplicationID + "-" + i.processID()
	}
	i.setState(Rebalancing)
	tc := i.taskConfig()
	if i.reads() {
		for n := 1; n <= i.cfg.Threads; n++ {
			i.threads = append(i.threads, thread.New(i.threadConfig(n, tc)))
		}
	}
	if globals != nil {
		i.startGlobal(tc, globals)
	} else {
		i.startThreads()
	}
	return nil
}

// openStateDir takes the directory and reads, or makes, the process id that is kept there (kafka-streams-process-metadata).
func (i *Instance) openStateDir() error {
	fs, dir := i.h.FS(), path.Join(i.cfg.StateDir, i.cfg.ApplicationID)
	if err := makeDir(fs, dir); err != nil {
		return fmt.Errorf("streams: state.dir %s: %w", i.cfg.StateDir, err)
	}
	lock, err := fs.Lock(path.Join(dir, ".lock"))
	if err != nil {
		return fmt.Errorf("streams: the state directory %s is in use by another instance (%w): give each instance on a machine its own state.dir", dir, err)
	}
	i.lock = lock
	if i.cfg.ProcessID != ([16]byte{}) {
		return nil
	}
	name := path.Join(dir, "kafka-streams-process-metadata")
	if id, ok := readProcessID(fs, name); ok {
		i.cfg.ProcessID = id
		return nil
	}
	r := i.h.Rand("process-id")
	for b := range i.cfg.ProcessID {
		i.cfg.ProcessID[b] = byte(r.Uint32())
	}
	i.cfg.ProcessID[6], i.cfg.ProcessID[8] = i.cfg.ProcessID[6]&0x0f|0x40, i.cfg.ProcessID[8]&0x3f|0x80 // a random UUID's version and variant
	return writeProcessID(fs, name, i.processID())
}

// makeDir makes a directory and those above it, so that they outlive the machine's death.
func makeDir(fs vfs.FS, dir string) error {
	var fresh []string
	for d := dir; ; d = path.Dir(d) {
		_, err := fs.Stat(d)
		if err == nil || d == path.Dir(d) {
			break
		}
		fresh = append(fresh, d)
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range fresh {
		if err := syncDir(fs, path.Dir(d)); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(fs vfs.FS, dir string) error {
	f, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type processMetadata struct {
	ProcessID string `json:"processId"`
}

func readProcessID(fs vfs.FS, name string) (id [16]byte, ok bool) {
	f, err := fs.Open(name)
	if err != nil {
		return id, false
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	var m processMetadata
	if err != nil || json.Unmarshal(b, &m) != nil || len(m.ProcessID) != 36 {
		return id, false
	}
	raw := m.ProcessID[0:8] + m.ProcessID[9:13] + m.ProcessID[14:18] + m.ProcessID[19:23] + m.ProcessID[24:]
	n, err := hex.Decode(id[:], []byte(raw))
	return id, err == nil && n == 16
}

func writeProcessID(fs vfs.FS, name, id string) error {
	b, err := json.Marshal(processMetadata{id})
	if err != nil {
		return err
	}
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("streams: %s: %w", name, err)
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close(), syncDir(fs, path.Dir(name)))
}

func (i *Instance) processID() string {
	h := hex.EncodeToString(i.cfg.ProcessID[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (i *Instance) taskConfig() *task.Config {
	tc := TaskConfig(i.top, &i.cfg, i.h)
	tc.Dropped = i.dropped
	if !i.cfg.MemoryEngine {
		i.cache = pebble.NewCache(50 << 20)
		tc.OpenEngine = func(id processor.TaskID) (state.Engine, error) {
			return state.OpenPebble(path.Join(i.cfg.taskDir(id.String()), "pebble"), state.PebbleOptions{FS: i.h.FS(), Log: i.log, Cache: i.cache})
		}
	}
	return tc
}

func (i *Instance) dropped(id processor.TaskID, node, reason string) {
	if i.h.Tracing() {
		i.h.Emit(trace.Event{Kind: "record.drop", Fields: []trace.Field{trace.F("task", id.String()), trace.F("processor", node), trace.F("reason", reason)}})
	}
}

func (i *Instance) threadConfig(n int, tc *task.Config) thread.Config {
	c := &i.cfg
	name := c.ClientID + "-StreamThread-" + strconv.Itoa(n)
	cfg := thread.Config{Name: name, Task: tc, Cluster: i.cluster, ExactlyOnce: c.ExactlyOnce, CommitInterval: c.CommitInterval, TaskTimeout: c.TaskTimeout, PurgeInterval: c.PurgeInterval,
		MaxPoll: c.MaxPollRecords, CacheBytes: c.CacheBytes / int64(c.Threads), Uncommitted: c.Uncommitted, Reset: c.reset(), Leave: true,
		Restore: c.restoreConsumer(name + "-restore-consumer"), State: func(thread.State) { i.follow() }}
	cfg.Producer = c.producerConfig(name + "-producer")
	if c.ExactlyOnce {
		cfg.Producer.TransactionalID = c.ApplicationID + "-" + i.processID() + "-" + strconv.Itoa(n)
	}
	cfg.Member = broker.MemberConfig{ConsumerConfig: c.mainConsumer(name + "-consumer"), Group: c.ApplicationID, Topics: i.subscription(),
		SessionTimeout: c.SessionTimeout, HeartbeatInterval: c.HeartbeatInterval, RebalanceTimeout: c.MaxPollInterval}
	cfg.Member.Reset = broker.ResetNone // the thread does
	if i.top.t.HasPatterns() {
		cfg.Member.Matches = i.matches
	}
	if c.InstanceID != "" {
		cfg.Member.InstanceID = c.InstanceID + "-" + strconv.Itoa(n)
	}
	cfg.Assignor = func(r assign.Reporter) broker.Assignor {
		return assign.New(assign.Config{ApplicationID: c.prefix(), ProcessID: c.ProcessID, Endpoint: c.Endpoint, Topology: i.top.t, Admin: i.cluster.Admin(),
			Host: i.h, ReplicationFactor: c.ReplicationFactor, TopicConfigs: c.TopicConfigs, AdditionalRetention: c.AdditionalRetention}, r)
	}
	return cfg
}

// subscription is every topic that the topology reads, by its name on the cluster.
func (i *Instance) subscription() []string {
	var out []string
	for _, t := range i.top.t.SourceTopics() {
		if i.top.t.IsRepartition(t) {
			t = i.cfg.prefix() + "-" + t
		}
		out = append(out, t)
	}
	return out
}

// matches says whether a pattern of the topology matches a topic. The application's own internal topics match none.
func (i *Instance) matches(topic string) bool {
	return i.top.t.Matches(topic) && !i.top.t.IsInternal(topic, i.cfg.prefix())
}

// reads says whether there are streams or tables to be read by tasks.
func (i *Instance) reads() bool { return len(i.top.t.SourceTopics()) > 0 || i.top.t.HasPatterns() }

// follow derives the instance's state from its threads'.
func (i *Instance) follow() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != Rebalancing && i.state != Running {
		return
	}
	running := true
	for _, t := range i.threads {
		s := t.State()
		running = running && (s == thread.Running || s == thread.Dead)
	}
	next := Rebalancing
	if running {
		next = Running
	}
	i.move(next)
}

// move changes the state; the caller holds mu.
func (i *Instance) move(s State) {
	if i.state == s {
		return
	}
	i.state = s
	i.cond.Broadcast()
	if i.h.Tracing() {
		i.h.Emit(trace.Event{Kind: "instance.state", Fields: []trace.Field{trace.F("state", string(s))}})
	}
}

func (i *Instance) setState(s State) {
	i.mu.Lock()
	i.move(s)
	i.mu.Unlock()
}

// ended takes note of a thread's end. A failure ends the instance (SHUTDOWN_CLIENT).
func (i *Instance) ended(err error) {
	i.mu.Lock()
	i.alive--
	failed := err != nil && i.err == nil
	if failed {
		i.err = err
		i.move(PendingError)
	}
	last, global := i.alive == 0, i.global
	i.mu.Unlock()
	if last && global != nil {
		global.Stop()
		last = false
	}
	if failed {
		i.log.Error("streams: a thread failed; the instance stops", "error", err)
		for _, t := range i.threads {
			t.Stop(true)
		}
	}
	if last {
		i.release()
	}
}

// release gives the state directory back, after the last thread.
func (i *Instance) release() {
	if i.lock != nil {
		if err := i.lock.Close(); err != nil {
			i.log.Warn("streams: unlock the state directory", "error", err)
		}
	}
	if i.cache != nil {
		i.cache.Unref()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		i.move(Error)
	} else {
		i.move(NotRunning)
	}
	i.cond.Broadcast()
}

// State is the instance's state.
func (i *Instance) State() State {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state
}

// Err is what ended the instance, or nil.
func (i *Instance) Err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.err
}

// Threads is the number of stream threads that have not ended.
func (i *Instance) Threads() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.alive
}

// Stop asks the instance to commit, to close its tasks, and (with leave) to leave the group, and returns at once.
func (i *Instance) Stop(leave bool) {
	i.mu.Lock()
	if i.state == Rebalancing || i.state == Running {
		i.move(PendingShutdown)
	}
	global := i.global
	if i.alive > 0 {
		global = nil // it is stopped after the last thread that reads its stores
	}
	i.mu.Unlock()
	for _, t := range i.threads {
		t.Stop(leave)
	}
	if global != nil {
		global.Stop()
	}
}

// Wait blocks until the instance has ended, and returns what ended it: nil after a Stop.
func (i *Instance) Wait(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for i.state != NotRunning && i.state != Error {
		if err := i.cond.Wait(ctx, time.Time{}); err != nil {
			return err
		}
	}
	return i.err
}

// TaskView is a snapshot of a task.
type TaskView = thread.TaskView

// Tasks are the active tasks of all threads as of their last commits.
func (i *Instance) Tasks() []TaskView {
	var out []TaskView
	for _, t := range i.threads {
		out = append(out, t.Tasks()...)
	}
	return out
}

// TaskID names a task.
type TaskID = processor.TaskID

// Rows are what the stores of tasks hold, in the form of their changelogs.
type Rows = thread.Rows

// Inspect returns what the stores of the running tasks hold. It asks each thread in turn, between two turns of its loop.
func (i *Instance) Inspect(ctx context.Context) (Rows, error) {
	out := Rows{}
	for _, t := range i.threads {
		rows, err := t.Inspect(ctx)
		if err != nil {
			return nil, err
		}
		for id, r := range rows { // into a map again
			out[id] = r
		}
	}
	return out, nil
}
