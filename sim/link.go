package sim

import "time"

// LatencyConfig says how long a message takes: Base, plus a uniform share of Jitter, after the time that its bytes need. The zero
// value stands for 200 µs + up to 100 µs at 1 GB/s.
type LatencyConfig struct {
	Base           time.Duration
	Jitter         time.Duration
	BytesPerSecond int64 // 0: infinitely many
}

var defaultLatency = LatencyConfig{Base: 200 * time.Microsecond, Jitter: 100 * time.Microsecond, BytesPerSecond: 1_000_000_000}

// link is one direction between two names. Like a TCP connection it delivers in order.
type link struct {
	from, to string
	latency  *LatencyConfig
	free     int64 // when the last message has left
	last     int64 // when the last message arrives
	rng      splitmix
}

// arrival is when a message sent now arrives: after all that were sent before.
func (l *link) arrival(now int64, bytes int, delay time.Duration) int64 {
	c := l.latency
	depart := now
	if c.BytesPerSecond > 0 {
		depart = max(l.free, now) + int64(bytes)*int64(time.Second)/c.BytesPerSecond
		l.free = depart
	}
	at := depart + int64(c.Base) + int64(delay)
	if c.Jitter > 0 {
		at += int64(l.rng.next() % uint64(c.Jitter))
	}
	l.last = max(at, l.last+1)
	return l.last
}

type linkKey struct{ from, to string }

// link returns the link between two names; its jitter is drawn from a sequence of its own.
func (n *Network) link(from, to string) *link {
	key := linkKey{from, to}
	l := n.links[key]
	if l == nil {
		l = &link{from: from, to: to, latency: n.latencyOf(key)}
		l.rng = splitmix(n.k.Rand("sim/link/" + from + ">" + to).Uint64())
		n.links[key] = l
	}
	return l
}

func (n *Network) latencyOf(key linkKey) *LatencyConfig {
	if c := n.latency[key]; c != nil {
		return c
	}
	return &n.common
}

// SetLatency sets the latency of the messages from one name to another, from now on; the way back is another link.
func (n *Network) SetLatency(from, to string, c LatencyConfig) {
	key := linkKey{from, to}
	n.latency[key] = &c
	if l := n.links[key]; l != nil {
		l.latency = &c
	}
}
