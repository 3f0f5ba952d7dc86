package task

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// metadataMagic is the version of the commit metadata that carries a processor map; version 1 has the partition time alone.
const metadataMagic = 2

// EncodeMetadata is the metadata of an offset commit, as Kafka Streams' TopicPartitionMetadata writes it: Base64 of one byte of version,
// 8 bytes of partition time, and, when there are any, a count and the processors' numbers by name. Names are written in order.
func EncodeMetadata(partitionTime int64, numbers map[string]int64) string {
	b := append(make([]byte, 0, 13+len(numbers)*48), metadataMagic)
	b = binary.BigEndian.AppendUint64(b, uint64(partitionTime))
	if len(numbers) > 0 {
		b = binary.BigEndian.AppendUint32(b, uint32(len(numbers)))
		for _, k := range slices.Sorted(maps.Keys(numbers)) {
			b = binary.BigEndian.AppendUint32(b, uint32(len(k)))
			b = append(b, k...)
			b = binary.BigEndian.AppendUint64(b, uint64(numbers[k]))
		}
	}
	return base64.StdEncoding.EncodeToString(b)
}

// DecodeMetadata reads what EncodeMetadata or a JVM member wrote. The empty text is the time -1 and no numbers. With an error there are no
// numbers either, and the time is -1 unless it could be read.
func DecodeMetadata(s string) (partitionTime int64, numbers map[string]int64, err error) {
	if s == "" {
		return -1, nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return -1, nil, fmt.Errorf("streams: commit metadata: %w", err)
	}
	if len(b) < 9 || b[0] != 1 && b[0] != metadataMagic {
		return -1, nil, fmt.Errorf("streams: commit metadata of %d bytes: version 1 or 2 expected", len(b))
	}
	partitionTime = int64(binary.BigEndian.Uint64(b[1:]))
	if b = b[9:]; len(b) < 4 {
		return partitionTime, nil, nil
	}
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	numbers = map[string]int64{}
	for range n {
		if len(b) < 4 || uint64(len(b)) < 12+uint64(binary.BigEndian.Uint32(b)) {
			return partitionTime, nil, fmt.Errorf("streams: commit metadata ends early")
		}
		l := binary.BigEndian.Uint32(b)
		numbers[string(b[4:4+l])] = int64(binary.BigEndian.Uint64(b[4+l:]))
		b = b[12+l:]
	}
	return partitionTime, numbers, nil
}
