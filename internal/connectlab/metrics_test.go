package connectlab_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

// TestMetrics looks at what a worker tells of a source, a sink and a sink that fails.
func TestMetrics(t *testing.T) {
	inLab(t, func(ctx context.Context, l *lab) {
		l.topic(ctx, "t")
		in := l.source(&source{batches: [][]string{{"a", "b", "skip", "c"}, {"d"}}})
		in["name"], in["transforms"], in["transforms.x.type"], in["transforms.x.skip"] = "source", "x", "test.Prefix", "skip"
		l.start(ctx, in)
		l.start(ctx, l.sink(&sink{put: func(_ *sink, records []*connect.Record) error {
			if len(records) > 0 {
				l.sleep(ctx, 20*time.Millisecond)
			}
			return nil
		}}))
		l.sleep(ctx, 10*time.Second)
		status := l.w.Status()
		if len(status) != 2 {
			t.Fatal(status)
		}
		check(t, status[0].Tasks[0].Metrics, map[string]float64{"sink-record-read-total": 4, "sink-record-send-total": 4, "sink-record-active-count": 0,
			"put-batch-max-time-ms": 20, "partition-count": 1, "offset-commit-success-percentage": 1, "offset-commit-failure-percentage": 0,
			"offset-commit-skip-total": 0, "offset-commit-skip-rate": 0})
		check(t, status[1].Tasks[0].Metrics, map[string]float64{"source-record-poll-total": 5, "source-record-write-total": 4,
			"source-record-active-count": 0, "source-record-active-count-max": 4, "batch-size-max": 4, "batch-size-avg": 2.5})
		if r := value(t, status[1].Tasks[0].Metrics, "source-record-poll-rate"); r < 5/40.0-0.01 || r > 5/30.0 {
			t.Errorf("rate %v", r)
		}
		check(t, status[0].Metrics, map[string]float64{"connector-total-task-count": 1, "connector-running-task-count": 1, "connector-failed-task-count": 0})

		bad := l.sink(&sink{put: func(*sink, []*connect.Record) error { return data.ConnectException.Errorf("broken") }})
		bad["name"] = "bad"
		l.start(ctx, bad)
		l.sleep(ctx, 5*time.Minute)
		check(t, l.w.Metrics(), map[string]float64{"connector-count": 3, "task-count": 3, "connector-startup-attempts-total": 3, "connector-startup-success-total": 3,
			"task-startup-attempts-total": 3, "task-startup-success-total": 3, "task-startup-failure-total": 0})
		status = l.w.Status()
		check(t, status[0].Metrics, map[string]float64{"connector-total-task-count": 1, "connector-running-task-count": 0, "connector-failed-task-count": 1})
		check(t, status[2].Tasks[0].Metrics, map[string]float64{"source-record-poll-rate": 0, "source-record-poll-total": 5})
		if v := value(t, status[2].Tasks[0].Metrics, "batch-size-max"); !math.IsNaN(v) {
			t.Errorf("the largest of no batches is %v", v)
		}
	})
}

func value(t *testing.T, all []worker.Metric, name string) float64 {
	t.Helper()
	for _, m := range all {
		if m.Name == name {
			return m.Value
		}
	}
	t.Errorf("no metric %s", name)
	return 0
}

func check(t *testing.T, all []worker.Metric, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if got := value(t, all, name); got != v {
			t.Errorf("%s: %v, want %v", name, got, v)
		}
	}
}
