package simulated

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// streamsHeartbeatRequest is StreamsGroupHeartbeat. What a member says of itself comes with epoch 0 only.
type streamsHeartbeatRequest struct {
	group, member, instance   string
	epoch                     int32
	process, client, endpoint string
	tags                      map[string]string
	rebalanceTimeout          time.Duration
	topology                  *broker.StreamsTopology
	owned                     *broker.StreamsTasks // what it has now; nil: it does not say
	offsets                   []broker.StreamsTaskOffset
	shutdown                  bool
	endpoints                 int32 // what it knows of the endpoints; -1: nothing
}

// streamsHeartbeatResponse tells the member where it stands.
type streamsHeartbeatResponse struct {
	code           code
	text           string
	epoch          int32
	interval       time.Duration
	offsetInterval time.Duration
	tasks          broker.StreamsTasks
	status         []broker.StreamsStatus
	endpoints      []broker.StreamsEndpoint // nil: as the member knows them
	endpointEpoch  int32
}

func (b *node) streamsHeartbeat(r *streamsHeartbeatRequest, out reply) {
	answer := func(resp *streamsHeartbeatResponse) {
		out(resp, smallResponse+8*(len(resp.tasks.Active)+len(resp.tasks.Standby)))
	}
	c := b.groupCoordinator(r.group)
	if c == nil {
		answer(&streamsHeartbeatResponse{code: codeNotCoordinator})
		return
	}
	var resp *streamsHeartbeatResponse
	c.l.batch(func() { resp = c.streamsBeat(r) })
	c.l.read(func(e code) {
		if e != codeNone {
			resp = &streamsHeartbeatResponse{code: e}
		}
		answer(resp)
	})
}

func refusedBeat(c code, format string, args ...any) *streamsHeartbeatResponse {
	return &streamsHeartbeatResponse{code: c, text: fmt.Sprintf(format, args...)}
}

// streamsBeat does everything that one heartbeat brings about.
func (c *groupCoordinator) streamsBeat(r *streamsHeartbeatRequest) *streamsHeartbeatResponse {
	g := c.groups[r.group]
	switch {
	case g == nil && r.epoch != joinEpoch, g != nil && g.streams == nil && r.epoch != joinEpoch:
		return refusedBeat(codeGroupIDNotFound, "streams group %s not found", r.group)
	case g != nil && g.streams == nil && len(g.members)+len(g.pending) > 0:
		return refusedBeat(codeGroupIDNotFound, "group %s is not a streams group", r.group)
	}
	if r.epoch == leaveEpoch || r.epoch == leaveStaticEpoch {
		return c.streamsLeave(g, r)
	}
	if r.epoch == joinEpoch {
		if refused := c.streamsJoin(r); refused != nil {
			return refused
		}
		g = c.groups[r.group]
	} else if refused := g.streams.checkBeat(r); refused != nil {
		return refused
	}
	s, m := g.streams, g.streams.member(r.member)
	m.seen = c.m.k.Now()
	if r.offsets != nil {
		m.offsets = r.offsets
	}
	if r.shutdown && s.shutdown == "" {
		s.shutdown = r.member
	}
	c.watchStreamsSession(g, m)
	c.refreshTopology(g)
	c.maybeAssign(g)
	c.reconcile(g, m, r.owned)
	return c.streamsAnswer(g, m, r)
}

// checkBeat validates a member's epoch: the present one, or the one before when the answer that brought the present one was lost.
func (s *streamsGroup) checkBeat(r *streamsHeartbeatRequest) *streamsHeartbeatResponse {
	m := s.member(r.member)
	switch {
	case m == nil:
		return refusedBeat(codeUnknownMember, "member %s is not a member of group %s", r.member, r.group)
	case m.instance != r.instance:
		return refusedBeat(codeUnknownMember, "member %s is not the instance %s", r.member, r.instance)
	case r.epoch == m.current.epoch:
		return nil
	case r.epoch > m.current.epoch,
		r.epoch != m.current.previous,
		r.owned == nil || !within(*r.owned, eachRole(m.current.assigned, m.current.revoking, mergeTasks)):
		return refusedBeat(codeFencedMemberEpoch, "the member epoch is %d, not %d", m.current.epoch, r.epoch)
	}
	return nil
}

