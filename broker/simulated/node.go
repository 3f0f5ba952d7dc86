package simulated

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// node is one broker of the model: it owns no state but its fetch sessions; what it serves is what it leads.
type node struct {
	m           *Model
	id          int32
	addr        string
	up          bool
	incarnation int
	sessions    map[int64]*fetchSession
	used        map[quotaKey]*bucket
}

func brokerAddr(id int32) string { return fmt.Sprintf("broker-%d", id) }

func newNode(m *Model, id int32) *node {
	b := &node{m: m, id: id, addr: brokerAddr(id), up: true, sessions: map[int64]*fetchSession{}, used: map[quotaKey]*bucket{}}
	m.net.OnDisconnect(b.addr, b.disconnected)
	b.listen()
	return b
}

func (b *node) listen() { b.m.net.Listen(b.addr, b.handle) }

// reply sends a response of about so many bytes, once.
type reply func(resp any, bytes int)

const smallResponse = 64

// handle is where every request comes in.
func (b *node) handle(from string, req any, send func(any, int)) {
	out := reply(send)
	switch r := req.(type) {
	case *heartbeatRequest:
		b.heartbeat(r, out)
	case *produceRequest:
		b.produce(r, out)
	case *fetchRequest:
		b.fetch(from, r, out)
	case *txnAsk:
		b.answerAsk(r)
	case *txnAnswer:
		r.ask.end(r.code)
	case *markerMessage:
		b.writeMarkers(r)
	case *markerReply:
		r.message.round.answered(r)
	case *metadataRequest:
		b.metadata(r, out)
	case *watchRequest:
		b.watchTopics(from, r, out)
	case *coordinatorRequest:
		b.findCoordinator(r, out)
	case *epochRequest:
		b.offsetForEpoch(r, out)
	case *listOffsetsRequest:
		b.listOffsets(r, out)
	default:
		if !b.handleGroup(req, out) && !b.handleTxn(req, out) && !b.handleAdmin(req, out) {
			panic(fmt.Sprintf("simulated: a request of the unknown kind %T", req))
		}
	}
}

func (b *node) handleGroup(req any, out reply) bool {
	switch r := req.(type) {
	case *joinGroupRequest:
		b.joinGroup(r, out)
	case *syncGroupRequest:
		b.syncGroup(r, out)
	case *leaveGroupRequest:
		b.leaveGroup(r, out)
	case *offsetCommitRequest:
		b.offsetCommit(r, out)
	case *offsetFetchRequest:
		b.offsetFetch(r, out)
	case *txnOffsetCommitRequest:
		b.txnOffsetCommit(r, out)
	case *describeGroupRequest:
		b.describeGroup(r, out)
	case *streamsHeartbeatRequest:
		b.streamsHeartbeat(r, out)
	case *describeStreamsRequest:
		b.describeStreams(r, out)
	case *deleteGroupRequest:
		b.deleteGroup(r, out)
	default:
		return false
	}
	return true
}

func (b *node) handleTxn(req any, out reply) bool {
	switch r := req.(type) {
	case *initProducerRequest:
		b.initProducer(r, out)
	case *endTxnRequest:
		b.endTxn(r, out)
	case *addToTxnRequest:
		b.addPartitionsToTxn(r, out)
	case *openTxnsRequest:
		b.openTxns(r, out)
	case *listTxnsRequest:
		b.listTxns(out)
	case *abortTxnRequest:
		b.abortTxn(r, out)
	default:
		return false
	}
	return true
}

func (b *node) handleAdmin(req any, out reply) bool {
	switch r := req.(type) {
	case *createTopicsRequest:
		b.createTopics(r, out)
	case *deleteTopicsRequest:
		b.deleteTopics(r, out)
	case *describeConfigsRequest:
		b.describeConfigs(r, out)
	case *createPartitionsRequest:
		b.createPartitions(r, out)
	case *alterConfigsRequest:
		b.alterConfigs(r, out)
	case *electLeadersRequest:
		b.electLeaders(r, out)
	case *deleteRecordsRequest:
		b.deleteRecords(r, out)
	default:
		return false
	}
	return true
}

// send sends a message to another broker, or hands it over at once when that is this one.
func (b *node) send(to *node, msg any, bytes int) {
	if to == b {
		b.handle(b.addr, msg, nil)
		return
	}
	b.m.net.Send(b.addr, to.addr, msg, bytes)
}

// disconnected forgets what a dead client process had parked here.
func (b *node) disconnected(process string) {
	b.dropSessionsOf(process)
	b.m.dropWatches(process)
}

func (b *node) emit(kind string, fields ...trace.Field) { b.m.emit(b.addr, kind, fields...) }

func (b *node) tracing() bool { return b.m.k.Tracing() }
