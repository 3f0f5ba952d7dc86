package simulated

type cleanerState struct{}

func (p *partition) scheduleCleaning() {}
