package arch

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// wellKnown are methods whose contract is the standard library's.
var wellKnown = []string{"Error", "Unwrap", "Is", "As", "String", "Len", "Less", "Swap", "Read", "Write", "Close", "MarshalJSON",
	"UnmarshalJSON", "MarshalText", "UnmarshalText", "Format"}

// Docs checks that every package says first what it is for, and that every exported name outside tests and commands has a comment. A group of
// constants or variables may share one; methods that implement an interface of the standard library need none.
func (t *Tree) Docs() []Fault {
	var faults []Fault
	for _, d := range t.sortedDirs() {
		faults = append(faults, t.packageDoc(d)...)
		for _, f := range d.files {
			if !f.test && f.Name.Name != "main" {
				faults = append(faults, t.exported(f)...)
			}
		}
	}
	return sorted(faults)
}

func (t *Tree) packageDoc(d *dir) []Fault {
	own := slices.DeleteFunc(slices.Clone(d.files), func(f *file) bool { return f.test })
	if len(own) == 0 {
		return nil
	}
	name := own[0].Name.Name
	want := "Package " + name + " is for "
	if name == "main" {
		want = "Command " + path.Base(d.path) + " " // and a verb
	}
	var with *file
	for _, f := range own {
		if f.Doc != nil {
			if with != nil {
				return []Fault{t.fault(f, f.Doc.Pos(), "a second comment of package "+name, "keep one (the other is in "+with.name+")")}
			}
			with = f
		}
	}
	if with == nil {
		return []Fault{t.fault(own[0], own[0].Package, "package "+name+" has no comment", "begin one with \""+want+"\"")}
	}
	text := strings.Join(strings.Fields(with.Doc.Text()), " ")
	if !strings.HasPrefix(text, want) {
		return []Fault{t.fault(with, with.Doc.Pos(), "the comment of package "+name+" does not say first what it is for", "begin it with \""+want+"\"")}
	}
	return nil
}

func (t *Tree) exported(f *file) (faults []Fault) {
	missing := func(at token.Pos, what string) {
		faults = append(faults, t.fault(f, at, "exported "+what+" has no comment", "write its contract above it"))
	}
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Doc != nil || !d.Name.IsExported() {
				continue
			}
			if d.Recv == nil {
				missing(d.Pos(), "function "+d.Name.Name)
			} else if r := receiver(d.Recv.List[0].Type); ast.IsExported(r) && !slices.Contains(wellKnown, d.Name.Name) {
				missing(d.Pos(), "method "+r+"."+d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
						missing(s.Pos(), "type "+s.Name.Name)
					}
				case *ast.ValueSpec:
					if d.Doc != nil || s.Doc != nil || s.Comment != nil {
						continue
					}
					for _, n := range s.Names {
						if n.IsExported() {
							missing(n.Pos(), d.Tok.String()+" "+n.Name)
						}
					}
				}
			}
		}
	}
	return faults
}

func receiver(x ast.Expr) string {
	for {
		switch e := x.(type) {
		case *ast.StarExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.IndexListExpr:
			x = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}
