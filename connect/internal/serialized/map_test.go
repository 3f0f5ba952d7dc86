package serialized_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/internal/serialized"
)

// entries are what testdata/m<n>.bin holds, which Java 17 wrote: keys k0, k1 and so on, values v0, v1, each fifth null.
func entries(n int) (out []serialized.Entry) {
	for i := range n {
		e := serialized.Entry{Key: fmt.Append(nil, "k", i)}
		if i%5 != 4 {
			e.Value = fmt.Append(nil, "v", i)
		}
		out = append(out, e)
	}
	return out
}

func byKey(all []serialized.Entry) []serialized.Entry {
	return slices.SortedFunc(slices.Values(all), func(a, b serialized.Entry) int { return bytes.Compare(a.Key, b.Key) })
}

func TestJavasFiles(t *testing.T) {
	for _, n := range []int{0, 1, 13, 40} {
		b, err := os.ReadFile(fmt.Sprintf("testdata/m%d.bin", n))
		if err != nil {
			t.Fatal(err)
		}
		got, err := serialized.ReadMap(b)
		if err != nil {
			t.Fatal(n, err)
		}
		if d := cmp.Diff(byKey(entries(n)), byKey(got)); d != "" {
			t.Error(n, d)
		}
		if again := serialized.AppendMap(nil, got); !bytes.Equal(again, b) {
			t.Errorf("%d entries: written as %x, Java wrote %x", n, again, b)
		}
	}
}

func FuzzReadMap(f *testing.F) {
	f.Add(serialized.AppendMap(nil, entries(3)))
	f.Add(serialized.AppendMap(nil, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := serialized.ReadMap(b)
		if err != nil {
			if !errors.Is(err, serialized.ErrFormat) {
				t.Error(err)
			}
			return
		}
		again, err := serialized.ReadMap(serialized.AppendMap(nil, got))
		if err != nil || !cmp.Equal(got, again) {
			t.Errorf("%v became %v, %v", got, again, err)
		}
	})
}
