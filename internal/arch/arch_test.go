package arch_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/kstreamlab/kstreamlab/internal/arch"
)

var rewrite = flag.Bool("rewrite", false, "write imports.txt as the tree is, and the reports of the planted faults as they are")

const root = "../.."

func readTree(t *testing.T, root string) *arch.Tree {
	t.Helper()
	tree, err := arch.ReadTree(root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func report(t *testing.T, faults []arch.Fault, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

func TestImports(t *testing.T) {
	tree := readTree(t, root)
	if *rewrite {
		if err := tree.RewriteImports(); err != nil {
			t.Fatal(err)
		}
	}
	faults, err := tree.Imports()
	report(t, faults, err)
}

func TestPurity(t *testing.T) { report(t, readTree(t, root).Purity(), nil) }

func TestMapOrder(t *testing.T) {
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	faults, err := readTree(t, abs).MapOrder()
	report(t, faults, err)
}

func TestDocs(t *testing.T) { report(t, readTree(t, root).Docs(), nil) }

// TestPlanted shows that the checks catch what they are for: each file of testdata/planted is a small module with faults in it, and begins
// with what must be reported, all of it.
func TestPlanted(t *testing.T) {
	names, err := filepath.Glob("testdata/planted/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no planted faults: ", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := check(t, readTree(t, unpack(t, a)))
			if *rewrite {
				a.Comment = []byte(got + "\n")
				if err := os.WriteFile(name, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(strings.TrimSpace(string(a.Comment)), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func unpack(t *testing.T, a *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range a.Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// check runs all checks and returns the faults, one a line.
func check(t *testing.T, tree *arch.Tree) string {
	t.Helper()
	faults, err := tree.Imports()
	if err != nil {
		t.Fatal(err)
	}
	order, err := tree.MapOrder()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, list := range [][]arch.Fault{faults, tree.Purity(), order, tree.Docs()} {
		for _, f := range list {
			lines = append(lines, f.String())
		}
	}
	return strings.Join(lines, "\n")
}

func TestRewriteKeepsWhatIsRefusedRefused(t *testing.T) {
	a, err := txtar.ParseFile("testdata/planted/imports.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := unpack(t, a)
	if err := readTree(t, dir).RewriteImports(); err != nil {
		t.Fatal(err)
	}
	faults, err := readTree(t, dir).Imports()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		if !strings.Contains(f.What, "must not import") {
			t.Errorf("the rewritten list is not what the tree is: %s", f)
		}
	}
	if len(faults) == 0 {
		t.Error("rewriting the list has made a refused import legal")
	}
}

func TestListRefusesWhatItCannotRead(t *testing.T) {
	for _, c := range []struct{ list, want string }{
		{"broker\n", "imports.txt:1: no -> in \"broker\""},
		{"broker ->\nbroker -> sim\n", "imports.txt:2: a second line for broker"},
		{"refuse a -> b\n", "imports.txt:1: a rule ends in a colon and its reason: \"refuse a -> b\""},
	} {
		dir := unpack(t, &txtar.Archive{Files: []txtar.File{{Name: "go.mod", Data: []byte("module m\n")}, {Name: arch.ListFile, Data: []byte(c.list)}}})
		_, err := readTree(t, dir).Imports()
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one that ends in %q", c.list, err, c.want)
		}
	}
}
