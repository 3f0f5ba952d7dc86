package fake

// Differs are the cases of package brokertest that the fake cluster fails knowingly, each with the entry of docs/divergence.md.
func Differs() map[string]string {
	return map[string]string{
		"group/a static member comes back to what it had": "docs/divergence.md, broker/fake, K17",
	}
}
