package fake

import (
	"fmt"
	"strconv"
	"time"
)

// keepRetention applies retention as often as log.retention.check.interval.ms says, as Kafka does; kfake does it with its compaction,
// which is kept from happening (K2), and never by its default settings (K13). It returns how to end it.
func (c *Cluster) keepRetention(interval string) (stop func(), err error) {
	ms, err := strconv.ParseInt(interval, 10, 64)
	if err != nil || ms < 1 {
		return nil, fmt.Errorf("fake: log.retention.check.interval.ms=%s: milliseconds, at least 1, are expected", interval)
	}
	tick, end, ended := time.NewTicker(time.Duration(ms)*time.Millisecond), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				c.ApplyRetention()
			case <-end:
				return
			}
		}
	}()
	return func() { tick.Stop(); close(end); <-ended }, nil
}

// ApplyRetention removes at once what the topics' retention.ms and retention.bytes, or log.retention.ms and log.retention.bytes, no
// longer keep. It happens by itself every log.retention.check.interval.ms, five minutes by default.
func (c *Cluster) ApplyRetention() {
	c.fake.ApplyRetention()
}
