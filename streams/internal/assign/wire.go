package assign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Version is the version of both encodings: the latest since Kafka 3.0.
const Version = 11

// oldest is the oldest version that is read: the first in which tasks have no more than one form (Kafka 2.8).
const oldest = 10

// What a member says of a task instead of a sum of offsets.
const (
	OffsetLatest  int64 = -2 // it runs the task
	OffsetUnknown int64 = -3
)

// NoRebalance as NextRebalance: none is planned.
const NoRebalance int64 = math.MaxInt64

// Subscription is what a member tells the leader: SubscriptionInfo.
type Subscription struct {
	Version, LatestSupported int32
	ProcessID                [16]byte
	Endpoint                 string
	// Sums are the offsets of a task's changelogs, summed, or one of the Offset values.
	Sums map[processor.TaskID]int64
	// Unique changes to make a subscription differ from the last one.
	Unique int8
	Code   int32
	Tags   map[string]string
}

// Encode writes the subscription at its Version. Tasks and tags are in order, since a subscription that differs starts a rebalance.
func (s *Subscription) Encode() []byte {
	b := be32(nil, s.Version)
	b = be32(b, s.LatestSupported)
	b = append(b, s.ProcessID[:]...)
	b = bytes32(b, s.Endpoint)
	b = be32(b, int32(len(s.Sums)))
	for _, id := range slices.SortedFunc(maps.Keys(s.Sums), processor.TaskID.Compare) {
		b = be32(be32(b, id.Subtopology), id.Partition)
		b = binary.BigEndian.AppendUint64(b, uint64(s.Sums[id]))
		b = binary.BigEndian.AppendUint16(b, 0xffff) // no named topology
	}
	b = append(b, byte(s.Unique))
	b = be32(b, s.Code)
	if s.Version >= 11 {
		b = be32(b, int32(len(s.Tags)))
		for _, k := range slices.Sorted(maps.Keys(s.Tags)) {
			b = bytes32(bytes32(b, k), s.Tags[k])
		}
	}
	return b
}

