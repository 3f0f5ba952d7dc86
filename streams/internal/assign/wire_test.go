package assign_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/assign"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

func task(sub, part int32) processor.TaskID {
	return processor.TaskID{Subtopology: sub, Partition: part}
}

func tp(topic string, p int32) broker.TopicPartition {
	return broker.TopicPartition{Topic: topic, Partition: p}
}

var subscription = assign.Subscription{
	Version: 11, LatestSupported: 11,
	ProcessID: [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	Endpoint:  "h:80",
	Sums:      map[processor.TaskID]int64{task(1, 0): 258, task(0, 2): assign.OffsetLatest, task(0, 10): assign.OffsetUnknown},
	Unique:    -1,
	Code:      4,
	Tags:      map[string]string{"zone": "a", "rack": "r1"},
}

// subscriptionBytes is laid out by hand after Kafka's SubscriptionInfoData.json, version 11 (not flexible: arrays and bytes have an int32
// length, strings an int16 one).
var subscriptionBytes = join(
	"0000000b",                         // version
	"0000000b",                         // latestSupportedVersion
	"000102030405060708090a0b0c0d0e0f", // processId
	"00000004", "683a3830",             // userEndPoint
	"00000003",                                         // taskOffsetSums
	"00000000", "00000002", "fffffffffffffffe", "ffff", // topicGroupId, partition, offsetSum, namedTopology null
	"00000000", "0000000a", "fffffffffffffffd", "ffff", //
	"00000001", "00000000", "0000000000000102", "ffff", //
	"ff",       // uniqueField
	"00000004", // errorCode
	"00000002", // clientTags
	"00000004", "7261636b", "00000002", "7231", "00000004", "7a6f6e65", "00000001", "61",
)

var assignment = assign.Assignment{
	Version: 11, LatestSupported: 11,
	Active:        []processor.TaskID{task(0, 0), task(1, 2), task(0, 0)},
	Standby:       map[processor.TaskID][]broker.TopicPartition{task(1, 1): {tp("c", 1), tp("d", 1)}},
	ByHost:        map[assign.Endpoint][]broker.TopicPartition{{Host: "h2", Port: 1}: {tp("b", 7)}, {Host: "h1", Port: 80}: {tp("a", 0), tp("b", 1)}},
	StandbyByHost: map[assign.Endpoint][]broker.TopicPartition{{Host: "h1", Port: 80}: {tp("aa", 3)}},
	Code:          0,
	NextRebalance: assign.NoRebalance,
}

// assignmentBytes is laid out by hand after Kafka's AssignmentInfo.encode, version 11. Kafka's maps and dictionary have no fixed order; ours is sorted.
var assignmentBytes = join(
	"0000000b", "0000000b", // version, commonly supported version
	"00000003", "00000000", "00000000", "00000000", // active: sub-topology, partition, length of the topology's name
	"00000001", "00000002", "00000000",
	"00000000", "00000000", "00000000",
	"00000001", "00000001", "00000001", "00000000", // standby
	"00000002", "0001", "63", "00000001", "0001", "64", "00000001",
	"00000003", "00000000", "0001", "61", "00000001", "0002", "6161", "00000002", "0001", "62", // topic dictionary
	"00000002", // partitions by host
	"0002", "6831", "00000050", "00000002", "00000000", "00000000", "00000002", "00000001",
	"0002", "6832", "00000001", "00000001", "00000002", "00000007",
	"00000001", // standby partitions by host
	"0002", "6831", "00000050", "00000001", "00000001", "00000003",
	"00000000",         // error
	"7fffffffffffffff", // next rebalance
)

func join(parts ...string) string { return strings.Join(parts, "") }

func TestSubscriptionBytes(t *testing.T) {
	if d := cmp.Diff(subscriptionBytes, hex.EncodeToString(subscription.Encode())); d != "" {
		t.Error(d)
	}
	got, err := assign.DecodeSubscription(unhex(t, subscriptionBytes))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&subscription, got); d != "" {
		t.Error(d)
	}
}

