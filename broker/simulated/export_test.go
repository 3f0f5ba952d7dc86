package simulated

// OnProduceRefused has f called with the name of the code of each write that is refused, or not confirmed in time.
func (m *Model) OnProduceRefused(f func(name string)) {
	m.produceRefused = func(c code) { f(codes[c].name) }
}
