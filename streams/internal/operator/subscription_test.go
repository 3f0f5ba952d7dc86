package operator

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// TestMurmur128 compares hashes with those of Kafka's Murmur3.hash128, over the bytes 200, 237, ... of each length.
func TestMurmur128(t *testing.T) {
	for _, c := range []struct {
		n      int
		h1, h2 uint64
	}{
		{0, 0x9d2764a018e32942, 0x8c3cf3b035938518},
		{1, 0xbff2166f25d4e3ca, 0xad76f90042c32eb7},
		{7, 0xe2c12aaa37615c8d, 0x78e8fff449acd2e3},
		{8, 0x5376fe5d8752a480, 0x2bcfb922970c534c},
		{9, 0xb79cc91e67eb164f, 0x7285936d18b5c4c8},
		{15, 0x8541440932df88a8, 0x133781906f758397},
		{16, 0x3b1ca826ba2a8ab1, 0xff368af7e15570},
		{17, 0x14606ec89b0c68c7, 0x20e38f08a941bbdf},
		{31, 0xfc8bff6b4d635a2, 0xdb8b6c0ce90a3cd8},
		{32, 0x271fc7adca25c66d, 0x69f499a2c53fd088},
		{33, 0xc811ac0257c06b43, 0xde4815d1c281354e},
		{100, 0xac5e6f34f01858a4, 0x773258770366c397},
	} {
		b := make([]byte, c.n)
		for i := range b {
			b[i] = byte(i*37 + 200)
		}
		if h1, h2 := murmur128(b); h1 != c.h1 || h2 != c.h2 {
			t.Errorf("%d bytes: %x %x, want %x %x", c.n, h1, h2, c.h1, c.h2)
		}
	}
}

func TestSubscriptionBytes(t *testing.T) {
	of := Fingerprint{true, 0x0102030405060708, 0x090a0b0c0d0e0f10}
	s := SubscriptionSerde(serde.String())
	for _, c := range []struct {
		sub  Subscription[string]
		want string
	}{
		{Subscription[string]{Of: of, Instruction: AnswerIfThere, Version: 1, Key: "k", Partition: 5}, "0103" + "0102030405060708090a0b0c0d0e0f10" + "6b" + "00000005"},
		{Subscription[string]{Instruction: DeleteAnswer, Version: 1, Key: "", Partition: 0}, "8101" + "00000000"},
		{Subscription[string]{Of: of, Instruction: AnswerAlways, Key: "kk", Partition: noPartition}, "0002" + "0102030405060708090a0b0c0d0e0f10" + "6b6b"},
		{Subscription[string]{Instruction: DeleteNoAnswer, Key: "k", Partition: noPartition}, "8000" + "6b"},
	} {
		b, err := s.Append(nil, "t", c.sub)
		if err != nil || hex.EncodeToString(b) != c.want {
			t.Errorf("%+v: %x %v, want %s", c.sub, b, err, c.want)
		}
		back, err := s.Decode("t", b)
		if d := cmp.Diff(c.sub, back); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.want, err, d)
		}
	}
	for _, bad := range []string{"", "01", "0201", "8004", "0103ff", "810100", "0101" + "0102030405060708090a0b0c0d0e0f10" + "0000"} {
		b, _ := hex.DecodeString(bad)
		var w *WrapperError
		if _, err := s.Decode("t", b); !errors.As(err, &w) {
			t.Errorf("subscription %q: %v", bad, err)
		}
	}
}

func TestResponseBytes(t *testing.T) {
	of := Fingerprint{true, 1, 2}
	s := ResponseSerde(serde.String())
	for _, c := range []struct {
		r    Response[string]
		want string
	}{
		{Response[string]{To: of, Value: "v", Partition: noPartition}, "00" + "00000000000000010000000000000002" + "76"},
		{Response[string]{To: of, NullValue: true, Partition: noPartition}, "00" + "00000000000000010000000000000002"},
		{Response[string]{NullValue: true, Partition: noPartition}, "80"},
	} {
		b, err := s.Append(nil, "t", c.r)
		if err != nil || hex.EncodeToString(b) != c.want {
			t.Errorf("%+v: %x %v, want %s", c.r, b, err, c.want)
		}
		back, err := s.Decode("t", b)
		if d := cmp.Diff(c.r, back); err != nil || d != "" {
			t.Errorf("%s: %v %s", c.want, err, d)
		}
	}
	for _, bad := range []string{"", "01", "0000"} {
		b, _ := hex.DecodeString(bad)
		var w *WrapperError
		if _, err := s.Decode("t", b); !errors.As(err, &w) {
			t.Errorf("response %q: %v", bad, err)
		}
	}
}
