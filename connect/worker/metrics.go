package worker

import (
	"strings"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
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

// taskMetrics are what a task counts. A task's thread writes them under the task's lock.
type taskMetrics struct {
	errors                                          *errorMetrics
	polled, written, read, sent, committed, skipped counter
	active                                          gauge
	batch, pollTime, putTime, commitTime            sampled
	commits                                         sampled // 1 for a good one, 0 for a failure
	commitSequence                                  int64
	partitions                                      int
	running, paused, other                          time.Duration
	about                                           []Metric // texts: classes and versions
}

func newTaskMetrics(w *window, mu sync.Locker) taskMetrics {
	s := sampled{window: w}
	c := counter{sampled: s}
	return taskMetrics{errors: &errorMetrics{mu: mu}, polled: c, written: c, read: c, sent: c, committed: c, skipped: c, active: gauge{sampled: s},
		batch: s, pollTime: s, putTime: s, commitTime: s, commits: s}
}

// commit counts a commit, and how long it took.
func (m *taskMetrics) commit(start, now time.Time, err error) {
	if err != nil {
		m.commits.record(now, 0)
		return
	}
	m.commits.record(now, 1)
	m.commitTime.record(now, millis(now.Sub(start)))
}

func millis(d time.Duration) float64 { return float64(d.Milliseconds()) }

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

// Metric is one value of a group of metrics, under Kafka's names. A mean or maximum of nothing is NaN.
type Metric struct {
	Group string
	Name  string
	Value float64
	// Text is the value of a metric that is no number (IsText), such as a state, class or version. Value is 1 then, so that it can be exported as a gauge
	// with the text for a label.
	Text   string
	IsText bool
	// Alias is that of the transform or predicate that the metric is of, in the groups connector-transform-metrics and connector-predicate-metrics.
	Alias string
}

// The groups of metrics.
const (
	workerGroup    = "connect-worker-metrics"
	connectorGroup = "connector-metrics"
	taskGroup      = "connector-task-metrics"
	sourceGroup    = "source-task-metrics"
	sinkGroup      = "sink-task-metrics"
	errorGroupName = "task-error-metrics"
	transformGroup = "connector-transform-metrics"
	predicateGroup = "connector-predicate-metrics"
)

// text is a metric that is a text.
func text(group, name, value string) Metric {
	return Metric{Group: group, Name: name, Value: 1, Text: value, IsText: true}
}

// metrics are the metrics of a task, in a fixed order.
func (m *taskMetrics) metrics(source bool, state State, now time.Time) []Metric {
	all := float64(max(m.running+m.paused+m.other, 1))
	failed, succeeded := m.commits.shares(now)
	var out []Metric
	add := func(group string, all ...Metric) {
		for _, x := range all {
			x.Group = group
			out = append(out, x)
		}
	}
	out = append(out, text(taskGroup, "status", strings.ToLower(string(state))))
	out = append(out, m.about...)
	add(taskGroup,
		Metric{Name: "running-ratio", Value: float64(m.running) / all},
		Metric{Name: "pause-ratio", Value: float64(m.paused) / all},
		Metric{Name: "batch-size-avg", Value: m.batch.mean(now)},
		Metric{Name: "batch-size-max", Value: m.batch.max(now)},
		Metric{Name: "offset-commit-avg-time-ms", Value: m.commitTime.mean(now)},
		Metric{Name: "offset-commit-max-time-ms", Value: m.commitTime.max(now)},
		Metric{Name: "offset-commit-success-percentage", Value: succeeded},
		Metric{Name: "offset-commit-failure-percentage", Value: failed})
	if source {
		add(sourceGroup, m.polled.metrics("source-record-poll", now)...)
		add(sourceGroup, m.written.metrics("source-record-write", now)...)
		add(sourceGroup, m.active.metrics("source-record-active-count", now)...)
		add(sourceGroup, Metric{Name: "poll-batch-avg-time-ms", Value: m.pollTime.mean(now)}, Metric{Name: "poll-batch-max-time-ms", Value: m.pollTime.max(now)})
	} else {
		add(sinkGroup, m.read.metrics("sink-record-read", now)...)
		add(sinkGroup, m.sent.metrics("sink-record-send", now)...)
		add(sinkGroup, m.active.metrics("sink-record-active-count", now)...)
		add(sinkGroup, m.committed.metrics("offset-commit-completion", now)...)
		add(sinkGroup, m.skipped.metrics("offset-commit-skip", now)...)
		add(sinkGroup,
			Metric{Name: "partition-count", Value: float64(m.partitions)},
			Metric{Name: "offset-commit-seq-no", Value: float64(m.commitSequence)},
			Metric{Name: "put-batch-avg-time-ms", Value: m.putTime.mean(now)},
			Metric{Name: "put-batch-max-time-ms", Value: m.putTime.max(now)})
	}
	e := m.errors
	e.mu.Lock()
	defer e.mu.Unlock()
	last := 0.0
	if !e.lastError.IsZero() {
		last = float64(e.lastError.UnixMilli())
	}
	add(errorGroupName,
		Metric{Name: "total-record-failures", Value: float64(e.failures)},
		Metric{Name: "total-record-errors", Value: float64(e.errors)},
		Metric{Name: "total-records-skipped", Value: float64(e.skipped)},
		Metric{Name: "total-retries", Value: float64(e.retries)},
		Metric{Name: "total-errors-logged", Value: float64(e.logged)},
		Metric{Name: "deadletterqueue-produce-requests", Value: float64(e.deadLetters)},
		Metric{Name: "deadletterqueue-produce-failures", Value: float64(e.deadLettersFailed)},
		Metric{Name: "last-error-timestamp", Value: last})
	return out
}

// ofWorker is a metric of the worker.
func ofWorker(name string, value float64) Metric {
	return Metric{Group: workerGroup, Name: name, Value: value}
}

// startups count how connectors or tasks have started.
type startups struct {
	mu                  sync.Locker
	successes, failures int64
	results             sampled
}

func newStartups(h host.Host, c *Config) *startups {
	return &startups{mu: h.NewMutex(), results: sampled{window: c.window()}}
}

func (s *startups) add(now time.Time, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failed {
		s.failures++
		s.results.record(now, 0)
		return
	}
	s.successes++
	s.results.record(now, 1)
}

// metrics are the worker's metrics of what is connector or task.
func (s *startups) metrics(what string, now time.Time) []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed, succeeded := s.results.shares(now)
	what += "-startup-"
	return []Metric{
		ofWorker(what+"attempts-total", float64(s.successes+s.failures)),
		ofWorker(what+"success-total", float64(s.successes)),
		ofWorker(what+"failure-total", float64(s.failures)),
		ofWorker(what+"success-percentage", succeeded),
		ofWorker(what+"failure-percentage", failed),
	}
}

// Metrics are the worker's own, in a fixed order. Those of connectors and tasks are in Status.
func (w *Worker) Metrics() []Metric {
	connectors, tasks := 0, 0
	for _, s := range w.Status() {
		connectors++
		tasks += len(s.Tasks)
	}
	now := w.h.Now()
	out := []Metric{ofWorker("connector-count", float64(connectors)), ofWorker("task-count", float64(tasks))}
	out = append(out, w.connectorStarts.metrics("connector", now)...)
	return append(out, w.taskStarts.metrics("task", now)...)
}

// taskCounts are how many of a connector's tasks are in which state.
func taskCounts(tasks []TaskStatus) []Metric {
	n := map[State]int{}
	for _, t := range tasks {
		n[t.State]++
	}
	out := []Metric{ofWorker("connector-total-task-count", float64(len(tasks)))}
	for _, s := range []State{Running, Paused, Failed, Unassigned, Destroyed, Restarting} {
		out = append(out, ofWorker("connector-"+strings.ToLower(string(s))+"-task-count", float64(n[s])))
	}
	return out
}
