package connectlab_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// immovable is a source whose first task does not return from Poll when it is told to stop, but half a minute later, with a record.
type immovable struct {
	source
	ctx   context.Context // of the process: it does not end with the task
	polls int
}

func (s *immovable) NewTask() connect.SourceTask {
	return &immovableTask{theSourceTask{s: &s.source}, s}
}

type immovableTask struct {
	theSourceTask
	s *immovable
}

func (t *immovableTask) Poll(ctx context.Context) ([]*connect.Record, error) {
	if t.s.polls++; t.s.polls > 1 {
		return nil, t.s.h.Sleep(ctx, time.Hour)
	}
	if err := t.s.h.Sleep(t.s.ctx, 30*time.Second); err != nil {
		return nil, err
	}
	return []*connect.Record{connect.NewSourceRecord(partition, data.MapOfStrings("n", int64(99)), "t", data.StringSchema, "late")}, nil
}

// startImmovable starts a connector with such a task, and gives it a second.
func startImmovable(ctx context.Context, l *lab) *immovable {
	l.topic(ctx, "t")
	s := &immovable{source: source{h: l.p}, ctx: ctx}
	l.plugins.Register(connect.Plugin{Class: "test.Immovable", Kind: connect.KindSource, Version: "1", New: func(host.Host) any { return s }})
	l.start(ctx, map[string]string{"name": "c", "connector.class": "test.Immovable"})
	l.sleep(ctx, time.Second)
	return s
}

// TestGivenUp: a task that does not stop in time is given up: a new one takes its place, and what the old one does afterwards has no effect.
func TestGivenUp(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		s := startImmovable(ctx, l)
		if err := s.cc.RequestTaskReconfiguration(); err != nil {
			t.Error(err)
		}
		l.sleep(ctx, 20*time.Second)
		if !strings.Contains(l.log.String(), "did not stop in time and is given up") || l.task().State != worker.Running || s.polls < 2 {
			t.Errorf("there is no new task: %s, %d polls", l.task().State, s.polls)
		}
		l.sleep(ctx, time.Minute)
		if got := l.values(ctx, "t"); len(got) != 0 {
			t.Errorf("the old task has written %v", got)
		}
		if l.task().State != worker.Running || strings.Contains(l.log.String(), "has failed") {
			t.Errorf("the end of the old task is told: %s", l.task().State)
		}
	})
}

// TestGivenUpAtTheEnd: of a task that was given up nothing more is told.
func TestGivenUpAtTheEnd(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		startImmovable(ctx, l)
		before := l.p.Now()
		l.w.Stop(ctx)
		if d := l.p.Now().Sub(before); d > 6*time.Second {
			t.Errorf("it took %s to stop", d)
		}
		l.sleep(ctx, time.Minute)
		if s := l.task(); s.State != worker.Unassigned || s.Trace != "" {
			t.Errorf("the task is %s: %s", s.State, s.Trace)
		}
	})
}