// streamsJoin takes a member in, again, or as the next incarnation of a static one that is away.
func (c *groupCoordinator) streamsJoin(r *streamsHeartbeatRequest) *streamsHeartbeatResponse {
	if r.topology == nil || r.process == "" || r.rebalanceTimeout <= 0 {
		return refusedBeat(codeInvalidRequest, "a joining member must name its topology, process id and rebalance time-out")
	}
	s := c.group(r.group).asStreams()
	old := s.static(r.instance)
	m := s.member(r.member)
	if refused := s.admit(r, m, old, c.m.cfg.GroupMaxSize); refused != nil {
		return refused
	}
	if s.topology == nil || len(s.members) == 0 && s.topology.Epoch <= r.topology.Epoch {
		c.write(streamsTopologyRecord{r.group, *r.topology})
		s.configured = nil
	}
	rec := streamsMemberRecord{
		group: r.group, member: r.member, instance: r.instance, process: r.process, client: r.client, endpoint: r.endpoint, tags: r.tags,
		rebalanceTimeout: r.rebalanceTimeout, topologyEpoch: r.topology.Epoch,
	}
	if old != nil && old.member != r.member { // it takes over what the other had
		current := old.current
		current.member, current.epoch, current.previous = r.member, old.current.previous, old.current.previous
		target := streamsTargetRecord{r.group, s.targetEpoch, []string{r.member}, []broker.StreamsTasks{old.target}}
		changed := !sameMember(rec, old.streamsMemberRecord)
		c.write(streamsMemberRecord{group: r.group, member: old.member, gone: true}, rec, target, current)
		c.emitStreams("streams.replace", r.group, r.member)
		if changed {
			c.bumpStreams(c.groups[r.group])
		}
		return nil
	}
	if m == nil {
		if len(s.members) == 0 && s.targetEpoch == 0 {
			c.delayStreams(c.groups[r.group])
		}
		c.emitStreams("streams.join", r.group, r.member)
	} else if sameMember(rec, m.streamsMemberRecord) {
		return nil
	}
	c.write(rec)
	c.bumpStreams(c.groups[r.group])
	return nil
}

// admit says why a member may not join; nil: it may.
func (s *streamsGroup) admit(r *streamsHeartbeatRequest, m, old *streamsMate, most int) *streamsHeartbeatResponse {
	switch {
	case m == nil && old == nil && most > 0 && len(s.members) >= most:
		return refusedBeat(codeGroupMaxSize, "the group has %d members", most)
	case old != nil && old.member != r.member && old.current.epoch != leaveStaticEpoch:
		return refusedBeat(codeUnreleasedInstance, "the instance %s is in use by member %s", r.instance, old.member)
	case s.topology == nil || len(s.members) == 0:
		return nil
	case r.topology.Epoch < s.topology.Epoch:
		return refusedBeat(codeStreamsTopologyFenced, "the topology epoch is %d, not %d", s.topology.Epoch, r.topology.Epoch)
	case r.topology.Epoch > s.topology.Epoch, !reflect.DeepEqual(*r.topology, *s.topology):
		return refusedBeat(codeStreamsInvalidTopology, "topology updates are not supported: the group has another topology")
	}
	return nil
}

func sameMember(a, b streamsMemberRecord) bool {
	return a.process == b.process && a.client == b.client && a.endpoint == b.endpoint && maps.Equal(a.tags, b.tags) &&
		a.rebalanceTimeout == b.rebalanceTimeout && a.topologyEpoch == b.topologyEpoch
}

// streamsLeave takes a member out; a static one only goes away for a while and keeps its tasks until its session ends.
func (c *groupCoordinator) streamsLeave(g *group, r *streamsHeartbeatRequest) *streamsHeartbeatResponse {
	m := g.streams.member(r.member)
	switch {
	case m == nil:
		return refusedBeat(codeUnknownMember, "member %s is not a member of group %s", r.member, r.group)
	case r.epoch == leaveStaticEpoch && m.instance == "":
		return refusedBeat(codeInvalidRequest, "member %s is not static", r.member)
	case r.epoch == leaveStaticEpoch:
		rec := m.current
		rec.epoch, rec.previous = leaveStaticEpoch, m.current.epoch
		c.write(rec)
		m.seen = c.m.k.Now()
		c.emitStreams("streams.away", r.group, r.member)
	default:
		c.removeStreams(g, m, "streams.leave")
	}
	return &streamsHeartbeatResponse{epoch: r.epoch}
}

// removeStreams takes a member out for good.
func (c *groupCoordinator) removeStreams(g *group, m *streamsMate, kind string) {
	c.emitStreams(kind, g.id, m.member)
	c.write(streamsMemberRecord{group: g.id, member: m.member, gone: true})
	if len(g.streams.members) == 0 {
		g.streams.shutdown = ""
	}
	c.bumpStreams(g)
	c.watchOffsets(g)
}

