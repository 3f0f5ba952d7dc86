package simulated

// Compression is a no-op with the sizes accounted: what a codec makes of a batch's records is a fixed share of them, about what it is for
// JSON events.
var compressedShare = map[string]float64{"none": 1, "gzip": 0.30, "snappy": 0.50, "lz4": 0.50, "zstd": 0.28}

// compressed is the size of a batch whose size without compression is raw.
func compressed(raw int, codec string) int {
	share := compressedShare[codec]
	if share == 1 {
		return raw
	}
	return batchOverhead + int(share*float64(raw-batchOverhead))
}
