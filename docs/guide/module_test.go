package guide_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutsideOfThisModule compiles the programs of this folder in a module of their own: nothing that they need may be a package that only this module
// may import.
func TestOutsideOfThisModule(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyTo := func(from string) {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(from)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, root+"/go.mod", root+"/go.sum") {
		copyTo(f)
	}
	const module = "github.com/kstreamlab/kstreamlab"
	for _, args := range [][]string{
		{"mod", "edit", "-module", "example.com/guide", "-require", module + "@v0.0.0", "-replace", module + "=" + root},
		{"vet", "-mod=mod", "."},
	} {
		c := exec.Command("go", args...)
		c.Dir, c.Env = dir, append(os.Environ(), "GOWORK=off", "GOPROXY=off", "GOFLAGS=")
		if text, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
}
