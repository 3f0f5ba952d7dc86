package simulated

import "time"

// quotaKind is what a quota is on: producer_byte_rate or consumer_byte_rate.
type quotaKind int8

const (
	producerQuota quotaKind = iota
	consumerQuota
)

// quotaWindow is over how long a rate is measured: quota.window.num samples of quota.window.size.seconds, without the present one.
const quotaWindow = 10 * time.Second

type quotaKey struct {
	kind   quotaKind
	client string
}

// bucket is one client's use of a quota at one broker: bytes, of which those of the quota's rate leak away.
type bucket struct {
	bytes float64
	at    time.Time
}

// SetQuota limits what the clients with a client id may write and read at each broker, in bytes a second; 0: no limit. A client over its
// quota is told to be silent for as long as it takes to be within it again, as the average of ten seconds.
func (m *Model) SetQuota(clientID string, producerRate, consumerRate float64) {
	if m.quotas == nil {
		m.quotas = map[quotaKey]float64{}
	}
	m.quotas[quotaKey{producerQuota, clientID}] = producerRate
	m.quotas[quotaKey{consumerQuota, clientID}] = consumerRate
}

// use counts bytes against a client's quota and returns for how long the client must be silent. With no bytes it only looks.
func (b *node) use(kind quotaKind, client string, bytes int) time.Duration {
	if b.m.quotas == nil {
		return 0
	}
	key := quotaKey{kind, client}
	rate := b.m.quotas[key]
	if rate <= 0 {
		return 0
	}
	now := b.m.k.Now()
	u := b.used[key]
	if u == nil {
		u = &bucket{at: now}
		b.used[key] = u
	}
	u.bytes = max(u.bytes-rate*now.Sub(u.at).Seconds(), 0) + float64(bytes)
	u.at = now
	over := u.bytes - rate*quotaWindow.Seconds()
	if over <= 0 {
		return 0
	}
	return time.Duration(over / rate * float64(time.Second))
}
