package task_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/internal/task"
)

// The bytes are laid out by hand after Kafka's TopicPartitionMetadata and ProcessorMetadata.
var metadata = []struct {
	name    string
	bytes   string
	time    int64
	numbers map[string]int64
}{
	{"time alone", "02" + "0000000000000102", 258, nil},
	{"no time yet", "02" + "ffffffffffffffff", -1, nil},
	{"numbers, by name", "02" + "0000000000000102" + "00000002" + "00000001" + "61" + "fffffffffffffffe" + "00000002" + "c3a9" + "0000000000000007", 258,
		map[string]int64{"é": 7, "a": -2}},
}

func TestMetadataBytes(t *testing.T) {
	for _, c := range metadata {
		text := task.EncodeMetadata(c.time, c.numbers)
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.bytes, hex.EncodeToString(b)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		time, numbers, err := task.DecodeMetadata(text)
		if err != nil || time != c.time || !cmp.Equal(numbers, c.numbers) {
			t.Errorf("%s: read %d %v %v, want %d %v", c.name, time, numbers, err, c.time, c.numbers)
		}
	}
}

func TestMetadataOfOthers(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		time      int64
		err       string
	}{
		{"none", "", -1, ""},
		{"version 1 has the time alone", "01" + "0000000000000005", 5, ""},
		{"an unknown version", "03" + "0000000000000005", -1, "version 1 or 2 expected"},
		{"too short", "02" + "00000000", -1, "version 1 or 2 expected"},
		{"a count without its numbers", "02" + "0000000000000005" + "00000002" + "00000001" + "61" + "0000000000000001", 5, "ends early"},
		{"a name that is too long", "02" + "0000000000000005" + "00000001" + "ffffffff" + "61", 5, "ends early"},
		{"a name without its number", "02" + "0000000000000005" + "00000001" + "00000001" + "61" + "000000", 5, "ends early"},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		time, numbers, err := task.DecodeMetadata(base64.StdEncoding.EncodeToString(b))
		if time != c.time || len(numbers) > 0 || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d %v %v, want %d and error %q", c.name, time, numbers, err, c.time, c.err)
		}
	}
	if _, _, err := task.DecodeMetadata("written by some other program"); err == nil {
		t.Error("text that is not Base64 must be an error")
	}
}

func FuzzDecodeMetadata(f *testing.F) {
	for _, c := range metadata {
		f.Add(task.EncodeMetadata(c.time, c.numbers))
	}
	f.Fuzz(func(t *testing.T, s string) {
		time, numbers, err := task.DecodeMetadata(s)
		if err != nil {
			return
		}
		time2, numbers2, err := task.DecodeMetadata(task.EncodeMetadata(time, numbers))
		if err != nil || time2 != time || len(numbers) != len(numbers2) || len(numbers) > 0 && !cmp.Equal(numbers, numbers2) {
			t.Errorf("%d %v became %d %v %v", time, numbers, time2, numbers2, err)
		}
	})
}
