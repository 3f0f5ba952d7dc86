package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// MapOrder checks that no range over a map in an engine package can let the map's order reach anything. Such a loop passes when its body
// only writes into a map under the loop's key, deletes under it, or folds into a variable with an operation that does not depend on order
// (+=, |=, min, max, setting a constant); or when a comment on the line of the range says why the order does not matter.
//
// Types come from the go command, which must be able to build the packages.
func (t *Tree) MapOrder() ([]Fault, error) {
	var patterns []string
	for _, d := range t.sortedDirs() {
		if isEngine(d.path) {
			patterns = append(patterns, "./"+d.path)
		}
	}
	if len(patterns) == 0 {
		return nil, nil
	}
	mode := packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports |
		packages.NeedExportFile
	pkgs, err := packages.Load(&packages.Config{Mode: mode, Dir: t.Root, Fset: token.NewFileSet()}, patterns...)
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s does not build, so the order of its map ranges cannot be checked: %w", p.PkgPath, p.Errors[0])
		}
		for _, f := range p.Syntax {
			faults = append(faults, t.mapOrder(p, f)...)
		}
	}
	return sorted(faults), nil
}

func (t *Tree) mapOrder(p *packages.Package, f *ast.File) (faults []Fault) {
	explained := map[int]bool{} // lines with a comment
	for _, g := range f.Comments {
		for _, c := range g.List {
			explained[p.Fset.Position(c.Pos()).Line] = true
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		r, ok := n.(*ast.RangeStmt)
		if !ok || !isMapRange(p.TypesInfo, r.X) {
			return true
		}
		pos := p.Fset.Position(r.Pos())
		if explained[pos.Line] || (&loop{info: p.TypesInfo, r: r}).orderFree() {
			return true
		}
		name, err := filepath.Rel(t.Root, pos.Filename)
		if err != nil {
			name = pos.Filename
		}
		faults = append(faults, Fault{filepath.ToSlash(name), pos.Line, "a range over a map whose order may reach an output",
			"range over slices.Sorted(maps.Keys(m)), or say in a comment on this line why the order does not matter"})
		return true
	})
	return faults
}

// isMapRange tells whether x is a map, or maps.Keys, maps.Values or maps.All of one.
func isMapRange(info *types.Info, x ast.Expr) bool {
	if tv, ok := info.Types[x]; ok {
		if _, ok := tv.Type.Underlying().(*types.Map); ok {
			return true
		}
	}
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := info.Uses[sel.Sel].(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() == "maps" && (f.Name() == "Keys" || f.Name() == "Values" || f.Name() == "All")
}

// loop judges one range over a map by simple rules.
type loop struct {
	info *types.Info
	r    *ast.RangeStmt
}

func (l *loop) orderFree() bool { return l.block(l.r.Body.List) }

func (l *loop) block(list []ast.Stmt) bool {
	for _, s := range list {
		if !l.stmt(s) {
			return false
		}
	}
	return true
}

func (l *loop) stmt(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.BlockStmt:
		return l.block(s.List)
	case *ast.IfStmt:
		return (s.Init == nil || l.fresh(s.Init)) && l.quiet(s.Cond) && l.block(s.Body.List) && (s.Else == nil || l.stmt(s.Else))
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE && s.Label == nil
	case *ast.IncDecStmt:
		return l.folded(s.X)
	case *ast.AssignStmt:
		return l.assign(s)
	case *ast.ExprStmt: // delete(m, k)
		call, ok := s.X.(*ast.CallExpr)
		return ok && l.builtin(call) == "delete" && l.isKey(call.Args[1])
	}
	return false
}

func (l *loop) assign(s *ast.AssignStmt) bool {
	if s.Tok == token.DEFINE {
		return l.fresh(s)
	}
	if len(s.Lhs) != 1 || len(s.Rhs) != 1 || !l.quiet(s.Rhs[0]) {
		return false
	}
	if ix, ok := s.Lhs[0].(*ast.IndexExpr); ok {
		_, isMap := l.info.TypeOf(ix.X).Underlying().(*types.Map)
		return isMap && s.Tok == token.ASSIGN && l.isKey(ix.Index) && l.quiet(ix.X)
	}
	if !l.folded(s.Lhs[0]) {
		return false
	}
	switch s.Tok {
	case token.ADD_ASSIGN, token.OR_ASSIGN, token.AND_ASSIGN, token.XOR_ASSIGN:
		return true
	case token.ASSIGN:
		if tv := l.info.Types[s.Rhs[0]]; tv.Value != nil {
			return true // the same constant, whoever comes last
		}
		call, ok := s.Rhs[0].(*ast.CallExpr)
		return ok && (l.builtin(call) == "max" || l.builtin(call) == "min") && l.mentions(call, s.Lhs[0])
	}
	return false
}

// fresh accepts a definition of variables of the body out of what has no effect.
func (l *loop) fresh(s ast.Stmt) bool {
	d, ok := s.(*ast.AssignStmt)
	if !ok || d.Tok != token.DEFINE {
		return false
	}
	for _, x := range d.Rhs {
		if !l.quiet(x) {
			return false
		}
	}
	return true
}

// folded accepts a local variable or field of a type with an exact, commutative sum: integers and booleans, not floats or strings.
func (l *loop) folded(x ast.Expr) bool {
	switch x.(type) {
	case *ast.Ident, *ast.SelectorExpr:
	default:
		return false
	}
	b, ok := l.info.TypeOf(x).Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsInteger|types.IsBoolean) != 0
}

// quiet accepts an expression that calls nothing but conversions and builtins that have no effect.
func (l *loop) quiet(x ast.Expr) bool {
	ok := true
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			ok = false
		case *ast.CallExpr:
			if tv := l.info.Types[n.Fun]; !tv.IsType() && !strings.Contains(" len cap min max ", " "+l.builtin(n)+" ") {
				ok = false
			}
		}
		return ok
	})
	return ok
}

func (l *loop) builtin(call *ast.CallExpr) string {
	id, ok := call.Fun.(*ast.Ident)
	if !ok {
		return "-"
	}
	if b, ok := l.info.Uses[id].(*types.Builtin); ok {
		return b.Name()
	}
	return "-"
}

func (l *loop) isKey(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	k, isIdent := l.r.Key.(*ast.Ident)
	return ok && isIdent && id.Name == k.Name && l.info.ObjectOf(id) == l.info.ObjectOf(k)
}

func (l *loop) mentions(call *ast.CallExpr, x ast.Expr) bool {
	want := types.ExprString(x)
	for _, a := range call.Args {
		if types.ExprString(a) == want {
			return true
		}
	}
	return false
}
