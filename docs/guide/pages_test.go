package guide_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/declare"
)

var rewrite = flag.Bool("rewrite", false, "copy the programs into the pages")

// block is a marker in a page and the program below it: <!-- go: NAMES --> shows declarations, <!-- go body: NAME --> the inside of a function.
var block = regexp.MustCompile("(?s)<!-- go( body)?: ([^>]*) -->\n```go\n(.*?)```\n")

// TestPages checks that the programs on the pages are those that are compiled and run here. With -rewrite it copies them.
func TestPages(t *testing.T) {
	code := readPrograms(t)
	pages, err := filepath.Glob("*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	used := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		fresh := block.ReplaceAllStringFunc(string(text), func(old string) string {
			used++
			m := block.FindStringSubmatch(old)
			program := code.show(t, page, strings.Fields(m[2]), m[1] != "")
			return strings.Replace(old, "```go\n"+m[3]+"```", "```go\n"+program+"```", 1)
		})
		if n := strings.Count(string(text), "```go"); n != len(block.FindAllString(string(text), -1)) {
			t.Errorf("%s: %d Go programs, some of them without a marker above: nobody compiles those", page, n)
		}
		if fresh == string(text) {
			continue
		}
		if !*rewrite {
			t.Errorf("%s is not what the programs are: go test ./docs/guide -rewrite", page)
			continue
		}
		if err := os.WriteFile(page, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if used == 0 {
		t.Error("no page shows a program")
	}
}

// TestApps builds the app files on the pages: that of the windowed count is the program's topology.
func TestApps(t *testing.T) {
	text, err := os.ReadFile("windowed-count.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("no app file on the page")
	}
	app, err := declare.Parse("app.yaml", m[1])
	if err == nil {
		err = app.Check()
	}
	if err != nil {
		t.Fatal(err)
	}
	topology, err := visitsPerHour()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(topology.Describe(), app.Topology.Describe()); diff != "" {
		t.Error(diff)
	}
}

// programs are the declarations of the tests by name.
type programs map[string]program

// program is the text of a declaration, with its comment, and of a function's body.
type program struct{ whole, body string }

func readPrograms(t *testing.T) programs {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	out := programs{}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		text := func(from, to token.Pos) string {
			return string(src[fset.Position(from).Offset:fset.Position(to).Offset])
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = strings.TrimPrefix(text(d.Recv.List[0].Type.Pos(), d.Recv.List[0].Type.End()), "*") + "." + name
				}
				out[name] = program{text(begin(d, d.Doc), d.End()), text(d.Body.Lbrace+1, d.Body.Rbrace)}
			case *ast.GenDecl:
				whole := program{whole: text(begin(d, d.Doc), d.End())}
				switch s := d.Specs[0].(type) {
				case *ast.TypeSpec:
					out[s.Name.Name] = whole
				case *ast.ValueSpec:
					out[s.Names[0].Name] = whole
				}
			}
		}
	}
	return out
}

func begin(d ast.Node, doc *ast.CommentGroup) token.Pos {
	if doc != nil {
		return doc.Pos()
	}
	return d.Pos()
}

// show is the text of declarations for a page.
func (p programs) show(t *testing.T, page string, names []string, body bool) string {
	t.Helper()
	var out bytes.Buffer
	for i, n := range names {
		c, ok := p[n]
		if !ok {
			t.Errorf("%s shows %s, which is not there", page, n)
			continue
		}
		if i > 0 {
			out.WriteByte('\n')
		}
		if body {
			out.WriteString(outdent(c.body))
			continue
		}
		fmt.Fprintln(&out, c.whole)
	}
	return out.String()
}

// outdent takes a tab from the beginning of each line.
func outdent(body string) string {
	lines := strings.Split(strings.Trim(body, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "\t")
	}
	return strings.Join(lines, "\n") + "\n"
}
