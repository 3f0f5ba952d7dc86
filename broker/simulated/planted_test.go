package simulated

import "time"

// PlantEagerWatermark plants a bug: the high watermark follows the leader's end within a millisecond, whoever else has the records.
func (m *Model) PlantEagerWatermark() {
	for _, t := range m.sortedTopics() {
		for _, p := range t.partitions {
			if s := p.set; s.leader >= 0 && m.brokers[s.leader-1].up && s.end > s.hw {
				s.hw = s.end
				s.advanced()
				s.release()
			}
		}
	}
	m.k.After(time.Millisecond, m.PlantEagerWatermark)
}
