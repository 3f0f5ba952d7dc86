package conformance_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/internal/conformance"
)

// connectFolder is the folder of -vectors, if it was given, else the cases that are checked in.
func connectFolder() (folder string, given bool) {
	f := flag.Lookup("vectors")
	if f.Value.String() == f.DefValue {
		return "testdata/connect", false
	}
	return f.Value.String(), true
}

// TestConnect runs every declarative case of Connect. A case whose plugin is not registered is counted, and shown in connect_areas.txt; all
// others must pass. With -vectors another folder is run, and not compared with connect_areas.txt.
func TestConnect(t *testing.T) {
	folder, given := connectFolder()
	all, err := conformance.LoadConnect(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	plugins := conformance.ConnectPlugins()
	areas, missing := map[string]*tally{}, map[string]int{}
	for _, v := range all {
		runConnectCase(t, v, plugins, areas, missing)
	}
	got := connectTable(areas, missing)
	t.Log("\n" + got)
	const golden = "testdata/connect_areas.txt"
	if given {
		return
	}
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: look at the difference and run with -rewrite\nwant:\n%s\ngot:\n%s", golden, want, got)
	}
}

func runConnectCase(t *testing.T, v *conformance.ConnectVector, plugins *connect.Plugins, areas map[string]*tally, missing map[string]int) {
	out := conformance.RunConnect(v, plugins)
	for _, name := range []string{v.File, v.Area()} {
		a := areas[name]
		if a == nil {
			a = &tally{}
			areas[name] = a
		}
		a.cases++
		switch {
		case out.Unsupported != "":
			a.unsupported++
		case out.Diff == "":
			a.passed++
		}
	}
	switch {
	case out.Unsupported != "":
		missing[out.Unsupported]++
	case out.Diff != "":
		t.Run(v.File+"/"+v.ID, func(t *testing.T) { t.Error(out.Diff) })
	}
}

func connectTable(areas map[string]*tally, missing map[string]int) string {
	var b strings.Builder
	var sum tally
	fmt.Fprintf(&b, "%-36s %6s %6s %6s %11s\n", "file or area", "cases", "passed", "failed", "unsupported")
	line := func(name string, a tally) {
		fmt.Fprintf(&b, "%-36s %6d %6d %6d %11d\n", name, a.cases, a.passed, a.cases-a.passed-a.unsupported, a.unsupported)
	}
	for _, name := range slices.Sorted(maps.Keys(areas)) {
		a := areas[name]
		if file, area, ok := strings.Cut(name, "/"); ok {
			if areas[file].cases != a.cases {
				line("  "+area, *a)
			}
			continue
		}
		line(name, *a)
		sum.cases, sum.passed, sum.unsupported = sum.cases+a.cases, sum.passed+a.passed, sum.unsupported+a.unsupported
	}
	line("all", sum)
	fmt.Fprintf(&b, "\nunsupported, by what a case needs first:\n")
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		fmt.Fprintf(&b, "%6d %s\n", missing[name], name)
	}
	return b.String()
}
