package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func TestNewNeedsAddresses(t *testing.T) {
	h := host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	for _, cfg := range []Config{{Host: h}, {Host: h, Bootstrap: []string{"a:1"}, Properties: map[string]string{"linger.ms": "x"}}} {
		if c, err := New(cfg); err == nil {
			t.Errorf("%+v made %v", cfg, c)
		}
	}
	c, err := New(Config{Host: h, Properties: map[string]string{"bootstrap.servers": "a:1", "nosuch": ""}})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := c.Admin().DescribeTopics(t.Context()); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		err  error
		kind error
		text string
	}{
		{kerr.ProducerFenced, broker.ErrFenced, "Op: PRODUCER_FENCED: where"},
		{kerr.InvalidProducerEpoch, broker.ErrFenced, "Op: INVALID_PRODUCER_EPOCH: where"},
		{kerr.FencedInstanceID, broker.ErrFenced, "Op: FENCED_INSTANCE_ID: where"},
		{kerr.UnknownMemberID, broker.ErrUnknownMember, "Op: UNKNOWN_MEMBER_ID: where"},
		{kerr.IllegalGeneration, broker.ErrUnknownMember, "Op: ILLEGAL_GENERATION: where"},
		{kerr.RebalanceInProgress, broker.ErrRebalancing, "Op: REBALANCE_IN_PROGRESS: where"},
		{kerr.UnknownTopicOrPartition, broker.ErrUnknownTopic, "Op: UNKNOWN_TOPIC_OR_PARTITION: where"},
		{kerr.MessageTooLarge, broker.ErrRecordTooLarge, "Op: MESSAGE_TOO_LARGE: where"},
		{kerr.NotLeaderForPartition, broker.ErrRetriable, "Op: NOT_LEADER_FOR_PARTITION: where"},
		{kerr.RequestTimedOut, broker.ErrTimeout, "Op: REQUEST_TIMED_OUT: where"},
		{kerr.RequestTimedOut, broker.ErrRetriable, "Op: REQUEST_TIMED_OUT: where"},
		{kerr.TopicAuthorizationFailed, broker.ErrFatal, "Op: TOPIC_AUTHORIZATION_FAILED: where"},
		{kerr.TransactionAbortable, broker.ErrAbortable, "Op: TRANSACTION_ABORTABLE: where"},
		{kgo.ErrRecordTimeout, broker.ErrTimeout, ""},
		{kgo.ErrAborting, broker.ErrAbortable, ""},
		{kgo.ErrClientClosed, broker.ErrClosed, ""},
		{io.ErrUnexpectedEOF, broker.ErrRetriable, "Op: unexpected EOF: where"},
		{errors.New("invalid record partitioning choice of 7 from 1 available"), broker.ErrUnknownTopic, "Op: UNKNOWN_TOPIC_OR_PARTITION: where"},
	}
	for _, tt := range tests {
		got := wrap(t.Context(), "Op", tt.err, "where")
		if !errors.Is(got, tt.kind) {
			t.Errorf("%v became %v, which is not %v", tt.err, got, tt.kind)
		}
		if tt.text != "" && tt.err != io.ErrUnexpectedEOF && got.Error() != tt.text {
			t.Errorf("%v reads %q instead of %q", tt.err, got, tt.text)
		}
	}
	if wrap(t.Context(), "Op", nil, "") != nil {
		t.Error("nil became an error")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(host.ErrKilled)
	if got := wrap(ctx, "Op", kerr.ProducerFenced, ""); got != host.ErrKilled {
		t.Errorf("after the context has ended: %v", got)
	}
}

func TestTransactionalErrorsAreAbortable(t *testing.T) {
	for _, tt := range []struct{ in, want error }{
		{codeError("Produce", kerr.MessageTooLarge.Code, ""), broker.ErrAbortable},
		{codeError("Produce", kerr.RequestTimedOut.Code, ""), broker.ErrAbortable},
		{codeError("Produce", kerr.TopicAuthorizationFailed.Code, ""), broker.ErrAbortable},
		{codeError("Produce", kerr.InvalidProducerEpoch.Code, ""), broker.ErrFenced},
		{broker.ErrClosed, broker.ErrClosed},
	} {
		if got := transactional(tt.in); !errors.Is(got, tt.want) {
			t.Errorf("%v became %v, which is not %v", tt.in, got, tt.want)
		}
	}
	if transactional(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestLinkCutsAndRestores(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	l := new(Link)
	conn, err := l.Dial(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l.Cut()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived the cut")
	}
	if c, err := l.Dial(t.Context(), "tcp", ln.Addr().String()); err == nil {
		t.Errorf("a cut link made %v", c)
	}
	l.Restore()
	again, err := l.Dial(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if l.IsCut() || len(l.conns) != 0 {
		t.Errorf("cut %v, %d connections", l.IsCut(), len(l.conns))
	}
}

func TestSubscriptionAndAssignmentRoundTrip(t *testing.T) {
	a := broker.Assignment{UserData: []byte{1, 0, 2}, Partitions: []broker.TopicPartition{{Topic: "a", Partition: 3}, {Topic: "b", Partition: 0}, {Topic: "b", Partition: 2}}}
	got, err := decodeAssignment(encodeAssignment(a))
	if err != nil || fmt.Sprint(*got) != fmt.Sprint(a) {
		t.Errorf("%v, %v came back for %v", got, err, a)
	}
	if empty, err := decodeAssignment(nil); err != nil || len(empty.Partitions) != 0 {
		t.Errorf("no bytes: %v, %v", empty, err)
	}
	if bad, err := decodeAssignment([]byte{0}); err == nil {
		t.Errorf("one byte: %v", bad)
	}
}
