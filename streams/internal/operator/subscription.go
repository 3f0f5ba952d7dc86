package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// A foreign-key join has two halves that talk through topics, since a row of the left table and the row of the right one that it names
// are in different tasks. SubscriptionSend tells the right half which foreign key a left row has; SubscriptionReceive keeps that, and
// SubscriptionJoin answers with the right row; ForeignTableJoin answers all who asked when a right row changes; ResponseJoin, back
// beside the left row, joins the answer if the row is still the one that asked.

// Instruction is what a subscription asks for: SubscriptionWrapper.Instruction.
type Instruction int8

// The instructions.
const (
	DeleteNoAnswer Instruction = iota // forget it
	DeleteAnswer                      // forget it, and answer that there is nothing
	AnswerAlways                      // keep it, and answer with the right row or that there is none
	AnswerIfThere                     // keep it, and answer if there is a right row
)

// Fingerprint is a hash of a left row's value, by which an answer to an older value is known. Without Has there is no value.
type Fingerprint struct {
	Has    bool
	H1, H2 uint64
}

// Subscription is what a left row tells the right half: SubscriptionWrapper.
type Subscription[K any] struct {
	Of          Fingerprint
	Instruction Instruction
	Version     byte // of the format: 0, which has no partition, or 1
	Key         K    // of the left row
	Partition   int32
}

// noPartition is the partition in a subscription of version 0.
const noPartition = -1

// Response is the answer to it: SubscriptionResponseWrapper. Partition, which is not written, is the left row's or negative.
type Response[V any] struct {
	To        Fingerprint
	Value     V
	NullValue bool
	Partition int32
}

// WrapperError is a subscription or response that cannot be read.
type WrapperError struct{ Text, Kafka string }

func (e *WrapperError) Error() string { return "foreign-key join: " + e.Text }

// Class is Kafka's name of the error kind.
func (e *WrapperError) Class() string { return e.Kafka }

func tooNew(version byte) error {
	return &WrapperError{fmt.Sprintf("a message has the format %d, which this version cannot read", version), "org.apache.kafka.common.errors.UnsupportedVersionException"}
}

func tooShort(n int) error {
	return &WrapperError{fmt.Sprintf("a message of %d bytes ends too early", n), "java.nio.BufferUnderflowException"}
}

// noHash is the bit of the first byte that says that no hash follows; the other bits are the version.
const noHash = 0x80

func appendFingerprint(dst []byte, f Fingerprint) []byte {
	if !f.Has {
		return dst
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, f.H1), f.H2)
}

func cutFingerprint(first byte, b []byte) (f Fingerprint, rest []byte, ok bool) {
	if first&noHash != 0 {
		return f, b, true
	}
	if len(b) < 16 {
		return f, b, false
	}
	return Fingerprint{true, binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}, b[16:], true
}

func firstByte(version byte, f Fingerprint) byte {
	if f.Has {
		return version
	}
	return version | noHash
}

// subscriptionSerde is SubscriptionWrapperSerde: 1 byte of version and noHash, 1 of instruction, 16 of hash unless there is none, the key,
// 4 of partition from version 1 on. One is for one node.
type subscriptionSerde[K any] struct {
	key serde.Serde[K]
	// topic is the last one asked for, and keyTopic the pseudo topic for which the key is written in it.
	topic, keyTopic string
}

// SubscriptionSerde writes subscriptions with left keys of a serde. Each node has its own.
func SubscriptionSerde[K any](key serde.Serde[K]) serde.Serde[Subscription[K]] {
	return &subscriptionSerde[K]{key: key}
}

func (s *subscriptionSerde[K]) String() string { return "subscription<" + s.key.String() + ">" }

func (s *subscriptionSerde[K]) pseudo(topic string) string {
	if topic != s.topic {
		s.topic, s.keyTopic = topic, topic+primarySuffix
	}
	return s.keyTopic
}

func (s *subscriptionSerde[K]) Append(dst []byte, topic string, v Subscription[K]) ([]byte, error) {
	dst = appendFingerprint(append(dst, firstByte(v.Version, v.Of), byte(v.Instruction)), v.Of)
	dst, err := s.key.Append(dst, s.pseudo(topic), v.Key)
	if err != nil || v.Version == 0 {
		return dst, err
	}
	return binary.BigEndian.AppendUint32(dst, uint32(v.Partition)), nil
}

func (s *subscriptionSerde[K]) Decode(topic string, b []byte) (v Subscription[K], err error) {
	if len(b) < 2 {
		return v, tooShort(len(b))
	}
	v.Version, v.Instruction, v.Partition = b[0]&^noHash, Instruction(b[1]), noPartition
	if v.Version > 1 {
		return v, tooNew(v.Version)
	}
	if v.Instruction < DeleteNoAnswer || v.Instruction > AnswerIfThere {
		return v, &WrapperError{fmt.Sprintf("the unknown instruction %d", b[1]), "java.lang.IllegalArgumentException"}
	}
	of, rest, ok := cutFingerprint(b[0], b[2:])
	v.Of = of
	if v.Version == 1 && ok {
		if ok = len(rest) >= 4; ok {
			end := len(rest) - 4
			v.Partition, rest = int32(binary.BigEndian.Uint32(rest[end:])), rest[:end:end]
		}
	}
	if !ok {
		return v, tooShort(len(b))
	}
	v.Key, err = s.key.Decode(s.pseudo(topic), rest)
	return v, err
}

// responseSerde is SubscriptionResponseWrapperSerde: 1 byte of version and noHash, 16 of hash unless there is none, the right row's value
// if there is one.
type responseSerde[V any] struct {
	value serde.Serde[V]
	null  func(*V) bool
}

// ResponseSerde writes responses with right values of a serde.
func ResponseSerde[V any](value serde.Serde[V]) serde.Serde[Response[V]] {
	return responseSerde[V]{value, processor.NullTest[V]()}
}

func (s responseSerde[V]) String() string { return "response<" + s.value.String() + ">" }

func (s responseSerde[V]) Append(dst []byte, topic string, v Response[V]) ([]byte, error) {
	dst = appendFingerprint(append(dst, firstByte(0, v.To)), v.To)
	if v.NullValue {
		return dst, nil
	}
	return s.value.Append(dst, topic, v.Value)
}

func (s responseSerde[V]) Decode(topic string, b []byte) (v Response[V], err error) {
	v.Partition = noPartition
	if len(b) == 0 {
		return v, tooShort(0)
	}
	if version := b[0] &^ noHash; version != 0 {
		return v, tooNew(version)
	}
	to, rest, ok := cutFingerprint(b[0], b[1:])
	if !ok {
		return v, tooShort(len(b))
	}
	v.To = to
	if v.NullValue = len(rest) == 0; v.NullValue {
		return v, nil
	}
	v.Value, err = s.value.Decode(topic, rest)
	v.NullValue = err == nil && s.null(&v.Value)
	return v, err
}
