package state

import "slices"

// Memory is an engine that lives and dies with the process: for simulation, tests, and stores that are asked to be in memory.
type Memory struct{ rows *ordered }

// NewMemory returns an empty engine.
func NewMemory() *Memory { return &Memory{newOrdered()} }

func (m *Memory) Get(key []byte) ([]byte, error) {
	if c, ok := m.rows.get(key); ok {
		return c.value, nil
	}
	return nil, nil
}

func (m *Memory) Scan(from, to []byte, reverse bool) Iterator { return m.rows.scan(from, to, reverse) }

func (m *Memory) Apply(b *Batch) error {
	for _, o := range b.ops {
		switch {
		case o.end != nil:
			var keys [][]byte
			for it := m.rows.scan(o.key, o.end, false); it.Next(); {
				keys = append(keys, it.Key())
			}
			for _, k := range keys {
				m.rows.remove(k)
			}
		case o.value == nil:
			m.rows.remove(o.key)
		default:
			m.rows.put(o.key, slices.Clip(o.value))
		}
	}
	return nil
}

func (m *Memory) Close() error { return nil }
