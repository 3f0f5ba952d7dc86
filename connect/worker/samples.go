package worker

import (
	"math"
	"time"
)

// window is what the worker says about samples: metrics.num.samples of metrics.sample.window.ms each.
type window struct {
	samples int
	length  time.Duration
}

// sample is what was recorded since its start.
type sample struct {
	start, last time.Time
	count       int64
	sum, max    float64
}

// sampled keeps the last samples of a value, as Kafka's SampledStat: its rate, mean and maximum are those of the window's time.
type sampled struct {
	window  *window
	samples []sample
	current int
}

func (s *sampled) record(now time.Time, v float64) {
	s.begin(now)
	if now.Sub(s.samples[s.current].start) >= s.window.length {
		s.advance(now)
	}
	x := &s.samples[s.current]
	if x.count == 0 || v > x.max {
		x.max = v
	}
	x.sum += v
	x.count++
	x.last = now
}

// begin makes the first sample: it starts when the value is first recorded or asked for.
func (s *sampled) begin(now time.Time) {
	if len(s.samples) == 0 {
		s.samples = append(s.samples, sample{start: now, last: now})
	}
}

// advance begins a new sample. One more is kept than the window has, for one that overlaps its start.
func (s *sampled) advance(now time.Time) {
	s.current = (s.current + 1) % (s.window.samples + 1)
	if s.current == len(s.samples) {
		s.samples = append(s.samples, sample{})
	}
	s.samples[s.current] = sample{start: now, last: now}
}

// combine is all samples in one, without those that are too old.
func (s *sampled) combine(now time.Time) sample {
	s.begin(now)
	out := sample{start: now}
	age := time.Duration(s.window.samples) * s.window.length
	for i := range s.samples {
		x := &s.samples[i]
		if now.Sub(x.last) >= age {
			*x = sample{start: now, last: now}
		}
		if x.start.Before(out.start) {
			out.start = x.start
		}
		if x.count > 0 && (out.count == 0 || x.max > out.max) {
			out.max = x.max
		}
		out.count += x.count
		out.sum += x.sum
	}
	return out
}

// rate is the sum by second. A window that has just begun counts as a whole one, or the first records would give a very high rate.
func (s *sampled) rate(now time.Time) float64 {
	all := s.combine(now)
	elapsed := now.Sub(all.start)
	if missing := s.window.samples - 1 - int(elapsed/s.window.length); missing > 0 {
		elapsed += time.Duration(missing) * s.window.length
	}
	return all.sum / (float64(max(elapsed.Milliseconds(), 1)) / 1000)
}

// mean is NaN without a value, as Kafka's.
func (s *sampled) mean(now time.Time) float64 {
	all := s.combine(now)
	if all.count == 0 {
		return math.NaN()
	}
	return all.sum / float64(all.count)
}

// max is NaN without a value, as Kafka's.
func (s *sampled) max(now time.Time) float64 {
	all := s.combine(now)
	if all.count == 0 {
		return math.NaN()
	}
	return all.max
}

// shares are the parts of zeros and of ones among values that are either.
func (s *sampled) shares(now time.Time) (zeros, ones float64) {
	all := s.combine(now)
	if all.count == 0 {
		return 0, 0
	}
	ones = all.sum / float64(all.count)
	return 1 - ones, ones
}

// counter is a total with its rate.
type counter struct {
	total float64
	sampled
}

func (c *counter) add(now time.Time, n int) {
	c.total += float64(n)
	c.record(now, float64(n))
}

func (c *counter) metrics(name string, now time.Time) []Metric {
	return []Metric{{Name: name + "-rate", Value: c.rate(now)}, {Name: name + "-total", Value: c.total}}
}

// gauge is a value that changes, with its mean and maximum.
type gauge struct {
	value float64
	sampled
}

func (g *gauge) set(now time.Time, v float64) {
	g.value = v
	g.record(now, v)
}

func (g *gauge) metrics(name string, now time.Time) []Metric {
	return []Metric{{Name: name, Value: g.value}, {Name: name + "-avg", Value: g.mean(now)}, {Name: name + "-max", Value: g.max(now)}}
}
