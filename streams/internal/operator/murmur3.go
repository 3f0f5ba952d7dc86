package operator

import (
	"encoding/binary"
	"math/bits"
)

// murmurSeed is the seed with which Kafka hashes.
const murmurSeed = 104729

const (
	murmur1 = 0x87c37b91114253d5
	murmur2 = 0x4cf5ad432745937f
)

// murmur128 is the 128 bits of Murmur3 for x64 machines, as org.apache.kafka.streams.state.internals.Murmur3.hash128 gives them: two
// numbers of 64 bits.
func murmur128(b []byte) (h1, h2 uint64) {
	size := uint64(len(b))
	h1, h2 = murmurSeed, murmurSeed
	for ; len(b) >= 16; b = b[16:] {
		h1 ^= murmurFirst(binary.LittleEndian.Uint64(b))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= murmurSecond(binary.LittleEndian.Uint64(b[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte // what is left; zeros change nothing
	copy(tail[:], b)
	h1 ^= murmurFirst(binary.LittleEndian.Uint64(tail[:]))
	h2 ^= murmurSecond(binary.LittleEndian.Uint64(tail[8:]))
	h1, h2 = h1^size, h2^size
	h1 += h2
	h2 += h1
	h1, h2 = murmurMix(h1), murmurMix(h2)
	h1 += h2
	return h1, h2 + h1
}

func murmurFirst(k uint64) uint64  { return bits.RotateLeft64(k*murmur1, 31) * murmur2 }
func murmurSecond(k uint64) uint64 { return bits.RotateLeft64(k*murmur2, 33) * murmur1 }

func murmurMix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
