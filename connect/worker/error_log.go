package worker

import (
	"context"
	"fmt"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// TaskID names a task.
type TaskID struct {
	Connector string
	Task      int
}

func (id TaskID) String() string { return fmt.Sprintf("%s-%d", id.Connector, id.Task) }

// errorLog logs errors: Kafka's LogReporter.
type errorLog struct {
	h       host.Host
	id      TaskID
	records bool // errors.log.include.messages
	metrics *errorMetrics
}

func (l *errorLog) report(_ context.Context, f *failedOperation) error {
	l.h.Log().Error(logText(l.id, f, l.records), "error", data.StackTrace(f.err))
	l.metrics.add(&l.metrics.logged)
	return nil
}

func logText(id TaskID, f *failedOperation, records bool) string {
	s := fmt.Sprintf("Error encountered in task %s. Executing stage '%s' with class '%s'", id, f.stage, f.class)
	switch {
	case !records:
	case f.consumed != nil:
		c := f.consumed
		s += fmt.Sprintf(", where consumed record is {topic='%s', partition=%d, offset=%d", c.Topic, c.Partition, c.Offset)
		if c.timestampType != connect.NoTimestampType {
			s += fmt.Sprintf(", timestamp=%d, timestampType=%s", c.Timestamp, timestampTypeName(c.timestampType))
		}
		s += "}"
	case f.source != nil:
		s += ", where source record is = " + f.source.String()
	}
	return s + "."
}

// timestampTypeName is how the client's TimestampType prints itself.
func timestampTypeName(t connect.TimestampType) string {
	if t == connect.LogAppendTime {
		return "LogAppendTime"
	}
	return "CreateTime"
}
