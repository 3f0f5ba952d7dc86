package fake

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// waiting keeps members alive that wait in JoinGroup (K19). Kafka does not look at the session of such a member; kfake expels it, and never
// answers its JoinGroup. While one waits, heartbeats are sent in its name, until the rebalance has ended.
type waiting struct {
	addrs []string
	ctx   context.Context
	stop  context.CancelFunc

	mu          sync.Mutex
	client      *kgo.Client
	generations map[string]int32 // by member id, as the member last said itself
	running     sync.WaitGroup
}

func newWaiting(addrs []string) *waiting {
	w := &waiting{addrs: addrs, generations: map[string]int32{}}
	w.ctx, w.stop = context.WithCancel(context.Background())
	return w
}

// synced looks on at SyncGroup, beat at Heartbeat, and joins at JoinGroup.
func (w *waiting) synced(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.SyncGroupRequest)
	w.note(req.MemberID, req.Generation)
	return nil, nil, false
}

func (w *waiting) beat(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.HeartbeatRequest)
	w.note(req.MemberID, req.Generation)
	return nil, nil, false
}

// note keeps the latest generation: a heartbeat that is sent here for a rebalance that has just ended has the one before.
func (w *waiting) note(member string, generation int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.generations[member] = max(w.generations[member], generation)
}

func (w *waiting) joins(kreq kmsg.Request) (kmsg.Response, error, bool) {
	req := kreq.(*kmsg.JoinGroupRequest)
	w.mu.Lock()
	defer w.mu.Unlock()
	generation, known := w.generations[req.MemberID]
	if !known || w.ctx.Err() != nil {
		return nil, nil, false // a new member has no session before it is answered
	}
	if w.client == nil {
		cl, err := kgo.NewClient(kgo.SeedBrokers(w.addrs...), kgo.ClientID("kstreamlab-fake"))
		if err != nil {
			return nil, nil, false
		}
		w.client = cl
	}
	hb := kmsg.NewPtrHeartbeatRequest()
	hb.Group, hb.MemberID, hb.InstanceID, hb.Generation = req.Group, req.MemberID, req.InstanceID, generation
	w.running.Add(1)
	go w.keepAlive(w.client, hb, time.Duration(req.SessionTimeoutMillis)*time.Millisecond/4)
	return nil, nil, false
}

// keepAlive sends heartbeats until the generation is over: then the member has been answered.
func (w *waiting) keepAlive(cl *kgo.Client, hb *kmsg.HeartbeatRequest, every time.Duration) {
	defer w.running.Done()
	tick := time.NewTicker(max(every, time.Millisecond))
	defer tick.Stop()
	for {
		resp, err := hb.RequestWith(w.ctx, cl)
		if err != nil {
			return
		}
		switch resp.ErrorCode {
		case kerr.RebalanceInProgress.Code:
		case kerr.UnknownMemberID.Code:
			w.mu.Lock()
			delete(w.generations, hb.MemberID)
			w.mu.Unlock()
			return
		default:
			return // the rebalance has ended, or has been no more than a look at the same assignment
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			return
		}
	}
}

func (w *waiting) close() {
	w.stop()
	w.running.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client != nil {
		w.client.Close()
	}
}
