package fake

// Differs are the cases of package brokertest that the fake cluster fails knowingly, each with the entry of docs/divergence.md.
func Differs() map[string]string {
	const entry = "docs/divergence.md, broker/fake, "
	return map[string]string{
		"group/a static member comes back to what it had":                               entry + "K17",
		"brokers/too few in-sync replicas: nothing is acknowledged until they are back": entry + "K9",
		"cleaning/a value is not compacted away by one of an open transaction":          entry + "K2",
		"timestamp/too far ahead is refused":                                            entry + "K20",
		"timestamp/too far behind is refused":                                           entry + "K20",
		"produce/a compacted topic refuses a record without a key":                      entry + "K20",
		"admin/records deleted below the start are nothing":                             entry + "K21",
		"admin/settings that were not given are the defaults":                           entry + "K22",
		"admin/one bad topic does not keep the others from being created":               entry + "K22",
		"admin/a bad name, number or setting is refused":                                entry + "K22",
		"commit/metadata over the limit are refused":                                    entry + "K23",
		"transaction offsets/a plain commit meanwhile is the later one":                 entry + "K24",
		"cleaning/what is being written to is not compacted":                            entry + "K25",
	}
}
