package worker

import (
	"sync"
	"time"
)

// errorMetrics are Kafka's task-error-metrics of one task.
type errorMetrics struct {
	mu                                         sync.Locker
	failures, errors, skipped, retries, logged int64
	deadLetters, deadLettersFailed             int64
	lastError                                  time.Time // zero: none yet
}

// add counts one of the fields up.
func (m *errorMetrics) add(field *int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*field++
}

// failedAt notes the time of an error.
func (m *errorMetrics) failedAt(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errors++
	m.lastError = now
}

// average keeps the mean and the largest of what it is shown.
type average struct {
	n        int64
	sum, max float64
}

func (a *average) add(v float64) {
	a.n++
	a.sum += v
	a.max = max(a.max, v)
}

func (a *average) mean() float64 {
	if a.n == 0 {
		return 0
	}
	return a.sum / float64(a.n)
}

// taskMetrics are what a task counts. A task's thread writes them under the task's lock.
type taskMetrics struct {
	errors                      *errorMetrics
	polled, written, read, sent int64
	active                      int64
	batch, pollTime, putTime    average
	commitTime                  average
	commits, commitFailures     int64
	commitSkips                 int64
	partitions                  int
	running, paused, other      time.Duration
}

// spent counts time in a state.
func (m *taskMetrics) spent(s State, d time.Duration) {
	switch s {
	case Running:
		m.running += d
	case Paused:
		m.paused += d
	default:
		m.other += d
	}
}

// Metric is one value of a group of metrics, under Kafka's names.
type Metric struct {
	Group string // connector-task-metrics, source-task-metrics, sink-task-metrics, task-error-metrics
	Name  string
	Value float64
}

// metrics are the metrics of a task, in a fixed order.
func (m *taskMetrics) metrics(source bool) []Metric {
	const task, errorGroup = "connector-task-metrics", "task-error-metrics"
	commits := float64(max(m.commits+m.commitFailures, 1))
	all := float64(max(m.running+m.paused+m.other, 1))
	out := []Metric{
		{task, "running-ratio", float64(m.running) / all},
		{task, "pause-ratio", float64(m.paused) / all},
		{task, "batch-size-avg", m.batch.mean()},
		{task, "batch-size-max", m.batch.max},
		{task, "offset-commit-avg-time-ms", m.commitTime.mean()},
		{task, "offset-commit-max-time-ms", m.commitTime.max},
		{task, "offset-commit-success-percentage", float64(m.commits) / commits},
		{task, "offset-commit-failure-percentage", float64(m.commitFailures) / commits},
	}
	if source {
		const group = "source-task-metrics"
		out = append(out,
			Metric{group, "source-record-poll-total", float64(m.polled)},
			Metric{group, "source-record-write-total", float64(m.written)},
			Metric{group, "source-record-active-count", float64(m.active)},
			Metric{group, "poll-batch-avg-time-ms", m.pollTime.mean()},
			Metric{group, "poll-batch-max-time-ms", m.pollTime.max})
	} else {
		const group = "sink-task-metrics"
		out = append(out,
			Metric{group, "sink-record-read-total", float64(m.read)},
			Metric{group, "sink-record-send-total", float64(m.sent)},
			Metric{group, "sink-record-active-count", float64(m.active)},
			Metric{group, "partition-count", float64(m.partitions)},
			Metric{group, "offset-commit-completion-total", float64(m.commits)},
			Metric{group, "offset-commit-skip-total", float64(m.commitSkips)},
			Metric{group, "put-batch-avg-time-ms", m.putTime.mean()},
			Metric{group, "put-batch-max-time-ms", m.putTime.max})
	}
	e := m.errors
	e.mu.Lock()
	defer e.mu.Unlock()
	last := 0.0
	if !e.lastError.IsZero() {
		last = float64(e.lastError.UnixMilli())
	}
	return append(out,
		Metric{errorGroup, "total-record-failures", float64(e.failures)},
		Metric{errorGroup, "total-record-errors", float64(e.errors)},
		Metric{errorGroup, "total-records-skipped", float64(e.skipped)},
		Metric{errorGroup, "total-retries", float64(e.retries)},
		Metric{errorGroup, "total-errors-logged", float64(e.logged)},
		Metric{errorGroup, "deadletterqueue-produce-requests", float64(e.deadLetters)},
		Metric{errorGroup, "deadletterqueue-produce-failures", float64(e.deadLettersFailed)},
		Metric{errorGroup, "last-error-timestamp", last})
}
