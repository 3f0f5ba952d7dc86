package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// encode makes one record batch, format 2. lastDelta may exceed the records: compaction took some away.
func encode(base int64, lastDelta int32, attrs int16, producer int64, records []broker.Record, deltas []int) []byte {
	var body []byte
	for i, r := range records {
		rec := []byte{0}
		rec = binary.AppendVarint(rec, r.Timestamp-1000)
		rec = binary.AppendVarint(rec, int64(deltas[i]))
		rec = appendBytes(appendBytes(rec, r.Key), r.Value)
		rec = binary.AppendVarint(rec, int64(len(r.Headers)))
		for _, h := range r.Headers {
			rec = appendBytes(appendBytes(rec, []byte(h.Key)), h.Value)
		}
		body = append(binary.AppendVarint(body, int64(len(rec))), rec...)
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(base))
	b = binary.BigEndian.AppendUint32(b, uint32(batchRecords-batchLength-4+len(body)))
	b = binary.BigEndian.AppendUint32(b, 0)
	b = append(b, 2, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(attrs))
	b = binary.BigEndian.AppendUint32(b, uint32(lastDelta))
	b = binary.BigEndian.AppendUint64(b, 1000)
	b = binary.BigEndian.AppendUint64(b, 7777)
	b = binary.BigEndian.AppendUint64(b, uint64(producer))
	b = append(b, 0, 0, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(records)))
	b = append(b, body...)
	binary.BigEndian.PutUint32(b[batchCRC:], crc32.Checksum(b[batchAttributes:], castagnoli))
	return b
}

func appendBytes(to, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(to, -1)
	}
	return append(binary.AppendVarint(to, int64(len(b))), b...)
}

func data(base int64, attrs int16, producer int64, values ...string) []byte {
	var rs []broker.Record
	var deltas []int
	for i, v := range values {
		rs = append(rs, broker.Record{Value: []byte(v), Timestamp: 1000})
		deltas = append(deltas, i)
	}
	return encode(base, int32(len(values)-1), attrs, producer, rs, deltas)
}

func marker(base, producer int64, commit byte) []byte {
	return encode(base, 0, attrControl|attrTransactional, producer, []broker.Record{{Key: []byte{0, 0, 0, commit}, Value: []byte{0, 0, 0, 0, 0, 0}, Timestamp: 1000}}, []int{0})
}

func aborted(producer, first int64) kmsg.FetchResponseTopicPartitionAbortedTransaction {
	return kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: producer, FirstOffset: first}
}

