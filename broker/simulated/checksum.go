package simulated

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum makes CRC-32C sums of content, so that the trace's hash covers every byte that is written. Its buffer is reused.
type checksum struct{ buf []byte }

// batch is the sum over a batch's keys, values, headers and effective timestamps; null and empty differ.
func (c *checksum) batch(b *batch) uint32 {
	c.buf = c.buf[:0]
	for i := range b.records {
		r := &b.records[i]
		c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(b.timestamp(i)))
		c.bytes(r.Key)
		c.bytes(r.Value)
		c.buf = binary.BigEndian.AppendUint32(c.buf, uint32(len(r.Headers)))
		for _, h := range r.Headers {
			c.buf = append(binary.BigEndian.AppendUint32(c.buf, uint32(len(h.Key))), h.Key...)
			c.bytes(h.Value)
		}
	}
	return crc32.Checksum(c.buf, castagnoli)
}

// bytes appends b after its length, as -1 where it is null.
func (c *checksum) bytes(b []byte) {
	n := len(b)
	if b == nil {
		n = -1
	}
	c.buf = append(binary.BigEndian.AppendUint32(c.buf, uint32(n)), b...)
}

// metadata is the sum over what is committed beside an offset.
func (c *checksum) metadata(o broker.OffsetAndMetadata) uint32 {
	c.buf = append(c.buf[:0], o.Metadata...)
	return crc32.Checksum(c.buf, castagnoli)
}

// crcField is how a sum is traced.
func crcField(sum uint32) trace.Field { return trace.F("crc", strconv.FormatUint(uint64(sum), 16)) }
