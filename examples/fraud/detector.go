package main

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
)

// The stores of the detector.
const (
	summaryStore = "user-transaction-summary"
	recentStore  = "recent-orders-window"
)

// keep is how long transactions stay in the window store, recent how far back the velocity rule looks.
const (
	keep   = time.Hour
	recent = 5 * time.Minute
)

// detector holds three rules against each transaction. It is made once for each task.
type detector struct {
	out       *streams.ProcessorContext[string, Alert]
	summaries *streams.KeyValueStore[string, Summary]
	recent    *streams.WindowStore[string, Transaction]
}

// newDetector opens the stores, and asks to be called by the clock.
func newDetector(c *streams.ProcessorContext[string, Alert]) (streams.Processor[string, Transaction], error) {
	d := &detector{out: c}
	var err error
	if d.summaries, err = streams.KeyValueStoreOf[string, Summary](c, summaryStore); err != nil {
		return nil, err
	}
	if d.recent, err = streams.WindowStoreOf[string, Transaction](c, recentStore); err != nil {
		return nil, err
	}
	_, err = c.Schedule(5*time.Minute, streams.WallClockTime, d.forget)
	return d, err
}

// Process implements streams.Processor.
func (d *detector) Process(r *streams.Record[string, Transaction]) error {
	t := r.Value
	if r.NullValue || t.UserID == "" {
		return nil
	}
	if err := d.recent.Put(t.UserID, t.Timestamp, t); err != nil {
		return err
	}
	s, _, err := d.summaries.Get(t.UserID)
	if err != nil {
		return err
	}
	alerts, err := d.judge(s, t)
	if err != nil {
		return err
	}
	if err := d.summaries.Put(t.UserID, s.with(t)); err != nil {
		return err
	}
	for _, a := range alerts {
		if err := d.out.Forward(streams.Record[string, Alert]{Key: t.UserID, Value: a, Timestamp: r.Timestamp}); err != nil {
			return err
		}
	}
	return nil
}

// judge holds the rules against a transaction; s is what was known before it.
func (d *detector) judge(s Summary, t Transaction) (alerts []Alert, err error) {
	alert := func(rule, format string, args ...any) {
		alerts = append(alerts, Alert{t.UserID, rule, fmt.Sprintf(format, args...), t})
	}
	if s.Count > 0 && t.Amount > 3*s.average() {
		alert("HIGH_AMOUNT", "%.2f is more than three times the average of %.2f", t.Amount, s.average())
	}
	n, err := d.countRecent(t.UserID, t.Timestamp)
	if err != nil {
		return nil, err
	}
	if usual := s.perMinute(); s.Count > 0 && float64(n) > 5*usual*recent.Minutes() {
		alert("HIGH_VELOCITY", "%d transactions in %s, where %.1f a minute are usual", n, recent, usual)
	}
	if s.LastLocation != "" && s.LastLocation != t.Location {
		alert("GEO_ANOMALY", "from %s to %s", s.LastLocation, t.Location)
	}
	return alerts, nil
}

// countRecent counts a user's transactions in the minutes before a moment, in event time.
func (d *detector) countRecent(user string, now int64) (n int, err error) {
	rows, err := d.recent.Windows(user, max(0, now-recent.Milliseconds()), now, false)
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		n++
	}
	return n, rows.Close()
}

// forget is called every five minutes by the clock: it removes transactions older than an hour, which the rules do not look at any more.
func (d *detector) forget(now int64) error {
	rows, err := d.recent.Range(streams.Bounds[string]{}, 0, now-keep.Milliseconds())
	if err != nil {
		return err
	}
	old, err := rows.All()
	if err != nil {
		return err
	}
	for _, e := range old {
		if err := d.recent.Delete(e.Key, e.Window.Start); err != nil {
			return err
		}
	}
	return nil
}
