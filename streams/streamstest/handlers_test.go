package streamstest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

var errOdd = errors.New("odd")

// picky writes n to the topic out, fails for odd numbers, and cannot write 4.
func picky(t *testing.T) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, int32]{})
	even := streams.MapValues(in, func(_ string, n int32) (int32, error) {
		if n%2 == 1 {
			return 0, errOdd
		}
		return n, nil
	})
	even.To("out", streams.Produced[string, int32]{Value: noFour{serde.Int()}})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// noFour is a serde of numbers that does not write 4.
type noFour struct{ serde.Serde[int32] }

func (s noFour) Append(dst []byte, topic string, n int32) ([]byte, error) {
	if n == 4 {
		return dst, errors.New("four")
	}
	return s.Serde.Append(dst, topic, n)
}

// letter is a dead letter that says what has failed.
func letter(f *streams.Failure) []streams.DeadLetter {
	text := fmt.Sprintf("%s %s %s-%d@%d raw %x: %v", f.Node, f.Origin, f.Topic, f.Partition, f.Offset, f.RawValue, f.Err)
	return []streams.DeadLetter{{TopicPartition: broker.TopicPartition{Topic: "letters", Partition: -1}, Record: broker.Record{Key: f.RawKey, Value: []byte(text), Timestamp: f.Timestamp}}}
}

// TestHandlersOfOnesOwn answers each kind of failure with a dead letter, and goes on.
func TestHandlersOfOnesOwn(t *testing.T) {
	goOn := func(f *streams.Failure) streams.Answer {
		return streams.Answer{Decision: streams.Continue, DeadLetters: letter(f)}
	}
	d, err := streamstest.Open(picky(t), streamstest.Options{
		Properties: map[string]string{"errors.dead.letter.queue.topic.name": "for-the-built-in-ones"},
		Configure: func(c *streams.Config) {
			c.Handlers = streams.Handlers{Deserialization: goOn, Processing: goOn, Serialization: goOn}
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i, v := range []string{"\x00\x00\x00\x02", "\x00", "\x00\x00\x00\x03", "\x00\x00\x00\x04", "\x00\x00\x00\x06"} {
		if err := d.Pipe(streamstest.Record{Topic: "in", Record: broker.Record{Key: []byte("k"), Value: []byte(v), Timestamp: int64(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	var out, letters []string
	for _, r := range d.Sent() {
		switch r.Topic {
		case "out":
			out = append(out, fmt.Sprintf("%x", r.Value))
		case "letters":
			letters = append(letters, fmt.Sprintf("%d %s", r.Timestamp, r.Value))
		default:
			t.Errorf("a record in %s", r.Topic)
		}
	}
	if got := strings.Join(out, " "); got != "00000002 00000006" {
		t.Error(got)
	}
	want := []string{
		"1 KSTREAM-SOURCE-0000000000 value in-0@1 raw 00: serde int: 4 bytes expected, not 1",
		"2 KSTREAM-MAPVALUES-0000000001  in-0@2 raw 00000003: odd",
		"3 KSTREAM-SINK-0000000002 value in-0@3 raw 00000004: four",
	}
	if got := strings.Join(letters, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("dead letters\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if d.Dropped() != 3 {
		t.Errorf("%d dropped, want 3", d.Dropped())
	}
}

// TestAHandlerThatFails writes the dead letter and stops all the same.
func TestAHandlerThatFails(t *testing.T) {
	d, err := streamstest.Open(picky(t), streamstest.Options{Configure: func(c *streams.Config) {
		c.ContinueProcessing = true // the property's: not asked
		c.Handlers.Processing = func(f *streams.Failure) streams.Answer { return streams.Answer{DeadLetters: letter(f)} }
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.Pipe(streamstest.Record{Topic: "in", Record: broker.Record{Key: []byte("k"), Value: []byte("\x00\x00\x00\x03")}})
	if !errors.Is(err, errOdd) || len(d.Sent()) != 1 || d.Sent()[0].Topic != "letters" {
		t.Errorf("%v, sent %v: want the error, and one dead letter", err, d.Sent())
	}
}
