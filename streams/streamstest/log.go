package streamstest

import "github.com/kstreamlab/kstreamlab/broker"

const (
	blockSize = 512     // records of a block of a log
	chunkSize = 1 << 16 // bytes of a chunk of a log, at least
)

// sentLog is a list of records. A driver keeps all that was ever sent, often millions of records: without pointers in them they cost the garbage
// collector nothing.
type sentLog struct {
	n       int
	blocks  [][]entry // all but the last are full
	chunks  [][]byte  // keys and values
	headers [][]broker.Header
}

// entry is a record of a log. Its key, and then its value, are at an offset of a chunk.
type entry struct {
	timestamp, offset int64
	topic             int32 // of topics.all
	partition         int32
	key, value        int32 // lengths in bytes; -1: null
	chunk, from       int32
	headers           int32 // of the log's headers, counted from 1; 0: none
}

func length(b []byte) int32 {
	if b == nil {
		return -1
	}
	return int32(len(b))
}

// add appends a record; its bytes are copied.
func (l *sentLog) add(t *topic, partition int32, r *broker.Record) {
	if l.n%blockSize == 0 {
		l.blocks = append(l.blocks, make([]entry, blockSize))
	}
	size := len(r.Key) + len(r.Value)
	last := len(l.chunks) - 1
	if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < size {
		l.chunks = append(l.chunks, make([]byte, 0, max(chunkSize, size)))
		last++
	}
	chunk := l.chunks[last]
	e := &l.blocks[len(l.blocks)-1][l.n%blockSize]
	e.timestamp, e.offset, e.topic, e.partition = r.Timestamp, r.Offset, t.index, partition
	e.key, e.value, e.chunk, e.from = length(r.Key), length(r.Value), int32(last), int32(len(chunk))
	l.chunks[last] = append(append(chunk, r.Key...), r.Value...)
	if e.headers = 0; r.Headers != nil {
		l.headers = append(l.headers, r.Headers)
		e.headers = int32(len(l.headers))
	}
	l.n++
}

// drop forgets the last record. Its bytes stay.
func (l *sentLog) drop() {
	l.n--
	if l.n%blockSize == 0 {
		l.blocks = l.blocks[:len(l.blocks)-1]
	}
}

func (l *sentLog) entry(i int) *entry { return &l.blocks[i/blockSize][i%blockSize] }

// topic is the index of the topic of the i-th record.
func (l *sentLog) topic(i int) int32 { return l.entry(i).topic }

// read is the i-th record, whose bytes stay the log's.
func (l *sentLog) read(i int, r *broker.Record) (topic, partition int32) {
	e := l.entry(i)
	r.Timestamp, r.Offset = e.timestamp, e.offset
	chunk, from := l.chunks[e.chunk], e.from
	if e.key >= 0 {
		r.Key = chunk[from : from+e.key : from+e.key]
		from += e.key
	}
	if e.value >= 0 {
		r.Value = chunk[from : from+e.value : from+e.value]
	}
	if e.headers > 0 {
		r.Headers = l.headers[e.headers-1]
	}
	return e.topic, e.partition
}
