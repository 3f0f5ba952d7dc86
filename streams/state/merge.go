package state

// mergeIter lays one iterator over another: where both have a key the top's row counts, and a nil value at the top hides the row.
type mergeIter struct {
	top, bottom         Iterator
	topOK, bottomOK     bool
	started, fromBottom bool
	compare             func(a, b []byte) int
	reverse             bool
}

func merged(top, bottom Iterator, compare func(a, b []byte) int, reverse bool) Iterator {
	return &mergeIter{top: top, bottom: bottom, compare: compare, reverse: reverse}
}

func (m *mergeIter) Next() bool {
	if !m.started {
		m.started = true
		m.topOK, m.bottomOK = m.top.Next(), m.bottom.Next()
	} else if m.fromBottom {
		m.bottomOK = m.bottom.Next()
	} else {
		m.topOK = m.top.Next()
	}
	for m.topOK {
		c := 1
		if m.bottomOK {
			c = m.compare(m.bottom.Key(), m.top.Key())
			if m.reverse {
				c = -c
			}
		}
		if c < 0 {
			break
		}
		if c == 0 {
			m.bottomOK = m.bottom.Next()
		}
		if m.top.Value() != nil {
			m.fromBottom = false
			return m.Err() == nil
		}
		m.topOK = m.top.Next()
	}
	m.fromBottom = true
	return m.bottomOK && m.Err() == nil
}

func (m *mergeIter) current() Iterator {
	if m.fromBottom {
		return m.bottom
	}
	return m.top
}

func (m *mergeIter) Key() []byte   { return m.current().Key() }
func (m *mergeIter) Value() []byte { return m.current().Value() }

func (m *mergeIter) Err() error {
	if err := m.top.Err(); err != nil {
		return err
	}
	return m.bottom.Err()
}

func (m *mergeIter) Close() error {
	err := m.top.Close()
	if err2 := m.bottom.Close(); err == nil {
		err = err2
	}
	return err
}

// chainIter walks over several iterators, one after another; each is opened when it is reached.
type chainIter struct {
	open []func() Iterator
	cur  Iterator
	err  error
}

func (c *chainIter) Next() bool {
	for {
		if c.cur != nil {
			if c.cur.Next() {
				return true
			}
			c.err = c.cur.Err()
			if err := c.cur.Close(); c.err == nil {
				c.err = err
			}
			c.cur = nil
		}
		if c.err != nil || len(c.open) == 0 {
			return false
		}
		c.cur = c.open[0]()
		c.open = c.open[1:]
	}
}

func (c *chainIter) Key() []byte   { return c.cur.Key() }
func (c *chainIter) Value() []byte { return c.cur.Value() }
func (c *chainIter) Err() error    { return c.err }
func (c *chainIter) Close() error {
	if c.cur != nil {
		err := c.cur.Close()
		c.cur = nil
		return err
	}
	return nil
}
