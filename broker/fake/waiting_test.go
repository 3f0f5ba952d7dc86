package fake_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// joiner is a member of a classic group, request by request.
type joiner struct {
	w          *wire
	client     *kgo.Client
	session    time.Duration
	id         string
	generation int32
}

func (w *wire) joiner(session time.Duration) *joiner {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.fake.Bootstrap()...))
	w.must(err)
	w.t.Cleanup(cl.Close)
	return &joiner{w: w, client: cl, session: session}
}

// join waits for the end of the rebalance, and returns its error code.
func (j *joiner) join(ctx context.Context) (int16, error) {
	for {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.MemberID, req.ProtocolType = "g", j.id, "consumer"
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(j.session.Milliseconds()), 20_000
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = "p", []byte(j.w.t.Name()+time.Now().String()) // another one each time: the group must rebalance
		req.Protocols = append(req.Protocols, p)
		resp, err := req.RequestWith(ctx, j.client)
		if err != nil {
			return 0, err
		}
		j.id, j.generation = resp.MemberID, resp.Generation
		if resp.ErrorCode != kerr.MemberIDRequired.Code {
			return resp.ErrorCode, nil
		}
	}
}

func (j *joiner) sync(ctx context.Context) (int16, error) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = "g", j.id, j.generation
	resp, err := req.RequestWith(ctx, j.client)
	if err != nil {
		return 0, err
	}
	return resp.ErrorCode, nil
}

// K19: a member whose JoinGroup waits for another member is not expelled at the end of its session.
func TestK19AMemberThatWaitsInJoinGroupStays(t *testing.T) {
	for exact, want := range map[bool]bool{false: true, true: false} {
		w := connect(t, fake.Config{Exact: exact})
		a := w.joiner(500 * time.Millisecond)
		code, err := a.join(w.ctx)
		w.must(err)
		w.must(kerr.ErrorForCode(code))
		code, err = a.sync(w.ctx)
		w.must(err)
		w.must(kerr.ErrorForCode(code))

		// b joins, and a with it; then a joins again, and b, whose session is long, lets it wait
		b := w.joiner(20 * time.Second)
		both := make(chan error, 1)
		go func() {
			_, err := b.join(w.ctx)
			both <- err
		}()
		waitFor(w, "PreparingRebalance")
		_, err = a.join(w.ctx)
		w.must(err)
		w.must(<-both)
		_, err = a.sync(w.ctx) // a leads
		w.must(err)
		_, err = b.sync(w.ctx)
		w.must(err)

		answered := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(w.ctx, 4*time.Second)
			defer cancel()
			code, err := a.join(ctx)
			if err == nil {
				err = kerr.ErrorForCode(code)
			}
			answered <- err
		}()
		waitFor(w, "PreparingRebalance")
		w.must(host.NewLive(w.ctx, host.LiveConfig{}).Sleep(w.ctx, 2*a.session))
		_, err = b.join(w.ctx)
		w.must(err)
		if err := <-answered; (err == nil) != want {
			t.Errorf("exact=%v: the member that waited: %v", exact, err)
		}
	}
}

// waitFor waits until the group is in a state.
func waitFor(w *wire, state string) {
	w.t.Helper()
	for {
		g, err := w.port.Admin().DescribeGroup(w.ctx, "g")
		w.must(err)
		if g.State == state {
			return
		}
	}
}
