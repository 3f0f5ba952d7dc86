// Package arch is for keeping the architecture true: it reads the source tree and reports what breaks a rule of ARCHITECTURE.md (who may
// import whom, what engine code may use of Go, what must be documented), each fault with its place and its remedy.
//
// The tests walk the tree with go/parser, so that the test cache sees every change of a source file.
package arch

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Fault is a broken rule.
type Fault struct {
	File string // relative to the root of the tree, with slashes
	Line int
	// What is wrong, and what to do about it.
	What, Remedy string
}

func (f Fault) String() string { return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.What, f.Remedy) }

func sorted(faults []Fault) []Fault {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
	})
	return faults
}

// Tree is a module's source, parsed.
type Tree struct {
	Root   string // the folder of go.mod
	Module string // the module's path
	fset   *token.FileSet
	dirs   map[string]*dir // by path relative to the root; "." is the root
}

type dir struct {
	path  string
	files []*file
}

type file struct {
	name string // relative to the root
	test bool
	*ast.File
}

// ReadTree parses all Go files below root, but for testdata, vendor and folders that begin with a dot or an underscore. Files with
// build constraints are read whatever the constraint.
func ReadTree(root string) (*Tree, error) {
	t := &Tree{Root: root, fset: token.NewFileSet(), dirs: map[string]*dir{}}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mod)) {
		if rest, ok := strings.CutPrefix(line, "module "); ok {
			t.Module = strings.TrimSpace(rest)
		}
	}
	return t, filepath.WalkDir(root, t.visit)
}

func (t *Tree) visit(full string, e fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	name := e.Name()
	if e.IsDir() {
		if full != t.Root && (name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_') {
			return filepath.SkipDir
		}
		return nil
	}
	if !strings.HasSuffix(name, ".go") {
		return nil
	}
	rel, err := filepath.Rel(t.Root, full)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	parsed, err := parser.ParseFile(t.fset, full, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	d := t.dirs[path.Dir(rel)]
	if d == nil {
		d = &dir{path: path.Dir(rel)}
		t.dirs[d.path] = d
	}
	d.files = append(d.files, &file{name: rel, test: strings.HasSuffix(name, "_test.go"), File: parsed})
	return nil
}

// sortedDirs are the folders with Go files, in order.
func (t *Tree) sortedDirs() []*dir {
	var out []*dir
	for _, d := range t.dirs {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *dir) int { return cmp.Compare(a.path, b.path) })
	return out
}

func (t *Tree) fault(f *file, at token.Pos, what, remedy string) Fault {
	return Fault{f.name, t.fset.Position(at).Line, what, remedy}
}

// Enginelike are the folders whose code must run unchanged in the simulator; "x/..." stands for x and all below it.
var Enginelike = []string{"streams/...", "connect/...", "broker/simulated/...", "faults/..."}

// TestDrivers are folders below those of engines that only tests import: they stand for the host and the cluster themselves.
var TestDrivers = []string{"streams/streamstest/...", "connect/connecttest/..."}

// isEngine tells whether a folder's own files must be pure.
func isEngine(path string) bool {
	return matchesAny(Enginelike, path) && !matchesAny(TestDrivers, path)
}

// matches tells whether a folder is meant by a pattern: itself, or "x/...", or "*" for all.
func matches(pattern, path string) bool {
	if pattern == "*" {
		return true
	}
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == root || strings.HasPrefix(path, root+"/")
	}
	return pattern == path
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}
