package simulated

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// streamsMember is the client side of a streams group. Heartbeats are events; what they bring is taken over, with its callbacks, by the
// owner's thread in Poll, and confirmed by a heartbeat at once.
type streamsMember struct {
	*consumer
	cfg   broker.StreamsMemberConfig
	id    string
	epoch int32 // 0: joining
	tasks broker.StreamsTasks

	target     *broker.StreamsTasks // to be taken over by the owner's thread
	lost       bool                 // likewise: what it had is gone
	status     []broker.StreamsStatus
	newStatus  bool // status is to be told
	endpoints  []broker.StreamsEndpoint
	endpointAt int32 // of the endpoints; -1: none known
	shutdown   bool
	fatal      error

	beat         *sim.Timer
	interval     time.Duration
	offsetsEvery time.Duration
	offsetsDue   time.Time
	offsets      []broker.StreamsTaskOffset // for the next heartbeat
	under        bool                       // a heartbeat is under way
	again        bool                       // another is to follow it at once
	serial       int                        // answers to older heartbeats are void
	tries        int
	left         bool
}

var _ broker.StreamsCluster = (*client)(nil)

// JoinStreamsGroup is broker.StreamsCluster's.
func (c *client) JoinStreamsGroup(_ context.Context, cfg broker.StreamsMemberConfig) (broker.StreamsMember, error) {
	cfg.RebalanceTimeout = cmp.Or(cfg.RebalanceTimeout, 5*time.Minute)
	cfg.ClientID = cmp.Or(cfg.ClientID, c.p.Name())
	if cfg.Group == "" || cfg.ProcessID == "" || cfg.Listener == nil {
		return nil, &broker.Error{Op: "StreamsGroupHeartbeat", Kind: broker.ErrFatal, Text: "a member needs a group, a process id and a listener"}
	}
	m := &streamsMember{
		consumer: newConsumer(c, cfg.ConsumerConfig), cfg: cfg, id: c.m.newUUID(), endpointAt: -1, offsetsEvery: time.Minute,
		interval: c.m.cfg.StreamsHeartbeatInterval,
	}
	m.committed = func(tps []broker.TopicPartition, done func(map[broker.TopicPartition]broker.OffsetAndMetadata, error)) {
		c.findCommitted(cfg.Group, tps, done)
	}
	m.beatNow()
	return m, nil
}

// DescribeStreamsGroup is broker.StreamsCluster's.
func (c *client) DescribeStreamsGroup(ctx context.Context, group string) (broker.StreamsGroupDescription, error) {
	resp, err := c.callCoordinator(ctx, coordinatorCall{
		op: "StreamsGroupDescribe", kind: groupKind, key: group, req: &describeStreamsRequest{group}, text: group,
		code: func(resp any) code { return resp.(*describeStreamsResponse).code },
	})
	if err != nil {
		return broker.StreamsGroupDescription{}, err
	}
	return resp.(*describeStreamsResponse).group, nil
}

// Assign is refused.
func (m *streamsMember) Assign(context.Context, map[broker.TopicPartition]int64) error {
	return &broker.Error{Op: "Assign", Kind: broker.ErrFatal, Text: "a group member's assignment comes from its group"}
}

// Poll is broker.Consumer's.
func (m *streamsMember) Poll(ctx context.Context, limit int, wait time.Duration) ([]broker.Batch, error) {
	return m.poll(ctx, limit, wait, m.advance)
}

// advance takes over what the heartbeats brought, and says whether a callback has run.
func (m *streamsMember) advance(ctx context.Context) (called bool, err error) {
	if m.left {
		return false, broker.ErrClosed
	}
	if m.cfg.Offsets != nil && !m.c.p.Now().Before(m.offsetsDue) {
		m.offsets = m.cfg.Offsets()
		m.offsetsDue = m.c.p.Now().Add(m.offsetsEvery)
	}
	for {
		switch {
		case m.fatal != nil:
			m.forsake(ctx)
			return called, m.fatal
		case m.lost:
			m.lost = false
			called = m.forsake(ctx) || called
			m.beatNow()
		case m.newStatus:
			m.newStatus, called = false, true
			m.cfg.Listener.Status(ctx, m.status)
		case m.target != nil:
			t := m.target
			m.target = nil
			if equalTasks(*t, m.tasks) {
				continue
			}
			if err := m.takeOver(ctx, *t); err != nil {
				return called, err
			}
			called = true
		default:
			return called, nil
		}
		if err := ctx.Err(); err != nil {
			return called, err
		}
	}
}

// forsake gives everything up without a chance to commit.
func (m *streamsMember) forsake(ctx context.Context) bool {
	had := !noTasks(m.tasks)
	m.tasks, m.target = broker.StreamsTasks{}, nil
	m.assign(nil, nil)
	if had {
		m.cfg.Listener.Lost(ctx)
	}
	return had
}

