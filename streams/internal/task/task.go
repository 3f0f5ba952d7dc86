// Package task is for one task: a sub-topology over one partition of its inputs, with its stores, its queues, its clocks and its part
// of the commit. It is Kafka's StreamTask with PartitionGroup, ProcessorStateManager and RecordCollector.
//
// A task belongs to one thread at a time: the restoring thread until its state is complete, then the stream thread.
package task

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// syncEvery is how often, in ms, committed state is made safe from the machine's death.
const syncEvery = 30_000

// Config is what all tasks of an instance share.
type Config struct {
	ApplicationID string
	Topology      *topology.Topology
	Host          host.Host
	MaxTaskIdle   int64 // ms: max.task.idle.ms
	Buffered      int   // buffered.records.per.partition
	// OpenEngine opens the database of a task's persistent stores; nil: memory.
	OpenEngine func(id processor.TaskID) (state.Engine, error)
	Handlers   Handlers
	// AppConfigs are the application's properties, and StateDir is the directory of a task's persistent stores. Nil: there is none.
	AppConfigs map[string]string
	StateDir   func(id processor.TaskID) string
	// Global finds a global store of the instance, to be read only; nil: there are none.
	Global func(store string) *state.Handle
	// ForgetTime switches off what Kafka does not have: operators' times are then forgotten with the task, as in Kafka Streams.
	ForgetTime bool
	// EmitInterval is processor.Task's.
	EmitInterval int64
	// Immediate: what is written to stores in memory is there at once, not at the commit. For a driver that takes nothing back.
	Immediate bool
	// Dropped is told of every dropped record; nil: nobody.
	Dropped func(id processor.TaskID, node, reason string)
}

// IsRepartition says whether a topic, by its name on the cluster, is one of the application's repartition topics.
func (c *Config) IsRepartition(topic string) bool {
	internal, ok := strings.CutPrefix(topic, c.ApplicationID+"-")
	return ok && c.Topology.IsRepartition(internal)
}

