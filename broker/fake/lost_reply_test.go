package fake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// A commit whose reply is lost must not be reported as failed when it took effect, nor the other way round.
func TestCommitKnowsItsOutcomeWhenTheReplyIsLost(t *testing.T) {
	for name, applied := range map[string]bool{"the request is lost": false, "the reply is lost": true} {
		t.Run(name, func(t *testing.T) {
			w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
			p := w.producer("x", time.Minute)
			w.must(p.Begin())
			w.must(w.send(p, t0, "k", "1"))
			lost := w.loseEndTxn(applied)
			w.must(p.Commit(w.ctx))
			if *lost != 1 {
				t.Fatalf("%d requests were lost", *lost)
			}
			for _, v := range []string{"2", "3"} {
				w.must(p.Begin())
				w.must(w.send(p, t0, v, v))
				w.must(p.Commit(w.ctx))
			}
			w.must(p.Begin())
			w.must(w.send(p, t0, "k", "aborted"))
			w.must(p.Abort(w.ctx))
			if values := w.read(t0); len(values) != 3 || values["k"] != "1" || values["2"] != "2" || values["3"] != "3" {
				t.Errorf("read %v", values)
			}
		})
	}
}

// A producer that is fenced while the outcome is open learns it.
func TestCommitIsFencedWhileTheOutcomeIsOpen(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
	p := w.producer("x", time.Minute)
	w.must(p.Begin())
	w.must(w.send(p, t0, "k", "1"))
	w.fake.Fake().ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		w.fake.Fake().SleepControl(func() { w.producer("x", time.Minute) }) // its successor aborts what is open
		return nil, errors.New("lost"), true
	})
	if err := p.Commit(w.ctx); !errors.Is(err, broker.ErrFenced) {
		t.Errorf("the commit: %v", err)
	}
	if values := w.read(t0); len(values) != 0 {
		t.Errorf("read %v", values)
	}
}

// loseEndTxn cuts the connection of the next EndTxn, before or after it was applied. It returns how many it has lost.
func (w *wire) loseEndTxn(applied bool) *int {
	lost := new(int)
	w.fake.Fake().ControlKey(int16(kmsg.EndTxn), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		if *lost > 0 {
			return nil, nil, false
		}
		*lost++
		if applied {
			again := *kreq.(*kmsg.EndTxnRequest)
			w.fake.Fake().SleepControl(func() {
				if resp, err := again.RequestWith(w.ctx, w.kgo); err != nil || resp.ErrorCode != 0 {
					w.t.Errorf("EndTxn in its place: %+v, %v", resp, err)
				}
			})
		}
		return nil, errors.New("lost"), true
	})
	return lost
}