// bumpStreams begins the next epoch of the group.
func (c *groupCoordinator) bumpStreams(g *group) {
	s := g.streams
	c.write(streamsEpochRecord{group: g.id, epoch: s.epoch + 1, topics: s.topics})
	if c.m.k.Tracing() {
		c.emit("streams.epoch", trace.F("group", g.id), trace.I("epoch", int64(s.epoch)))
	}
}

// write appends records that nobody waits for by themselves: the answer to the heartbeat waits for all.
func (c *groupCoordinator) write(records ...any) { c.l.write(func(code) {}, records...) }

func (c *groupCoordinator) emitStreams(kind, group, member string) {
	if c.m.k.Tracing() {
		c.emit(kind, trace.F("group", group), trace.F("member", member))
	}
}

// streamsAnswer is what a member is told.
func (c *groupCoordinator) streamsAnswer(g *group, m *streamsMate, r *streamsHeartbeatRequest) *streamsHeartbeatResponse {
	s := g.streams
	resp := &streamsHeartbeatResponse{
		epoch: m.current.epoch, interval: c.m.cfg.StreamsHeartbeatInterval, offsetInterval: c.m.cfg.StreamsTaskOffsetInterval,
		tasks: m.current.assigned, endpointEpoch: s.endpoints,
	}
	resp.status = slices.Clone(s.configured.status)
	for i := range resp.status {
		if resp.status[i].Code == broker.MissingInternalTopics && s.created != "" {
			resp.status[i].Detail += " " + s.created
		}
	}
	if m.topologyEpoch != s.topology.Epoch {
		resp.status = append(resp.status, broker.StreamsStatus{Code: broker.StaleTopology,
			Detail: fmt.Sprintf("the topology epoch is %d, not %d", s.topology.Epoch, m.topologyEpoch)})
	}
	if s.shutdown != "" {
		resp.status = append(resp.status, broker.StreamsStatus{Code: broker.ShutdownApplication,
			Detail: fmt.Sprintf("Streams group member %s encountered a fatal error and requested a shutdown for the entire application.", s.shutdown)})
	}
	if s.epoch > s.targetEpoch && s.configured.ready() {
		resp.status = append(resp.status, broker.StreamsStatus{Code: broker.AssignmentDelayed, Detail: "Assignment is delayed."})
	}
	if r.endpoints != s.endpoints {
		resp.endpoints = c.streamsEndpoints(s)
	}
	return resp
}

// streamsEndpoints are where the group's processes can be asked; never nil.
func (c *groupCoordinator) streamsEndpoints(s *streamsGroup) []broker.StreamsEndpoint {
	out := []broker.StreamsEndpoint{}
	for _, m := range s.members {
		if m.endpoint == "" {
			continue
		}
		i := slices.IndexFunc(out, func(e broker.StreamsEndpoint) bool { return e.Endpoint == m.endpoint })
		if i < 0 {
			i, out = len(out), append(out, broker.StreamsEndpoint{Endpoint: m.endpoint})
		}
		out[i].Active = append(out[i].Active, s.sources(c.m, m.current.assigned.Active)...)
		out[i].Standby = append(out[i].Standby, s.sources(c.m, m.current.assigned.Standby)...)
	}
	for i := range out {
		slices.SortFunc(out[i].Active, broker.TopicPartition.Compare)
		slices.SortFunc(out[i].Standby, broker.TopicPartition.Compare)
	}
	slices.SortFunc(out, func(a, b broker.StreamsEndpoint) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return out
}

// sources are the source partitions of tasks, as far as they exist.
func (s *streamsGroup) sources(m *Model, tasks []broker.StreamsTask) []broker.TopicPartition {
	var out []broker.TopicPartition
	for _, t := range tasks {
		for _, name := range sourcesOf(s.topology, t.Subtopology) {
			if tp := (broker.TopicPartition{Topic: name, Partition: t.Partition}); m.partition(tp) != nil {
				out = append(out, tp)
			}
		}
	}
	return out
}

// sourcesOf are the topics that a sub-topology reads.
func sourcesOf(t *broker.StreamsTopology, sub string) []string {
	var out []string
	for i := range t.Subtopologies {
		if t.Subtopologies[i].ID == sub {
			out = append(out, t.Subtopologies[i].SourceTopics...)
			for _, x := range t.Subtopologies[i].RepartitionSources {
				out = append(out, x.Name)
			}
		}
	}
	return out
}
