package connectlab_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func TestSinkLifeCycle(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "a", "b")
		s := &sink{}
		l.start(ctx, l.sink(s))
		l.sleep(ctx, 5*time.Second)
		if n := l.committed(ctx, "connect-c", "t"); n != 2 {
			t.Errorf("committed %d", n)
		}
		l.produce(ctx, "t", "c")
		l.sleep(ctx, 100*time.Millisecond)
		if err := l.w.RemoveConnector(ctx, "c"); err != nil {
			t.Error(err)
		}
		want(t, s.calls, []string{"open [t-0]", "put a b", "put c", "close [t-0]", "stop"})
		if n := l.committed(ctx, "connect-c", "t"); n != 3 {
			t.Errorf("committed %d after the end", n)
		}
	})
}

// TestRetriedPut refuses a batch twice: it comes again, whole, and nothing is committed or read before it is taken.
func TestRetriedPut(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "a", "b")
		tries := 0
		var times []time.Time
		s := &sink{put: func(s *sink, _ []*connect.Record) error {
			times = append(times, l.p.Now())
			if tries++; tries <= 2 {
				s.tc.RetryAfter(300)
				return data.RetriableException.Errorf("again")
			}
			return nil
		}}
		l.start(ctx, l.sink(s))
		for tries == 0 {
			l.sleep(ctx, 50*time.Millisecond)
		}
		l.produce(ctx, "t", "c")
		l.sleep(ctx, 5*time.Second)
		want(t, s.calls, []string{"open [t-0]", "put a b", "put a b", "put a b", "put c"})
		if d := times[1].Sub(times[0]); d < 300*time.Millisecond || d > 400*time.Millisecond {
			t.Errorf("tried again after %s", d)
		}
		if n := l.committed(ctx, "connect-c", "t"); n != 3 {
			t.Errorf("committed %d", n)
		}
	})
}

// TestRewind moves the position back once.
func TestRewind(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "a", "b", "c")
		done := false
		s := &sink{put: func(s *sink, _ []*connect.Record) error {
			if !done {
				s.tc.Rewind(map[broker.TopicPartition]int64{{Topic: "t"}: 1})
			}
			done = true
			return nil
		}}
		l.start(ctx, l.sink(s))
		l.sleep(ctx, 5*time.Second)
		want(t, s.calls, []string{"open [t-0]", "put a b c", "put b c"})
	})
}

// TestPreCommit lets the task commit less than it was given, more than it may, and fail.
func TestPreCommit(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "a", "b", "c")
		tp := broker.TopicPartition{Topic: "t"}
		var answer int64 = 2
		s := &sink{pre: func(connect.Offsets) (connect.Offsets, error) {
			if answer < 0 {
				return nil, data.ConnectException.Errorf("the disk is full")
			}
			return connect.Offsets{tp: {Offset: answer}}, nil
		}}
		l.start(ctx, l.sink(s))
		l.sleep(ctx, 5*time.Second)
		if n := l.committed(ctx, "connect-c", "t"); n != 2 {
			t.Errorf("committed %d, 2 was allowed", n)
		}
		answer = 99
		l.sleep(ctx, 3*time.Second)
		if n := l.committed(ctx, "connect-c", "t"); n != 2 {
			t.Errorf("committed %d, which was not put", n)
		}
		answer = -1
		l.sleep(ctx, 1500*time.Millisecond)
		answer = 3
		l.sleep(ctx, 3*time.Second)
		if n := l.committed(ctx, "connect-c", "t"); n != 3 {
			t.Errorf("committed %d at last", n)
		}
		if s.calls[1] != "put a b c" || len(s.calls) < 3 || s.calls[2] != "put c" {
			t.Errorf("what was not committed was to come again: %s", s.calls)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		s := &sink{}
		l.start(ctx, l.sink(s))
		l.sleep(ctx, 5*time.Second)
		if err := l.w.SetPaused("c", true); err != nil {
			t.Error(err)
		}
		l.sleep(ctx, time.Second)
		if st := l.task().State; st != worker.Paused {
			t.Errorf("state %s", st)
		}
		l.produce(ctx, "t", "a")
		l.sleep(ctx, 20*time.Second)
		if len(s.calls) != 1 {
			t.Errorf("paused: %s", s.calls)
		}
		if err := l.w.SetPaused("c", false); err != nil {
			t.Error(err)
		}
		l.sleep(ctx, 2*time.Second)
		want(t, s.calls, []string{"open [t-0]", "put a"})
		if st := l.task().State; st != worker.Running {
			t.Errorf("state %s", st)
		}
		if r, p := l.metric("running-ratio"), l.metric("pause-ratio"); r+p < 0.99 || p < 0.6 || p > 0.9 {
			t.Errorf("running %v, paused %v", r, p)
		}
		if !data.ClassOfError(l.w.SetPaused("nobody", true)).Extends(data.NotFoundException) {
			t.Error("an unknown connector is paused")
		}
	})
}

