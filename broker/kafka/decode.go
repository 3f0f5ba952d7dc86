package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// The layout of a record batch, format 2: KIP-98. Offsets are of the fields that are read here.
const (
	batchLength     = 8  // int32: bytes after this field
	batchMagic      = 16 // int8
	batchCRC        = 17 // uint32: Castagnoli, over what follows it
	batchAttributes = 21 // int16
	batchLastDelta  = 23 // int32
	batchFirstTime  = 27 // int64
	batchMaxTime    = 35 // int64
	batchProducerID = 43 // int64
	batchCount      = 57 // int32
	batchRecords    = 61

	attrCodec         = 0x07
	attrLogAppendTime = 0x08
	attrTransactional = 0x10
	attrControl       = 0x20
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errShort   = errors.New("record batch ends within a record")
)

// chunk is what one fetch returned for one partition, decoded.
type chunk struct {
	records []broker.Record // offset order; keys and values point into the response
	at      int             // the first record that Poll has not returned
	next    int64           // the position after the chunk
	bytes   int             // of the response, for the buffer's limit

	highWatermark, lastStable int64
}

// decoder turns fetch responses into records. The zero value needs a decompressor only. Not safe for concurrent use.
type decoder struct {
	decompress kgo.Decompressor
	trusting   bool    // checksums are not looked at
	aborted    []int64 // producer ids whose current transaction in this partition was aborted
}

// decode appends the records of a response from offset from on to into, and returns the position after them. Aborted
// transactions are those that the response names: none unless read_committed was asked for. Control records are passed over.
func (d *decoder) decode(raw []byte, from int64, aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction, into []broker.Record) ([]broker.Record, int64, error) {
	next := from
	d.aborted = d.aborted[:0]
	aborted = slices.Clone(aborted)
	slices.SortStableFunc(aborted, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return int(min(max(a.FirstOffset-b.FirstOffset, -1), 1))
	})
	for len(raw) >= batchRecords {
		size := int(binary.BigEndian.Uint32(raw[batchLength:])) + batchLength + 4
		if size < batchRecords || size > len(raw) {
			break // the broker cut the response at its limit
		}
		batch := raw[:size]
		raw = raw[size:]
		if magic := batch[batchMagic]; magic != 2 {
			return into, next, fmt.Errorf("record batch at offset %d has format %d; only 2 is supported", binary.BigEndian.Uint64(batch), magic)
		}
		base := int64(binary.BigEndian.Uint64(batch))
		last := base + int64(int32(binary.BigEndian.Uint32(batch[batchLastDelta:])))
		if last < next {
			continue
		}
		if !d.trusting && crc32.Checksum(batch[batchAttributes:], castagnoli) != binary.BigEndian.Uint32(batch[batchCRC:]) {
			return into, next, fmt.Errorf("record batch at offset %d: wrong checksum", base)
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= last {
			d.aborted = append(d.aborted, aborted[0].ProducerID)
			aborted = aborted[1:]
		}
		skip, err := d.skips(batch)
		if err == nil && !skip {
			into, err = d.batch(batch, base, next, into)
		}
		if err != nil {
			return into, next, fmt.Errorf("record batch at offset %d: %w", base, err)
		}
		next = last + 1
	}
	return into, next, nil
}

// skips says whether a batch holds no data for the reader: markers, and records of aborted transactions. An abort marker ends its
// producer's transaction.
func (d *decoder) skips(batch []byte) (bool, error) {
	attrs := binary.BigEndian.Uint16(batch[batchAttributes:])
	producer := int64(binary.BigEndian.Uint64(batch[batchProducerID:]))
	if attrs&attrControl == 0 {
		return attrs&attrTransactional != 0 && slices.Contains(d.aborted, producer), nil
	}
	if len(d.aborted) == 0 || binary.BigEndian.Uint32(batch[batchCount:]) == 0 {
		return true, nil
	}
	var r broker.Record
	if _, err := readRecord(batch[batchRecords:], 0, 0, &r); err != nil {
		return true, err
	}
	const abort = 0 // a marker's key is version, type: int16 each
	if len(r.Key) >= 4 && binary.BigEndian.Uint16(r.Key[2:]) == abort {
		if i := slices.Index(d.aborted, producer); i >= 0 {
			d.aborted = slices.Delete(d.aborted, i, i+1)
		}
	}
	return true, nil
}

// batch appends a data batch's records from offset from on.
func (d *decoder) batch(batch []byte, base, from int64, into []broker.Record) ([]broker.Record, error) {
	attrs := binary.BigEndian.Uint16(batch[batchAttributes:])
	count := int(int32(binary.BigEndian.Uint32(batch[batchCount:])))
	body := batch[batchRecords:]
	if c := attrs & attrCodec; c != 0 {
		var err error
		if body, err = d.decompress.Decompress(body, kgo.CompressionCodecType(c)); err != nil {
			return into, err
		}
	}
	if count < 0 || count > len(body) {
		return into, errShort
	}
	first := int64(binary.BigEndian.Uint64(batch[batchFirstTime:]))
	into = slices.Grow(into, count)
	for range count {
		into = into[:len(into)+1]
		r := &into[len(into)-1]
		rest, err := readRecord(body, base, first, r)
		if err != nil {
			return into[:len(into)-1], err
		}
		body = rest
		if attrs&attrLogAppendTime != 0 {
			r.Timestamp = int64(binary.BigEndian.Uint64(batch[batchMaxTime:]))
		}
		if r.Offset < from {
			into = into[:len(into)-1]
		}
	}
	return into, nil
}

// readRecord reads one record and returns what follows it. It sets every field of r.
func readRecord(b []byte, base, first int64, r *broker.Record) ([]byte, error) {
	size, n := binary.Varint(b)
	if n <= 0 || size < 1 || size > int64(len(b)-n) {
		return nil, errShort
	}
	rest := b[n+int(size):]
	b = b[n+1 : n+int(size)] // without the attributes, which are unused
	timeDelta, n := binary.Varint(b)
	if n <= 0 {
		return nil, errShort
	}
	b = b[n:]
	offsetDelta, n := binary.Varint(b)
	if n <= 0 {
		return nil, errShort
	}
	b = b[n:]
	r.Timestamp, r.Offset = first+timeDelta, base+offsetDelta
	var ok bool
	if r.Key, b, ok = readBytes(b); !ok {
		return nil, errShort
	}
	if r.Value, b, ok = readBytes(b); !ok {
		return nil, errShort
	}
	headers, n := binary.Varint(b)
	if n <= 0 || headers < 0 || headers > int64(len(b)) {
		return nil, errShort
	}
	r.Headers = nil
	if headers > 0 {
		if r.Headers, ok = readHeaders(b[n:], int(headers)); !ok {
			return nil, errShort
		}
	}
	return rest, nil
}

func readHeaders(b []byte, count int) ([]broker.Header, bool) {
	headers := make([]broker.Header, count)
	for i := range headers {
		key, rest, ok := readBytes(b)
		if !ok || key == nil {
			return nil, false
		}
		headers[i].Key = string(key)
		if headers[i].Value, b, ok = readBytes(rest); !ok {
			return nil, false
		}
	}
	return headers, true
}

// readBytes reads a length and that many bytes; a length of -1 is a null.
func readBytes(b []byte) (value, rest []byte, ok bool) {
	size, n := binary.Varint(b)
	if n <= 0 || size > int64(len(b)-n) {
		return nil, nil, false
	}
	if size < 0 {
		return nil, b[n:], true
	}
	end := n + int(size)
	return b[n:end:end], b[end:], true
}
