package guide_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// TestWordCount pipes records in, reads what comes out, and looks into the store.
func TestWordCount(t *testing.T) {
	topology, err := wordCount()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology, nil)
	lines := streamstest.Input(d, "lines", serde.String(), serde.String())
	counts := streamstest.Output(d, "word-counts", serde.String(), serde.Long())

	lines.Pipe(t, "", "a rose is a rose", 0)

	var last int64
	for _, e := range counts.ReadAll(t) {
		if e.Key == "rose" {
			last = e.Value
		}
	}
	if last != 2 {
		t.Errorf("rose: %d, want 2", last)
	}
	rows, err := streamstest.StoreEntries(d, "counts", serde.String(), serde.Long())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 { // a, is, rose
		t.Errorf("the store holds %v, want three words", rows)
	}
}

// TestCachesHoldUpdatesBack commits by hand, as a running application does every commit.interval.ms: until then the cache joins the updates of a key.
func TestCachesHoldUpdatesBack(t *testing.T) {
	topology, err := wordCount()
	if err != nil {
		t.Fatal(err)
	}
	d, err := streamstest.Open(topology, streamstest.Options{Manual: true, Properties: map[string]string{"statestore.cache.max.bytes": "10485760"}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	lines := streamstest.Input(d, "lines", serde.String(), serde.String())
	counts := streamstest.Output(d, "word-counts", serde.String(), serde.Long())
	lines.Pipe(t, "", "rose rose rose", 0)
	if !counts.Empty() {
		t.Fatal("an update came out before the commit")
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := counts.ReadAll(t); len(got) != 1 || got[0].Value != 3 {
		t.Errorf("%v: want one update, of 3", got)
	}
}