// takeOver goes from one assignment to the next, and lets the group know.
func (m *streamsMember) takeOver(ctx context.Context, next broker.StreamsTasks) error {
	if gone := minusTasks(m.tasks.Active, next.Active); len(gone) > 0 {
		m.cfg.Listener.Revoked(ctx, gone)
	}
	tps, err := m.sourcePartitions(ctx, next.Active)
	if err != nil {
		return err
	}
	m.tasks = next
	m.assign(tps, nil)
	m.cfg.Listener.Assigned(ctx, cloneTasks(next))
	m.fetch()
	m.beatNow()
	return nil
}

// sourcePartitions are those of active tasks that exist.
func (m *streamsMember) sourcePartitions(ctx context.Context, active []broker.StreamsTask) ([]broker.TopicPartition, error) {
	var topics []string
	var tps []broker.TopicPartition
	for _, t := range active {
		for _, name := range sourcesOf(&m.cfg.Topology, t.Subtopology) {
			topics = append(topics, name)
			tps = append(tps, broker.TopicPartition{Topic: name, Partition: t.Partition})
		}
	}
	slices.Sort(topics)
	if topics = slices.Compact(topics); len(topics) > 0 {
		if err := m.c.refresh(ctx, topics...); err != nil {
			return nil, err
		}
	}
	tps = slices.DeleteFunc(tps, func(tp broker.TopicPartition) bool {
		t := m.c.topics[tp.Topic]
		return t == nil || int(tp.Partition) >= len(t.leaders)
	})
	slices.SortFunc(tps, broker.TopicPartition.Compare)
	return slices.Compact(tps), nil
}

// Metadata is broker.StreamsMember's.
func (m *streamsMember) Metadata() broker.GroupMetadata {
	return broker.GroupMetadata{Group: m.cfg.Group, MemberID: m.id, InstanceID: m.cfg.InstanceID, Generation: m.epoch}
}

// Tasks is broker.StreamsMember's.
func (m *streamsMember) Tasks() broker.StreamsTasks { return cloneTasks(m.tasks) }

// Endpoints is broker.StreamsMember's.
func (m *streamsMember) Endpoints() []broker.StreamsEndpoint { return slices.Clone(m.endpoints) }

// Shutdown is broker.StreamsMember's.
func (m *streamsMember) Shutdown() {
	m.shutdown = true
	m.beatNow()
}

// Commit is broker.StreamsMember's.
func (m *streamsMember) Commit(ctx context.Context, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	switch {
	case m.closed || m.left:
		return broker.ErrClosed
	case m.fatal != nil:
		return m.fatal
	case m.lost || m.epoch <= 0:
		return codeUnknownMember.err("OffsetCommit", m.cfg.Group)
	case len(offsets) == 0:
		return nil
	}
	err := m.c.retry(ctx, "OffsetCommit", func() (bool, error) {
		req := commitRequest(m.Metadata(), offsets) // with the epoch as it is by now
		call := coordinatorCall{
			op: "OffsetCommit", kind: groupKind, key: m.cfg.Group, req: &req, text: m.cfg.Group,
			code: func(resp any) code { return resp.(*offsetCommitResponse).code },
		}
		_, err := m.c.callCoordinator(ctx, call)
		var e *broker.Error
		stale := errors.As(err, &e) && e.Code == int16(codeStaleMemberEpoch)
		if stale && !m.lost {
			m.beatNow()
			return false, err
		}
		return true, err
	})
	if errors.Is(err, broker.ErrUnknownMember) {
		m.expel()
	}
	return err
}

// Committed is broker.StreamsMember's.
func (m *streamsMember) Committed(ctx context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	if len(tps) == 0 {
		return map[broker.TopicPartition]broker.OffsetAndMetadata{}, nil
	}
	return m.c.committedOffsets(ctx, &offsetFetchRequest{m.cfg.Group, tps, true})
}

// Leave is broker.StreamsMember's.
func (m *streamsMember) Leave(ctx context.Context) error {
	if m.left || m.closed {
		return nil
	}
	req := m.request()
	m.stop()
	m.left = true
	m.tasks = broker.StreamsTasks{}
	m.assign(nil, nil)
	if m.epoch == joinEpoch {
		return nil
	}
	req.epoch = leaveEpoch
	if m.cfg.InstanceID != "" {
		req.epoch = leaveStaticEpoch
	}
	_, err := m.c.callCoordinator(ctx, coordinatorCall{
		op: "StreamsGroupHeartbeat", kind: groupKind, key: m.cfg.Group, text: m.cfg.Group, req: req,
		code: func(resp any) code { return resp.(*streamsHeartbeatResponse).code },
	})
	if errors.Is(err, broker.ErrUnknownMember) || errors.Is(err, sim.ErrConnectionReset) {
		return nil
	}
	return err
}

// stop ends the heartbeats.
func (m *streamsMember) stop() {
	m.serial++
	if m.beat != nil {
		m.beat.Stop()
	}
}

// Close is broker.Consumer's: the group learns of it by the session time-out.
func (m *streamsMember) Close() {
	if !m.closed {
		m.stop()
		m.consumer.Close()
	}
}