// TestHeldPartition is paused by the task itself.
func TestHeldPartition(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "a")
		s := &sink{put: func(s *sink, _ []*connect.Record) error { return s.tc.Pause(broker.TopicPartition{Topic: "t"}) }}
		l.start(ctx, l.sink(s))
		l.sleep(ctx, 5*time.Second)
		l.produce(ctx, "t", "b")
		l.sleep(ctx, 5*time.Second)
		want(t, s.calls, []string{"open [t-0]", "put a"})
		if err := s.tc.Pause(broker.TopicPartition{Topic: "other"}); !data.ClassOfError(err).Extends(data.IllegalWorkerStateException) {
			t.Errorf("a foreign partition: %v", err)
		}
	})
}

// stubborn is a transform that fails for ever, but may be tried again.
type stubborn struct {
	prefix
	l     *lab
	times []time.Duration
	start time.Time
}

func (s *stubborn) Apply(*connect.Record) (*connect.Record, error) {
	if s.start.IsZero() {
		s.start = s.l.p.Now()
	}
	s.times = append(s.times, s.l.p.Now().Sub(s.start))
	return nil, data.RetriableException.Errorf("busy")
}

// TestRetries tries a transform again: after 300 ms, 600 ms, and so on, at last when the time is up; and no more when the task stops.
func TestRetries(t *testing.T) {
	for timeout, tries := range map[string]string{"2000": "[0s 300ms 900ms 2s]", "0": "[0s]", "-1": ""} {
		t.Run(timeout, func(t *testing.T) {
			inLab(t, func(ctx context.Context, l *lab) {
				l.topic(ctx, "t")
				l.produce(ctx, "t", "a")
				s := &stubborn{l: l}
				props := l.sink(&sink{})
				l.plugins.RegisterTransform("test.Stubborn", func(host.Host) connect.Transform { return s })
				props["transforms"], props["transforms.x.type"], props["errors.retry.timeout"] = "x", "test.Stubborn", timeout
				l.start(ctx, props)
				l.sleep(ctx, 20*time.Second)
				if timeout == "-1" {
					if st := l.task().State; st != worker.Running || len(s.times) < 5 {
						t.Errorf("%s after %d tries", st, len(s.times))
					}
					before := l.p.Now()
					if err := l.w.RemoveConnector(ctx, "c"); err != nil {
						t.Error(err)
					}
					if d := l.p.Now().Sub(before); d > time.Second {
						t.Errorf("it took %s to stop", d)
					}
					return
				}
				if got := fmt.Sprint(s.times); got != tries {
					t.Errorf("tries at %s, want %s", got, tries)
				}
				if st := l.task(); st.State != worker.Failed || !strings.Contains(st.Trace, "Tolerance exceeded in error handler\nCaused by: org.apache.kafka.connect.errors.RetriableException: busy") {
					t.Errorf("%s: %s", st.State, st.Trace)
				}
			})
		})
	}
}

// TestTopicsByPattern reads topics that come later too.
func TestTopicsByPattern(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "in-1")
		l.topic(ctx, "other")
		l.produce(ctx, "in-1", "a")
		l.produce(ctx, "other", "x")
		s := &sink{}
		props := l.sink(s)
		delete(props, "topics")
		props["topics.regex"] = "in-.*"
		l.start(ctx, props)
		l.sleep(ctx, 10*time.Second)
		l.topic(ctx, "in-2")
		l.produce(ctx, "in-2", "b")
		l.sleep(ctx, 10*time.Minute)
		var puts []string
		for _, c := range s.calls {
			if strings.HasPrefix(c, "put") {
				puts = append(puts, c)
			}
		}
		want(t, puts, []string{"put a", "put b"})
	})
}

func TestSinkFails(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "a")
		s := &sink{put: func(*sink, []*connect.Record) error { return data.ConnectException.Errorf("broken") }}
		l.start(ctx, l.sink(s))
		l.sleep(ctx, 5*time.Second)
		st := l.task()
		const trace = "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\nCaused by: org.apache.kafka.connect.errors.ConnectException: broken\n"
		if st.State != worker.Failed || st.Trace != trace {
			t.Errorf("%s: %s", st.State, st.Trace)
		}
		if n := l.committed(ctx, "connect-c", "t"); n != 0 {
			t.Errorf("committed %d", n)
		}
		if !strings.Contains(l.log.String(), "the task has failed") {
			t.Error("nothing in the log")
		}
	})
}

// TestErrorLog tells of an error where and what, but not the record.
func TestErrorLog(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		l.produce(ctx, "t", "secret{", "2")
		props := l.sink(&sink{})
		props["value.converter"] = "org.apache.kafka.connect.json.JsonConverter"
		props["value.converter.schemas.enable"] = "false"
		props["errors.tolerance"], props["errors.log.enable"], props["errors.log.include.messages"] = "all", "true", "true"
		l.start(ctx, props)
		l.sleep(ctx, 5*time.Second)
		const line = "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'org.apache.kafka.connect.json.JsonConverter', where consumed record is {topic='t', partition=0, offset=0, timestamp="
		if log := l.log.String(); !strings.Contains(log, line) || strings.Contains(log, "secret") {
			t.Error(log)
		}
		for name, v := range map[string]float64{"total-record-failures": 1, "total-record-errors": 1, "total-records-skipped": 1, "total-errors-logged": 1,
			"sink-record-read-total": 2, "sink-record-send-total": 1, "partition-count": 1, "deadletterqueue-produce-requests": 0} {
			if got := l.metric(name); got != v {
				t.Errorf("%s: %v, want %v", name, got, v)
			}
		}
	})
}