// DecodeSubscription reads what Encode or a JVM member wrote.
func DecodeSubscription(b []byte) (*Subscription, error) {
	r := &reader{b: b}
	s := &Subscription{Version: r.i32(), LatestSupported: r.i32(), Sums: map[processor.TaskID]int64{}, Tags: map[string]string{}}
	if r.err == nil && (s.Version < oldest || s.Version > Version) {
		return nil, fmt.Errorf("streams: subscription of version %d: versions %d to %d can be read", s.Version, oldest, Version)
	}
	copy(s.ProcessID[:], r.take(16))
	s.Endpoint = string(r.take(int(r.i32())))
	for n := r.i32(); n > 0 && r.err == nil; n-- {
		id := processor.TaskID{Subtopology: r.i32(), Partition: r.i32()}
		s.Sums[id] = r.i64()
		if l := int16(r.u16()); l > 0 {
			r.take(int(l))
		}
	}
	s.Unique = int8(r.u8())
	s.Code = r.i32()
	if s.Version >= 11 {
		for n := r.i32(); n > 0 && r.err == nil; n-- {
			k := string(r.take(int(r.i32())))
			s.Tags[k] = string(r.take(int(r.i32())))
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("streams: subscription: %w", r.err)
	}
	return s, nil
}

// Assignment is what the leader tells a member: AssignmentInfo.
type Assignment struct {
	Version, LatestSupported int32
	// Active has one task for each assigned partition, in the order of the sorted partitions.
	Active  []processor.TaskID
	Standby map[processor.TaskID][]broker.TopicPartition
	// ByHost and StandbyByHost say which endpoint has which partitions.
	ByHost, StandbyByHost map[Endpoint][]broker.TopicPartition
	Code                  int32
	// NextRebalance is when this member should ask for a rebalance, ms since the epoch; 0: at once.
	NextRebalance int64
}

// Endpoint is an application.server.
type Endpoint struct {
	Host string
	Port int32
}

// Encode writes the assignment.
func (a *Assignment) Encode() []byte {
	b := be32(be32(nil, a.Version), a.LatestSupported)
	b = be32(b, int32(len(a.Active)))
	for _, id := range a.Active {
		b = taskID(b, id)
	}
	b = be32(b, int32(len(a.Standby)))
	for _, id := range slices.SortedFunc(maps.Keys(a.Standby), processor.TaskID.Compare) {
		b = taskID(b, id)
		b = be32(b, int32(len(a.Standby[id])))
		for _, tp := range a.Standby[id] {
			b = be32(utf(b, tp.Topic), tp.Partition)
		}
	}
	topics := a.topics()
	b = be32(b, int32(len(topics)))
	for i, t := range topics {
		b = utf(be32(b, int32(i)), t)
	}
	b = byHost(b, a.ByHost, topics)
	b = byHost(b, a.StandbyByHost, topics)
	b = be32(b, a.Code)
	return binary.BigEndian.AppendUint64(b, uint64(a.NextRebalance))
}

func (a *Assignment) topics() []string {
	set := map[string]bool{}
	for _, m := range []map[Endpoint][]broker.TopicPartition{a.ByHost, a.StandbyByHost} {
		for _, tps := range m { // into a set
			for _, tp := range tps {
				set[tp.Topic] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func taskID(b []byte, id processor.TaskID) []byte {
	b = be32(be32(b, id.Subtopology), id.Partition)
	return be32(b, 0) // no named topology: no characters
}

func byHost(b []byte, m map[Endpoint][]broker.TopicPartition, topics []string) []byte {
	b = be32(b, int32(len(m)))
	for _, h := range slices.SortedFunc(maps.Keys(m), func(x, y Endpoint) int {
		if x.Host != y.Host {
			if x.Host < y.Host {
				return -1
			}
			return 1
		}
		return int(x.Port - y.Port)
	}) {
		b = be32(utf(b, h.Host), h.Port)
		b = be32(b, int32(len(m[h])))
		for _, tp := range m[h] {
			i, _ := slices.BinarySearch(topics, tp.Topic)
			b = be32(be32(b, int32(i)), tp.Partition)
		}
	}
	return b
}

// DecodeAssignment reads what Encode or a JVM leader wrote.
func DecodeAssignment(b []byte) (*Assignment, error) {
	r := &reader{b: b}
	a := &Assignment{Version: r.i32(), LatestSupported: r.i32(), Standby: map[processor.TaskID][]broker.TopicPartition{}}
	if r.err == nil && (a.Version < oldest || a.Version > Version) {
		return nil, fmt.Errorf("streams: assignment of version %d: versions %d to %d can be read", a.Version, oldest, Version)
	}
	for n := r.i32(); n > 0 && r.err == nil; n-- {
		a.Active = append(a.Active, r.taskID())
	}
	for n := r.i32(); n > 0 && r.err == nil; n-- {
		id := r.taskID()
		for m := r.i32(); m > 0 && r.err == nil; m-- {
			a.Standby[id] = append(a.Standby[id], broker.TopicPartition{Topic: r.utf(), Partition: r.i32()})
		}
	}
	topics := map[int32]string{}
	for n := r.i32(); n > 0 && r.err == nil; n-- {
		i := r.i32()
		topics[i] = r.utf()
	}
	a.ByHost, a.StandbyByHost = r.byHost(topics), r.byHost(topics)
	a.Code, a.NextRebalance = r.i32(), r.i64()
	if r.err != nil {
		return nil, fmt.Errorf("streams: assignment: %w", r.err)
	}
	return a, nil
}

func be32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

func bytes32(b []byte, s string) []byte { return append(be32(b, int32(len(s))), s...) }

// utf is DataOutput.writeUTF, for text without NUL and outside the supplementary planes: names of topics and hosts.
func utf(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

var errShort = errors.New("it ends early")

// reader reads until the first thing that is not there.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) i32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) utf() string { return string(r.take(int(r.u16()))) }

func (r *reader) taskID() processor.TaskID {
	id := processor.TaskID{Subtopology: r.i32(), Partition: r.i32()}
	r.take(2 * int(r.i32())) // a named topology's name, in UTF-16
	return id
}

func (r *reader) byHost(topics map[int32]string) map[Endpoint][]broker.TopicPartition {
	out := map[Endpoint][]broker.TopicPartition{}
	for n := r.i32(); n > 0 && r.err == nil; n-- {
		h := Endpoint{r.utf(), r.i32()}
		for m := r.i32(); m > 0 && r.err == nil; m-- {
			out[h] = append(out[h], broker.TopicPartition{Topic: topics[r.i32()], Partition: r.i32()})
		}
	}
	return out
}
