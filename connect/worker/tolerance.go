package worker

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// ErrorStage is where an error happened, in Kafka's spelling.
type ErrorStage string

// The stages whose errors are reported.
const (
	StageTaskPut         ErrorStage = "TASK_PUT"
	StageTransformation  ErrorStage = "TRANSFORMATION"
	StageKeyConverter    ErrorStage = "KEY_CONVERTER"
	StageValueConverter  ErrorStage = "VALUE_CONVERTER"
	StageHeaderConverter ErrorStage = "HEADER_CONVERTER"
	StageKafkaProduce    ErrorStage = "KAFKA_PRODUCE"
)

// failedOperation is an error with its place: Kafka's ProcessingContext.
type failedOperation struct {
	stage ErrorStage
	class string // that executed
	err   error
	// One of these says which record it was.
	consumed *consumedRecord
	source   *connect.Record
}

// consumedRecord is a record as a sink task consumed it.
type consumedRecord struct {
	broker.TopicPartition
	*broker.Record
	timestampType connect.TimestampType
}

// reporter is told of every record that could not be processed.
type reporter interface {
	report(ctx context.Context, f *failedOperation) error
}

// tolerance tries operations again and decides whether a task lives on: Kafka's RetryWithToleranceOperator. It belongs to the task's thread.
type tolerance struct {
	h         host.Host
	control   *control
	rand      *rand.Rand
	timeout   time.Duration // negative: for ever
	maxDelay  time.Duration
	all       bool
	failures  int
	metrics   *errorMetrics
	reporters []reporter
}

// minDelay is the first wait between two tries.
const minDelay = 300 * time.Millisecond

func newTolerance(h host.Host, ctl *control, c *ConnectorConfig, m *errorMetrics) *tolerance {
	return &tolerance{h: h, control: ctl, rand: h.Rand("connect.retry"), timeout: time.Duration(c.Values.Long(retryTimeoutKey)) * time.Millisecond,
		maxDelay: time.Duration(c.Values.Long(retryDelayKey)) * time.Millisecond, all: c.Values.String(toleranceKey) == "all", metrics: m}
}

// within says whether the task may live on.
func (t *tolerance) within() bool { return t.all || t.failures == 0 }

// recovered goes on after the first try of an operation has failed with err: it tries again while that makes sense. ok is false when the
// record is to be skipped; an error fails the task. The failure has been reported then, unless it is a panic.
func recovered[V any](ctx context.Context, t *tolerance, f *failedOperation, try func() (V, error)) (v V, ok bool, _ error) {
	if panicked(f.err) {
		return v, false, f.err
	}
	start := t.h.Now()
	deadline := start.Add(t.timeout)
	for attempt := 1; data.ClassOfError(f.err).Extends(data.RetriableException); attempt++ {
		t.metrics.add(&t.metrics.failures)
		if t.timeout >= 0 && !t.h.Now().Before(deadline) {
			break
		}
		if stopped, err := t.backOff(ctx, attempt, deadline); stopped || err != nil {
			break
		}
		t.metrics.add(&t.metrics.retries)
		var err error
		if v, err = try(); err == nil {
			return v, true, nil
		}
		if f.err = err; panicked(err) {
			return v, false, err
		}
	}
	if !data.ClassOfError(f.err).Extends(data.RetriableException) {
		t.metrics.add(&t.metrics.failures)
	}
	return v, false, t.failed(ctx, f)
}

// backOff waits before another try: longer each time, never beyond the deadline, and shorter at random where the longest wait is reached. A
// task that is to stop does not try again.
func (t *tolerance) backOff(ctx context.Context, attempt int, deadline time.Time) (stopped bool, _ error) {
	const most = 30 // doublings
	delay := minDelay << min(attempt-1, most)
	if delay > t.maxDelay {
		delay = 0
		if t.maxDelay > 0 {
			delay = time.Duration(t.rand.Int64N(int64(t.maxDelay)))
		}
	}
	if left := deadline.Sub(t.h.Now()); t.timeout >= 0 && delay > left {
		delay = max(left, 0)
	}
	return t.control.sleep(ctx, delay)
}

// failed counts and reports a failure. The error fails the task.
func (t *tolerance) failed(ctx context.Context, f *failedOperation) error {
	t.failures++
	t.metrics.failedAt(t.h.Now())
	for _, r := range t.reporters {
		if err := r.report(ctx, f); err != nil {
			return err
		}
	}
	if !t.within() {
		return data.ConnectException.Wrap(f.err, "Tolerance exceeded in error handler")
	}
	t.metrics.add(&t.metrics.skipped)
	return nil
}
