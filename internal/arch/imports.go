package arch

import (
	"bufio"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ListFile is where the import list is, relative to the root of a tree. It has three kinds of lines:
//
//	broker/kafka -> broker internal/host      what the package's own files import of ours: all of it, and nothing else
//	broker/kafka [test] -> broker/brokertest  what its test files import besides that, and besides the package itself
//	refuse streams/... -> connect/...: why    what no own file may ever import, whatever its line says, but one that is among what is refused to others
//	only sim/... -> internal/host: why        the only packages of ours that own files may ever import
//
// A line that begins with # is a comment.
const ListFile = "internal/arch/imports.txt"

// list is a parsed ListFile.
type list struct {
	allowed map[string]*entry // by package, with " [test]" behind it for its tests
	rules   []rule
	head    []string // comments and rules, as written
}

type entry struct {
	line int
	pkgs []string
}

type rule struct {
	only     bool
	from     string
	to       []string
	why      string
	original string
}

func readList(name string) (*list, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &list{allowed: map[string]*entry{}}
	scan := bufio.NewScanner(f)
	for n := 1; scan.Scan(); n++ {
		if err := l.add(n, strings.TrimSpace(scan.Text())); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return l, scan.Err()
}

func (l *list) add(n int, line string) error {
	if line == "" || line[0] == '#' {
		if line != "" || len(l.allowed) == 0 {
			l.head = append(l.head, line)
		}
		return nil
	}
	left, right, ok := strings.Cut(line, "->")
	if !ok {
		return fmt.Errorf("no -> in %q", line)
	}
	left = strings.TrimSpace(left)
	kind, from, isRule := strings.Cut(left, " ")
	if isRule && (kind == "refuse" || kind == "only") {
		to, why, ok := strings.Cut(right, ":")
		if !ok {
			return fmt.Errorf("a rule ends in a colon and its reason: %q", line)
		}
		l.rules = append(l.rules, rule{kind == "only", strings.TrimSpace(from), strings.Fields(to), strings.TrimSpace(why), line})
		l.head = append(l.head, line)
		return nil
	}
	if l.allowed[left] != nil {
		return fmt.Errorf("a second line for %s", left)
	}
	l.allowed[left] = &entry{n, strings.Fields(right)}
	return nil
}

// Imports checks the tree against its ListFile: unlisted is refused, unused is refused, and the rules hold.
func (t *Tree) Imports() ([]Fault, error) {
	l, err := readList(filepath.Join(t.Root, filepath.FromSlash(ListFile)))
	if err != nil {
		return nil, err
	}
	var faults []Fault
	used := map[string]map[string]bool{} // by list key, then package
	for _, d := range t.sortedDirs() {
		used[d.path] = map[string]bool{}
		for _, f := range d.files {
			faults = append(faults, t.checkFile(l, d, f, used)...)
		}
		if l.allowed[d.path] == nil {
			faults = append(faults, Fault{ListFile, 1, "package " + d.path + " has no line", "add \"" + d.path + " -> ...\", or rewrite the list with -rewrite and read the difference"})
		}
	}
	for key, e := range l.allowed {
		if used[key] == nil {
			faults = append(faults, Fault{ListFile, e.line, "no package needs the line of " + key, "delete it"})
			continue
		}
		for _, p := range e.pkgs {
			if !used[key][p] {
				faults = append(faults, Fault{ListFile, e.line, key + " does not import " + p, "take it out of the line"})
			}
		}
	}
	return sorted(faults), nil
}

func (t *Tree) checkFile(l *list, d *dir, f *file, used map[string]map[string]bool) (faults []Fault) {
	for _, spec := range f.Imports {
		p, ok := t.ours(spec.Path.Value)
		if !ok || f.test && p == d.path {
			continue
		}
		key := d.path
		if f.test {
			if l.has(d.path, p) {
				continue // what the package may import its tests may too
			}
			key += " [test]"
		} else if r := l.broken(d.path, p); r != nil {
			faults = append(faults, t.fault(f, spec.Pos(), d.path+" must not import "+p, r.why))
		}
		if used[key] == nil {
			used[key] = map[string]bool{}
		}
		seen := used[key][p]
		used[key][p] = true
		if !seen && !l.has(key, p) {
			faults = append(faults, t.fault(f, spec.Pos(), key+" is not listed to import "+p, "if the architecture wants it, add it to "+ListFile))
		}
	}
	return faults
}

// ours returns an import's path relative to the module.
func (t *Tree) ours(quoted string) (string, bool) {
	p, err := strconv.Unquote(quoted)
	if err != nil {
		return "", false
	}
	if p == t.Module {
		return ".", true
	}
	return strings.CutPrefix(p, t.Module+"/")
}

func (l *list) has(key, pkg string) bool {
	e := l.allowed[key]
	return e != nil && slices.Contains(e.pkgs, pkg)
}

func (l *list) broken(from, to string) *rule {
	for i := range l.rules {
		r := &l.rules[i]
		inside := !r.only && matchesAny(r.to, from)
		if matches(r.from, from) && matchesAny(r.to, to) != r.only && !inside {
			return r
		}
	}
	return nil
}

// RewriteImports writes the tree's ListFile as the tree is, and keeps comments and rules. What a rule refuses it still refuses.
func (t *Tree) RewriteImports() error {
	name := filepath.Join(t.Root, filepath.FromSlash(ListFile))
	l, err := readList(name)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, h := range l.head {
		b.WriteString(h + "\n")
	}
	for _, d := range t.sortedDirs() {
		own, test := t.importsOf(d)
		b.WriteString(strings.TrimRight(d.path+" -> "+strings.Join(own, " "), " ") + "\n")
		if len(test) > 0 {
			b.WriteString(d.path + " [test] -> " + strings.Join(test, " ") + "\n")
		}
	}
	return os.WriteFile(name, []byte(b.String()), 0o666)
}

func (t *Tree) importsOf(d *dir) (own, test []string) {
	for _, f := range d.files {
		for _, spec := range f.Imports {
			if p, ok := t.ours(spec.Path.Value); ok && !f.test {
				own = append(own, p)
			} else if ok && path.Clean(p) != d.path {
				test = append(test, p)
			}
		}
	}
	slices.Sort(own)
	own = slices.Compact(own)
	slices.Sort(test)
	test = slices.DeleteFunc(slices.Compact(test), func(p string) bool { return slices.Contains(own, p) })
	return own, test
}
