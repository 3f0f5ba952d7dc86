package thread

import (
	"context"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// purge deletes what is processed and committed from repartition topics, which keep records for ever otherwise. It is done by a thread of
// its own, one at a time, as well as can be: what is left is deleted the next time.
func (t *Thread) purge(now time.Time, committed map[broker.TopicPartition]broker.OffsetAndMetadata) {
	if now.Sub(t.purged) < t.cfg.PurgeInterval {
		return
	}
	before := map[broker.TopicPartition]int64{}
	for tp, o := range committed { // into a map again
		if t.cfg.Task.IsRepartition(tp.Topic) {
			before[tp] = o.Offset
		}
	}
	t.mu.Lock()
	busy := t.purges
	t.purges = t.purges || len(before) > 0
	t.mu.Unlock()
	if busy || len(before) == 0 {
		return
	}
	t.purged = now
	t.cfg.Task.Host.Go("purge", func(ctx context.Context) {
		if err := t.cfg.Cluster.Admin().DeleteRecords(ctx, before); err != nil {
			t.log.Debug("streams: purge of repartition topics", "error", err)
		}
		t.mu.Lock()
		t.purges = false
		t.mu.Unlock()
	})
}
