package conformance_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/internal/conformance"
)

var (
	vectors = flag.String("vectors", "testdata/streams", "folder of the cases to run")
	rewrite = flag.Bool("rewrite", false, "write testdata/areas.txt anew")
)

// tally counts the cases of an area.
type tally struct{ cases, passed, unsupported int }

// TestStreams runs every case. A case that needs what the engine does not have yet is counted, and shown in areas.txt; all others must
// pass. With -vectors another folder is run, and not compared with areas.txt.
func TestStreams(t *testing.T) {
	all, err := conformance.Load(os.DirFS(*vectors))
	if err != nil {
		t.Fatal(err)
	}
	areas, missing := map[string]*tally{}, map[string]int{}
	for _, v := range all {
		a := areas[v.Area]
		if a == nil {
			a = &tally{}
			areas[v.Area] = a
		}
		a.cases++
		out := conformance.Run(v)
		switch {
		case out.Unsupported != "":
			a.unsupported++
			missing[out.Unsupported]++
		case out.Diff == "":
			a.passed++
		default:
			t.Run(v.Name, func(t *testing.T) { t.Error(out.Diff) })
		}
	}
	got := table(areas, missing)
	t.Log("\n" + got)
	const golden = "testdata/areas.txt"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if f := flag.Lookup("vectors"); f.Value.String() != f.DefValue {
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: look at the difference and run with -rewrite\nwant:\n%s\ngot:\n%s", golden, want, got)
	}
}

func table(areas map[string]*tally, missing map[string]int) string {
	var b strings.Builder
	var sum tally
	fmt.Fprintf(&b, "%-22s %6s %6s %11s\n", "area", "cases", "passed", "unsupported")
	for _, name := range slices.Sorted(maps.Keys(areas)) {
		a := areas[name]
		fmt.Fprintf(&b, "%-22s %6d %6d %11d\n", name, a.cases, a.passed, a.unsupported)
		sum.cases, sum.passed, sum.unsupported = sum.cases+a.cases, sum.passed+a.passed, sum.unsupported+a.unsupported
	}
	fmt.Fprintf(&b, "%-22s %6d %6d %11d\n\nunsupported, by what a case needs first:\n", "all", sum.cases, sum.passed, sum.unsupported)
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		fmt.Fprintf(&b, "%6d %s\n", missing[name], name)
	}
	return b.String()
}