// Error is a failure of a record in a task, with its place: Kafka's StreamsException.
type Error struct {
	Task   processor.TaskID
	Node   string
	TP     broker.TopicPartition
	Offset int64
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("task %s, processor %s, %s offset %d: %v", e.Task, e.Node, e.TP, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Class is Kafka's name of the error kind.
func (e *Error) Class() string {
	if e.Task == GlobalID { // Kafka's global thread passes an error of its processors on as it is
		class, _ := errorKind(e.Err)
		return class
	}
	return "org.apache.kafka.streams.errors.StreamsException"
}

// FlushError is a failure while a store's cache was written: Kafka's ProcessorStateException.
type FlushError struct {
	Store string
	Err   error
}

func (e *FlushError) Error() string {
	return fmt.Sprintf("flush the cache of store %s: %v", e.Store, e.Err)
}
func (e *FlushError) Unwrap() error { return e.Err }

// Class is Kafka's name of the error kind.
func (e *FlushError) Class() string { return "org.apache.kafka.streams.errors.ProcessorStateException" }

// Task is one task.
type Task struct {
	cfg  *Config
	id   processor.TaskID
	sub  *topology.Subtopology
	log  *slog.Logger
	coll *Collector

	dbs    []*state.DB
	stores []*store // in the order of the topology

	nodes   []instance
	queues  []*queue // by topic and partition
	fresh   []*queue // have records, and no head ready yet
	heads   heads
	byTP    map[broker.TopicPartition]*queue
	ctx     processor.RecordContext
	numbers map[string]*int64
	names   map[string]string // by topic as a node names it: on the cluster
	outs    []out             // topics that were written to
	scratch map[string]*int64
	seed    map[string]int64 // what was committed when the task was activated
	saving  map[string]int64 // what Offsets gave out last
	saved   map[string]int64 // what was committed last
	puncts  [2]punctuations

	time      int64 // stream time
	wall      int64
	synced    int64 // when the stores were brought to the disk, on the wall clock
	idleSince int64
	wantEnds  bool
	dirty     bool // processed since the last commit
	commit    bool // a commit was asked for
	running   bool
}

// store is an open store of the task.
type store struct {
	*state.Handle
	db  *state.DB
	at  *state.Position
	log broker.TopicPartition // its changelog's partition
	out *partitionOut         // the same at the collector; nil: nothing was sent
}

// out is a topic that the task writes to, by its name at the node.
type out struct {
	name string
	*topicOut
}

type instance struct {
	node *topology.Node
	inst processor.Instance
}

// New makes a task and opens its stores. budget is the thread's record cache; coll its collector.
func New(cfg *Config, id processor.TaskID, inputs []broker.TopicPartition, budget *state.Budget, coll *Collector) (*Task, error) {
	t := &Task{cfg: cfg, id: id, sub: cfg.Topology.Subs[id.Subtopology], log: cfg.Host.Log().With("task", id.String()), coll: coll,
		byTP: map[broker.TopicPartition]*queue{}, numbers: map[string]*int64{}, names: map[string]string{}, time: -1}
	for _, tp := range slices.SortedFunc(slices.Values(inputs), broker.TopicPartition.Compare) {
		q := &queue{tp: tp, time: -1, position: broker.NoOffset, end: -1}
		t.queues = append(t.queues, q)
		t.byTP[tp] = q
	}
	t.ctx = processor.RecordContext{Partition: -1, Offset: -1}
	if err := t.openStores(budget); err != nil {
		return nil, errors.Join(err, t.closeStores())
	}
	return t, nil
}

func (t *Task) openStores(budget *state.Budget) error {
	var disk, memory *state.DB
	for _, spec := range t.sub.Stores {
		db := &memory
		if !spec.InMemory && t.cfg.OpenEngine != nil {
			db = &disk
		}
		if *db == nil {
			engine := state.Engine(state.NewMemory())
			if t.cfg.Immediate {
				engine = state.NewImmediate()
			}
			if db == &disk {
				var err error
				if engine, err = t.cfg.OpenEngine(t.id); err != nil {
					return err
				}
			}
			*db = state.OpenDB(engine)
			t.dbs = append(t.dbs, *db)
		}
		s := &store{db: *db}
		var err error
		if s.Handle, err = s.db.Open(*spec, state.OpenConfig{Budget: budget, Ctx: &t.ctx, Log: t.logger(spec, s), Expired: func() { t.expired(spec.Name) }}); err != nil {
			return err
		}
		t.stores = append(t.stores, s)
		if s.at, err = s.db.Position(s.Name); err != nil {
			return err
		}
		s.log = broker.TopicPartition{Topic: t.Changelog(s.Name), Partition: t.id.Partition}
	}
	return nil
}

// store is the task's store of that name, or nil.
func (t *Task) store(name string) *store {
	for _, s := range t.stores {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// expired counts a put that came too late for its store; not while restoring, when it was counted before.
func (t *Task) expired(store string) {
	if t.running {
		t.Drop(store, "expired segment")
	}
}

// logger is the changelog of a store, or nil.
func (t *Task) logger(spec *state.Spec, s *store) state.Log {
	if !spec.Logging {
		return nil
	}
	return func(key, value []byte, ts int64, headers []broker.Header) error {
		if s.out == nil {
			topic, err := t.coll.topic(s.log.Topic)
			if err != nil {
				return err
			}
			s.out = t.coll.partition(topic, s.log.Partition, nil)
		}
		return t.coll.send(s.out, broker.Record{Key: t.coll.clone(key), Value: value, Timestamp: ts, Headers: headers})
	}
}

// ID is the task's.
func (t *Task) ID() processor.TaskID { return t.id }

// ApplicationID is the application's.
func (t *Task) ApplicationID() string { return t.cfg.ApplicationID }

// AppConfigs implements processor.Task.
func (t *Task) AppConfigs() map[string]string { return t.cfg.AppConfigs }

// StateDir implements processor.Task.
func (t *Task) StateDir() string {
	if t.cfg.StateDir == nil {
		return ""
	}
	return t.cfg.StateDir(t.id)
}

// Changelogs are the logged stores and the offset from which each is to be restored; -1: from the beginning.
func (t *Task) Changelogs() map[string]int64 {
	out := map[string]int64{}
	for _, s := range t.stores {
		if s.Logging || s.Source != "" {
			out[s.Name] = s.at.Committed()
		}
	}
	return out
}

// Restore applies changelog records to a store.
func (t *Task) Restore(store string, records []broker.Record) error {
	s := t.store(store)
	for i := range records {
		if err := s.Restore(records[i].Key, records[i].Value, records[i].Timestamp); err != nil {
			return err
		}
	}
	return nil
}

// Restored commits what was restored, up to the given changelog offsets by store.
func (t *Task) Restored(offsets map[string]int64) error {
	for _, s := range t.stores {
		if o, ok := offsets[s.Name]; ok {
			s.at.Advance(o)
		}
	}
	return t.commitStores()
}

// Wipe empties a store whose changelog no longer has what it would need.
func (t *Task) Wipe(store string) error { return t.store(store).db.Wipe(store) }

func (t *Task) commitStores() error {
	for _, db := range t.dbs {
		if err := db.CommitPositions(); err != nil {
			return err
		}
	}
	return nil
}

// syncStores brings commits to the disk now and then, which bounds what a machine that dies must restore. A process that dies loses
// nothing: what it has written is the operating system's.
func (t *Task) syncStores() error {
	if t.wall-t.synced < syncEvery {
		return nil
	}
	t.synced = t.wall
	for _, db := range t.dbs {
		if err := db.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// Activate builds the nodes and starts at the committed positions; a partition without one starts at reset, which the consumer knows.
func (t *Task) Activate(committed map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	t.seed = map[string]int64{}
	for _, q := range t.queues {
		c, ok := committed[q.tp]
		if !ok {
			continue
		}
		q.position = c.Offset
		time, numbers, err := DecodeMetadata(c.Metadata)
		if err != nil {
			t.log.Warn("streams: ignoring the metadata of a committed offset", "partition", q.tp.String(), "error", err)
		}
		q.time = time
		t.time = max(t.time, time)
		for k, v := range numbers { // a maximum does not depend on order
			if have, ok := t.seed[k]; !ok || v > have {
				t.seed[k] = v
			}
		}
	}
	t.saved = t.seed
	for k := range t.seed { // each by itself: what nobody asks for is kept and committed again
		t.Metadata(k, 0)
	}
	if err := t.build(); err != nil {
		return err
	}
	t.running = true
	if h := t.cfg.Host; h.Tracing() {
		h.Emit(trace.Event{Kind: "task.running", Fields: []trace.Field{trace.F("task", t.id.String()), trace.I("stream-time", t.time)}})
	}
	return nil
}

func (t *Task) build() error {
	byName := map[string]processor.Instance{}
	for _, n := range t.sub.Nodes {
		inst := n.New()
		byName[n.Name] = inst
		t.nodes = append(t.nodes, instance{n, inst})
	}
	for _, n := range t.nodes {
		var kids []processor.Child
		for _, c := range n.node.Children {
			kids = append(kids, processor.Child{Name: c.Name, Node: byName[c.Name], Sink: c.Kind == topology.SinkNode})
		}
		if err := n.inst.Connect(kids); err != nil {
			return err
		}
	}
	for _, n := range t.nodes {
		for _, q := range t.queues { // one of each topic; all partitions of it in a global task
			t.connect(n, q)
		}
		if err := n.inst.Init(t); err != nil {
			return fmt.Errorf("streams: task %s, processor %s: %w", t.id, n.node.Name, err)
		}
	}
	return nil
}

// TopicName is the name on the cluster of a topic that a node names: internal ones get the application's prefix.
func (t *Task) TopicName(topic string) string {
	if name, ok := t.names[topic]; ok {
		return name
	}
	name := topic
	if t.cfg.Topology.IsRepartition(topic) {
		name = t.cfg.ApplicationID + "-" + topic
	}
	t.names[topic] = name
	return name
}

// few is up to how many things are looked for one after another rather than in a map.
const few = 8

// queue is that of an input, or nil.
func (t *Task) queue(tp broker.TopicPartition) *queue {
	if len(t.queues) > few {
		return t.byTP[tp]
	}
	for _, q := range t.queues {
		if q.tp == tp {
			return q
		}
	}
	return nil
}

// Add takes a polled batch. It returns true when the partition should be paused, since enough of it is buffered.
func (t *Task) Add(b *broker.Batch, committed bool) (pause bool) {
	q := t.queue(b.TopicPartition)
	end := b.HighWatermark
	if committed {
		end = b.LastStable
	}
	empty := q.len() == 0
	q.add(b, end)
	if empty && q.len() > 0 && !slices.Contains(t.fresh, q) {
		t.fresh = append(t.fresh, q)
	}
	if q.len() > t.cfg.Buffered && !q.paused {
		q.paused = true
		return true
	}
	return false
}

// SetEnd tells the end of a partition that nothing was polled of, and the consumer's position in it (-1: unknown as yet).
func (t *Task) SetEnd(tp broker.TopicPartition, position, end int64) {
	q := t.byTP[tp]
	q.end = max(q.end, end)
	if q.position < 0 {
		q.position = position
	}
}

// WantEnds are the partitions whose end the task must know before it can go on, and clears the wish.
func (t *Task) WantEnds() (tps []broker.TopicPartition) {
	if !t.wantEnds {
		return nil
	}
	t.wantEnds = false
	for _, q := range t.queues {
		if q.end < 0 || q.position < 0 {
			tps = append(tps, q.tp)
		}
	}
	return tps
}

// Process processes up to n records. It returns how many, the partitions to resume, and when (wall clock, ms; 0: never) it may be able
// to go on without a new record.
func (t *Task) Process(n int, now int64) (done int, resume []broker.TopicPartition, wait int64, err error) {
	for done < n {
		q, w, err := t.choose(now)
		if err != nil || q == nil {
			return done, resume, w, err
		}
		if err := t.process(q, now); err != nil {
			return done, resume, 0, err
		}
		done++
		if q.paused && q.len() <= t.cfg.Buffered {
			q.paused = false
			resume = append(resume, q.tp)
		}
	}
	return done, resume, 0, nil
}

// process processes a queue's head. The record behind it is read first, as in Kafka: what comes of that, such as a dead letter, comes before
// what comes of the head, and an error is before the head has been processed.
func (t *Task) process(q *queue, now int64) error {
	ts, corrupt, slot := q.ts, q.corrupt, q.slot
	t.wall = now
	t.heads.poll()
	raw := q.pop()
	q.slot, q.spare = q.spare, slot
	q.time = max(q.time, ts)
	if q.len() > 0 {
		t.fresh = append(t.fresh, q)
		if err := t.Load(); err != nil {
			return err
		}
	}
	t.dirty = true
	if corrupt {
		return nil
	}
	t.time = max(t.time, ts)
	t.ctx = processor.RecordContext{Topic: q.tp.Topic, Partition: q.tp.Partition, Offset: raw.Offset, Timestamp: ts, Headers: raw.Headers}
	if t.cfg.Handlers.keepRaw() {
		t.ctx.RawKey, t.ctx.RawValue = raw.Key, raw.Value
	}
	if err := slot.Process(); err != nil {
		return t.located(q.source, err)
	}
	return nil
}

func (t *Task) located(node string, err error) error {
	if processor.IsTaskError(err) {
		return err
	}
	var f *processor.Failed
	if errors.As(err, &f) {
		node, err = f.Node, f.Err
	}
	return &Error{t.id, node, broker.TopicPartition{Topic: t.ctx.Topic, Partition: t.ctx.Partition}, t.ctx.Offset, err}
}

// NeedsCommit says whether anything has happened since the last commit.
func (t *Task) NeedsCommit() bool {
	if t.dirty {
		return true
	}
	return slices.ContainsFunc(t.queues, func(q *queue) bool { return q.dirty })
}

// CommitRequested says whether a processor asked for a commit.
func (t *Task) CommitRequested() bool { return t.commit }

// Uncommitted is about how many bytes of state wait for the commit.
func (t *Task) Uncommitted() (n int64) {
	for _, db := range t.dbs {
		n += db.Pending()
	}
	return n
}

// PrepareCommit writes the caches, which may send records. All of them are written, as in Kafka, and the first error is told.
func (t *Task) PrepareCommit(now int64) error {
	t.wall = now
	var first error
	for _, s := range t.stores {
		if err := s.Flush(); err != nil {
			if err = t.located(s.Name, err); processor.IsTaskError(err) {
				return err
			}
			if first == nil {
				first = &FlushError{s.Name, err}
			}
		}
	}
	return first
}

// Offsets are the positions to commit, of the partitions that have moved; of all of them when nothing but the numbers has changed, which
// travel with the positions.
func (t *Task) Offsets() map[broker.TopicPartition]broker.OffsetAndMetadata {
	t.saving = t.toSave()
	moved := slices.ContainsFunc(t.queues, func(q *queue) bool { return q.dirty })
	all := !moved && !maps.Equal(t.saving, t.saved)
	out := map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, q := range t.queues {
		if o := q.committable(); (q.dirty || all) && o >= 0 {
			out[q.tp] = broker.OffsetAndMetadata{Offset: o, LeaderEpoch: -1, Metadata: EncodeMetadata(q.time, t.saving)}
		}
	}
	return out
}

// Committed is what a task that starts where this one is finds committed, once this one has committed: all positions, with the numbers.
func (t *Task) Committed() map[broker.TopicPartition]broker.OffsetAndMetadata {
	numbers := t.toSave()
	out := map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, q := range t.queues {
		if o := q.committable(); o >= 0 {
			out[q.tp] = broker.OffsetAndMetadata{Offset: o, LeaderEpoch: -1, Metadata: EncodeMetadata(q.time, numbers)}
		}
	}
	return out
}

// toSave are the numbers that are committed with the positions.
func (t *Task) toSave() map[string]int64 {
	out := map[string]int64{}
	for k, p := range t.numbers { // into a map again
		if !t.cfg.ForgetTime || !strings.HasPrefix(k, operator.TimeKey) {
			out[k] = *p
		}
	}
	return out
}

// PostCommit makes the state durable, after the broker has confirmed the commit.
func (t *Task) PostCommit() error {
	for _, s := range t.stores {
		switch {
		case s.Logging && s.out == nil:
			s.out = t.coll.written(s.log)
		case s.Logging:
		case s.Source != "":
			if q := t.queue(s.log); q != nil {
				s.at.Advance(q.committable())
			}
		}
		// the collector may remember less than was restored since, from an earlier time of the task on this thread
		if s.out != nil && s.out.next > s.at.Committed() {
			s.at.Advance(s.out.next)
		}
	}
	if err := t.commitStores(); err != nil {
		return err
	}
	if err := t.syncStores(); err != nil {
		return err
	}
	t.dirty, t.commit, t.saved = false, false, t.saving
	for _, q := range t.queues {
		q.dirty = false
	}
	return nil
}

// FromSource are the inputs that stores are restored from instead of a changelog, by store.
func (t *Task) FromSource() map[string]broker.TopicPartition {
	out := map[string]broker.TopicPartition{}
	for _, s := range t.stores {
		if s.Source != "" {
			out[s.Name] = s.log
		}
	}
	return out
}

// Behind says whether a store that is restored from an input has less of it than the group has committed: then what lies between would
// never reach the store.
func (t *Task) Behind(committed map[broker.TopicPartition]broker.OffsetAndMetadata) bool {
	for _, s := range t.stores {
		if s.Source == "" {
			continue
		}
		if c, ok := committed[s.log]; ok && s.at.Committed() < c.Offset {
			return true
		}
	}
	return false
}

// Inputs are the task's partitions.
func (t *Task) Inputs() []broker.TopicPartition {
	var tps []broker.TopicPartition
	for _, q := range t.queues {
		tps = append(tps, q.tp)
	}
	return tps
}

// Position is the committed-to-be position of an input, -1 when unknown.
func (t *Task) Position(tp broker.TopicPartition) int64 { return t.byTP[tp].position }

// Running says whether the task was activated.
func (t *Task) Running() bool { return t.running }

// Dropped are the records dropped so far by node, over all the task's life.
func (t *Task) Dropped() map[string]int64 {
	out := map[string]int64{}
	for k, p := range t.numbers { // into a map again
		if node, ok := strings.CutPrefix(k, operator.DropKey); ok {
			out[node] = *p
		}
	}
	return out
}

// Handles are the open stores, in the order of the topology.
func (t *Task) Handles() (out []*state.Handle) {
	for _, s := range t.stores {
		out = append(out, s.Handle)
	}
	return out
}

// Close closes nodes and stores. What was not committed is gone.
func (t *Task) Close() error {
	for _, n := range t.nodes {
		n.inst.Close()
	}
	t.nodes = nil
	t.running = false
	return t.closeStores()
}

func (t *Task) closeStores() error {
	var errs []error
	for _, s := range t.stores {
		s.Release()
	}
	for _, db := range t.dbs {
		errs = append(errs, db.Close())
	}
	t.dbs = nil
	return errors.Join(errs...)
}

// Numbers are the numbers that would be committed now, sorted by name.
func (t *Task) Numbers() []string {
	return slices.Sorted(maps.Keys(t.numbers))
}

// SetCollector gives the task another collector, after its thread's producer was replaced.
func (t *Task) SetCollector(c *Collector) {
	t.coll, t.outs = c, nil
	for _, s := range t.stores {
		s.out = nil
	}
}

// ThreadContext is the thread's context, for what blocks inside a node.
func (t *Task) ThreadContext() context.Context { return t.coll.ctx }
