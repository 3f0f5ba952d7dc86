package guide_test

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// wordCount counts how often each word has occurred so far.
func wordCount() (*streams.Topology, error) {
	b := streams.NewBuilder()
	lines := streams.Stream(b, "lines", streams.Consumed[string, string]{})
	words := streams.FlatMapValues(lines, func(_, line string) ([]string, error) {
		return strings.Fields(strings.ToLower(line)), nil
	})
	byWord := streams.GroupBy(words, func(_, word string) (string, error) { return word, nil })
	counts := streams.Count(byWord, streams.Materialized[string, int64]{Name: "counts"})
	counts.ToStream().To("word-counts")
	return b.Build()
}

func Example_wordCount() {
	topology, err := wordCount()
	check(err)
	d, err := streamstest.Open(topology, streamstest.Options{})
	check(err)
	defer d.Close()
	lines := streamstest.Input(d, "lines", serde.String(), serde.String())
	check(lines.Try(streamstest.Event[string, string]{Value: "to be or not", Timestamp: 0}))
	check(lines.Try(streamstest.Event[string, string]{Value: "to be", Timestamp: 1000}))
	printAll(streamstest.Output(d, "word-counts", serde.String(), serde.Long()))
	// Output:
	// to 1
	// be 1
	// or 1
	// not 1
	// to 2
	// be 2
}

// check ends an example.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// printAll prints the records of a topic that were not read yet.
func printAll[K, V any](out *streamstest.OutputTopic[K, V]) {
	for {
		e, ok, err := out.Next()
		check(err)
		if !ok {
			return
		}
		if e.NullValue {
			fmt.Println(e.Key, "null")
			continue
		}
		fmt.Println(e.Key, e.Value)
	}
}
