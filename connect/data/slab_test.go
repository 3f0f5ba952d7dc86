package data_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// TestSlabsLetGo makes many nested structs and maps and keeps the last: the blocks before it must be free.
func TestSlabsLetGo(t *testing.T) {
	inner := data.NewStructBuilder().Field("text", data.StringSchema).MustBuild()
	outer := data.NewStructBuilder().Field("inner", inner).Field("map", data.MapOf(data.StringSchema, inner).MustBuild()).MustBuild()
	var slabs data.Slabs
	last := slabs.At(1).Struct(inner) // so that pairs do not end where blocks do
	var freed atomic.Int64
	const rounds = 1000
	for i := range rounds {
		in := slabs.At(1).Struct(inner)
		text := make([]byte, 1024)
		if i < rounds/2 {
			runtime.AddCleanup(&text[0], func(*int) { freed.Add(1) }, nil)
		}
		in.Set(0, data.Buffer(text))
		last = slabs.At(0).Struct(outer)
		last.Set(0, in)
		last.Set(1, slabs.At(1).Map(append(slabs.At(1).Entries(1), data.Entry{Key: "k", Value: "v"})))
	}
	mostFreed(t, &freed, rounds/2)
	runtime.KeepAlive(last)
}

// mostFreed wants half of n values to be gone after a collection.
func mostFreed(t *testing.T, freed *atomic.Int64, n int64) {
	t.Helper()
	for range 10 {
		runtime.GC()
		runtime.Gosched()
	}
	if got := freed.Load(); got < n/2 {
		t.Errorf("%d of the first %d values were freed", got, n)
	}
}

func TestHeaderSlab(t *testing.T) {
	var x data.HeaderSlab
	h := func(key string) data.Header { return data.Header{Key: key} }
	all := data.NewHeaders(h("a"), h("b"), h("c"))
	for _, c := range []struct{ names, want []string }{
		{[]string{"a"}, []string{"b", "c"}}, {[]string{"c"}, []string{"a", "b"}}, {[]string{"b"}, []string{"a", "c"}},
		{[]string{"a", "b", "c"}, nil}, {nil, []string{"a", "b", "c"}}, {[]string{"a", "c"}, []string{"b"}},
	} {
		left := x.Without(all, c.names)
		if diff := cmp.Diff(c.want, keysOf(left)); diff != "" {
			t.Errorf("without %v: %s", c.names, diff)
		}
		left.Append(h("z"))
		more, err := x.Add(left, "d", data.StringSchema, "v")
		if err != nil {
			t.Fatal(err)
		}
		more.Append(h("e"))
		if diff := cmp.Diff(append(append([]string(nil), c.want...), "z", "d", "e"), keysOf(more)); diff != "" {
			t.Errorf("without %v, more: %s", c.names, diff)
		}
		if _, err = x.Add(more, "f", data.StringSchema, nil); err == nil {
			t.Error("a null fits a schema that is not optional")
		}
		if diff := cmp.Diff([]string{"a", "b", "c"}, keysOf(all)); diff != "" {
			t.Errorf("the headers it began with: %s", diff)
		}
	}
}

// TestHeaderSlabsLetGo adds three headers to each of many records and keeps the last: the blocks before it must be free.
func TestHeaderSlabsLetGo(t *testing.T) {
	var first, second data.HeaderSlab
	var freed atomic.Int64
	var last data.Headers
	const rounds = 1000
	for i := range rounds {
		text := make([]byte, 1024)
		if i < rounds/2 {
			runtime.AddCleanup(&text[0], func(*int) { freed.Add(1) }, nil)
		}
		last = data.Headers{}
		first.Grow(3)
		for _, key := range []string{"a", "b", "c"} {
			last = first.Append(last, key, nil, data.Buffer(text))
		}
		last = second.Append(second.Without(last, []string{"b"}), "d", nil, data.Buffer(text))
	}
	mostFreed(t, &freed, rounds/2)
	runtime.KeepAlive(last)
}