func TestSubscriptionOfVersion10HasNoTags(t *testing.T) {
	s := subscription
	s.Version, s.LatestSupported = 10, 11
	b := s.Encode()
	if want := len(subscriptionBytes)/2 - 4 - 4 - 4 - 4 - 2 - 4 - 4 - 4 - 1; len(b) != want {
		t.Errorf("%d bytes, want %d", len(b), want)
	}
	got, err := assign.DecodeSubscription(b)
	if err != nil {
		t.Fatal(err)
	}
	s.Tags = map[string]string{}
	if d := cmp.Diff(&s, got); d != "" {
		t.Error(d)
	}
}

func TestSubscriptionOfANamedTopology(t *testing.T) {
	named := strings.Replace(subscriptionBytes, "fffffffffffffffeffff", "fffffffffffffffe"+"0002"+"6e6d", 1)
	got, err := assign.DecodeSubscription(unhex(t, named))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&subscription, got); d != "" {
		t.Error(d)
	}
}

func TestAssignmentBytes(t *testing.T) {
	if d := cmp.Diff(assignmentBytes, hex.EncodeToString(assignment.Encode())); d != "" {
		t.Error(d)
	}
	got, err := assign.DecodeAssignment(unhex(t, assignmentBytes))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&assignment, got); d != "" {
		t.Error(d)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for _, c := range []struct {
		bytes  string
		decode func([]byte) error
	}{
		{subscriptionBytes, func(b []byte) error { _, err := assign.DecodeSubscription(b); return err }},
		{assignmentBytes, func(b []byte) error { _, err := assign.DecodeAssignment(b); return err }},
	} {
		b := unhex(t, c.bytes)
		for n := range len(b) {
			if err := c.decode(b[:n]); err == nil {
				t.Errorf("%d of %d bytes were read without an error", n, len(b))
			}
		}
	}
}

func TestOtherVersionsAreRefused(t *testing.T) {
	for _, v := range []byte{0, 9, 12, 255} {
		b := []byte{0, 0, 0, v, 0, 0, 0, 11}
		if _, err := assign.DecodeSubscription(b); err == nil || !strings.Contains(err.Error(), "versions 10 to 11 can be read") {
			t.Errorf("subscription of version %d: %v", v, err)
		}
		if _, err := assign.DecodeAssignment(b); err == nil || !strings.Contains(err.Error(), "versions 10 to 11 can be read") {
			t.Errorf("assignment of version %d: %v", v, err)
		}
	}
}

func TestTasksBelongToSortedPartitions(t *testing.T) {
	info := assign.Assignment{Active: []processor.TaskID{task(0, 0), task(0, 1), task(0, 0), task(1, 0)}}
	got, err := info.Tasks(broker.Assignment{Partitions: []broker.TopicPartition{tp("c", 0), tp("b", 0), tp("a", 0), tp("a", 1)}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[processor.TaskID][]broker.TopicPartition{task(0, 0): {tp("a", 0), tp("b", 0)}, task(0, 1): {tp("a", 1)}, task(1, 0): {tp("c", 0)}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := info.Tasks(broker.Assignment{Partitions: []broker.TopicPartition{tp("a", 0)}}); err == nil {
		t.Error("4 tasks for 1 partition must be refused")
	}
}

func FuzzDecodeSubscription(f *testing.F) {
	f.Add(unhex(f, subscriptionBytes))
	f.Add((&assign.Subscription{Version: 10, LatestSupported: 10}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := assign.DecodeSubscription(b)
		if err != nil {
			return
		}
		again, err := assign.DecodeSubscription(s.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, again); d != "" {
			t.Error(d)
		}
	})
}

func FuzzDecodeAssignment(f *testing.F) {
	f.Add(unhex(f, assignmentBytes))
	f.Add((&assign.Assignment{Version: 10, LatestSupported: 10, NextRebalance: 5}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := assign.DecodeAssignment(b)
		if err != nil {
			return
		}
		again, err := assign.DecodeAssignment(a.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, again); d != "" {
			t.Error(d)
		}
	})
}
