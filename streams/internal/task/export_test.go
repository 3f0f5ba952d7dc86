package task

import "github.com/kstreamlab/kstreamlab/broker"

// Offset is the offset after the last record written to a partition, -1 when none was.
func (c *Collector) Offset(tp broker.TopicPartition) int64 {
	if p := c.written(tp); p != nil {
		return p.next
	}
	return -1
}
