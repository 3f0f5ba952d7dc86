package state

import "slices"

// Memory is an engine that lives and dies with the process: for simulation, tests, and stores that are asked to be in memory.
type Memory struct {
	rows *ordered
	// immediate: tables write here at once.
	immediate bool
}

// NewMemory returns an empty engine.
func NewMemory() *Memory { return &Memory{rows: newOrdered()} }

// NewImmediate returns an empty engine into which uncommitted writes go at once, so that a commit costs nothing, and nothing can be taken back: for drivers
// of tests.
func NewImmediate() *Memory { return &Memory{rows: newOrdered(), immediate: true} }

// Get implements Engine.
func (m *Memory) Get(key []byte) ([]byte, error) {
	if c, ok := m.rows.get(key); ok {
		return c.value, nil
	}
	return nil, nil
}

// Scan implements Engine.
func (m *Memory) Scan(from, to []byte, reverse bool) Iterator { return m.rows.scan(from, to, reverse) }

// Apply implements Engine.
func (m *Memory) Apply(b *Batch) error {
	for _, o := range b.ops {
		switch {
		case o.end != nil:
			for it := m.rows.scan(o.key, o.end, false); it.Next(); {
				m.rows.remove(it.Key())
			}
		case o.value == nil:
			m.rows.remove(o.key)
		default:
			m.rows.put(o.key, slices.Clip(o.value))
		}
	}
	return nil
}

// Sync implements Engine; there is nothing that could be durable.
func (m *Memory) Sync() error { return nil }

// Close implements Engine; it drops the rows.
func (m *Memory) Close() error { return nil }