func TestDecode(t *testing.T) {
	const tx = attrTransactional
	full := broker.Record{Key: []byte("k"), Value: []byte{}, Timestamp: 1234, Headers: []broker.Header{{Key: "h", Value: nil}, {Key: "", Value: []byte("x")}}}
	tests := []struct {
		name    string
		raw     [][]byte
		from    int64
		aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
		want    string // offset=value
		next    int64
	}{
		{"two batches", [][]byte{data(0, 0, -1, "a", "b"), data(2, 0, -1, "c")}, 0, nil, "0=a 1=b 2=c", 3},
		{"from the middle of a batch", [][]byte{data(0, 0, -1, "a", "b", "c")}, 1, nil, "1=b 2=c", 3},
		{"a batch before the offset", [][]byte{data(0, 0, -1, "a"), data(1, 0, -1, "b")}, 1, nil, "1=b", 2},
		{"a batch cut off", [][]byte{data(0, 0, -1, "a"), data(1, 0, -1, "b")[:66]}, 0, nil, "0=a", 1},
		{"nothing whole", [][]byte{data(5, 0, -1, "a")[:60]}, 5, nil, "", 5},
		{"a marker at the end", [][]byte{data(0, tx, 9, "a"), marker(1, 9, 1)}, 0, nil, "0=a", 2},
		{"an aborted transaction", [][]byte{data(0, tx, 9, "a"), data(1, tx, 8, "b"), marker(2, 9, 0), data(3, tx, 9, "c"), marker(4, 9, 1)}, 0,
			[]kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(9, 0)}, "1=b 3=c", 5},
		{"aborted twice by one producer", [][]byte{data(0, tx, 9, "a"), marker(1, 9, 0), data(2, tx, 9, "b"), marker(3, 9, 0), data(4, tx, 9, "c")}, 0,
			[]kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(9, 2), aborted(9, 0)}, "4=c", 5},
		{"a plain batch of a producer whose transaction is aborted", [][]byte{data(0, 0, 9, "a")}, 0,
			[]kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(9, 0)}, "0=a", 1},
		{"compaction left gaps and a longer batch", [][]byte{encode(10, 9, 0, -1, []broker.Record{{Value: []byte("x"), Timestamp: 1000}, {Value: []byte("y"), Timestamp: 1000}}, []int{2, 5})}, 10, nil, "12=x 15=y", 20},
		{"an empty batch", [][]byte{encode(10, 4, 0, 9, nil, nil)}, 10, nil, "", 15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decoder{decompress: decompressor}
			got, next, err := d.decode(bytes.Join(tt.raw, nil), tt.from, tt.aborted, nil)
			if err != nil {
				t.Fatal(err)
			}
			var have string
			for _, r := range got {
				have += fmt.Sprintf(" %d=%s", r.Offset, r.Value)
			}
			if want := tt.want; len(have) > 0 && have[1:] != want || len(have) == 0 && want != "" || next != tt.next {
				t.Errorf("decoded%s, next %d; want %s, next %d", have, next, want, tt.next)
			}
		})
	}
	d := decoder{decompress: decompressor}
	got, _, err := d.decode(encode(3, 0, 0, -1, []broker.Record{full}, []int{0}), 0, nil, nil)
	full.Offset = 3
	if err != nil || !cmp.Equal(got, []broker.Record{full}) {
		t.Errorf("decoded %v, %v: %s", got, err, cmp.Diff([]broker.Record{full}, got))
	}
	got, _, err = d.decode(data(0, attrLogAppendTime, -1, "a"), 0, nil, nil)
	if err != nil || got[0].Timestamp != 7777 {
		t.Errorf("with LogAppendTime: %v, %v", got, err)
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	good := data(0, 0, -1, "a", "b")
	for name, spoil := range map[string]func(b []byte){
		"checksum":           func(b []byte) { b[len(b)-1]++ },
		"format":             func(b []byte) { b[batchMagic] = 1 },
		"record's length":    func(b []byte) { b[batchRecords] = 0x7e; seal(b) },
		"number of records":  func(b []byte) { b[batchCount+3] = 3; seal(b) },
		"compression's data": func(b []byte) { b[batchAttributes+1] = 1; seal(b) },
	} {
		b := bytes.Clone(good)
		spoil(b)
		d := decoder{decompress: decompressor}
		if got, next, err := d.decode(b, 0, nil, nil); err == nil || next != 0 {
			t.Errorf("%s: decoded %v, next %d", name, got, next)
		}
	}
}

func seal(b []byte) {
	binary.BigEndian.PutUint32(b[batchCRC:], crc32.Checksum(b[batchAttributes:], castagnoli))
}

func FuzzDecode(f *testing.F) {
	f.Add(data(0, 0, -1, "a", "b"), int64(0), true)
	f.Add(marker(1, 9, 0), int64(1), false)
	f.Add(encode(10, 4, 0, 9, nil, nil), int64(12), false)
	f.Fuzz(func(t *testing.T, b []byte, from int64, sealed bool) {
		if sealed && len(b) >= batchRecords {
			seal(b)
		}
		d := decoder{decompress: decompressor}
		got, next, err := d.decode(b, from, []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(9, 0)}, nil)
		if err == nil && next < from {
			t.Fatalf("the position went back from %d to %d", from, next)
		}
		for _, r := range got {
			if r.Offset < from {
				t.Fatalf("offset %d came, from %d", r.Offset, from)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	var rs []broker.Record
	var deltas []int
	for i := range 1000 {
		rs = append(rs, broker.Record{Key: []byte("0123456789"), Value: make([]byte, 90), Timestamp: 1000})
		deltas = append(deltas, i)
	}
	raw := encode(0, 999, 0, -1, rs, deltas)
	d := decoder{decompress: decompressor}
	var into []broker.Record
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		into, _, _ = d.decode(raw, 0, nil, into[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
}
