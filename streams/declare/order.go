package declare

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// A macro over a map visits the keys in the order of a Go map, which is another one each time: what value.map(k, k) gives would change
// from run to run. So each comprehension goes over orderedKeys(range) instead, which leaves lists as they are.

// orderedName is the function's name; the @ keeps it out of reach of expressions.
const orderedName = "@ordered"

func orderedFunction() cel.EnvOption {
	a := cel.TypeParamType("A")
	return cel.Function(orderedName, cel.Overload("ordered_keys", []*cel.Type{a}, a, cel.UnaryBinding(orderedKeys)))
}

// orderedKeys is a map's keys in order: bools, numbers, then strings.
func orderedKeys(v ref.Val) ref.Val {
	m, ok := v.(traits.Mapper)
	if !ok {
		return v
	}
	var keys []ref.Val
	for it := m.Iterator(); it.HasNext() == types.True; {
		keys = append(keys, it.Next())
	}
	slices.SortFunc(keys, compareKeys)
	return types.NewRefValList(types.DefaultTypeAdapter, keys)
}

func compareKeys(a, b ref.Val) int {
	if c, ok := a.(traits.Comparer); ok && a.Type() == b.Type() {
		if n, ok := c.Compare(b).(types.Int); ok {
			return int(n)
		}
	}
	return strings.Compare(a.Type().TypeName(), b.Type().TypeName())
}

// orderComprehensions rewrites an expression that has comprehensions.
func orderComprehensions(env *cel.Env, a *cel.Ast) (*cel.Ast, *cel.Issues) {
	if len(comprehensions(a.NativeRep())) == 0 {
		return a, nil
	}
	o, err := cel.NewStaticOptimizer(orderer{})
	if err != nil {
		return nil, cel.ErrorAsIssues(err)
	}
	return o.Optimize(env, a)
}

func comprehensions(a *ast.AST) []ast.NavigableExpr {
	return ast.MatchDescendants(ast.NavigateAST(a), ast.KindMatcher(ast.ComprehensionKind))
}

type orderer struct{}

// Optimize implements cel.ASTOptimizer.
func (orderer) Optimize(ctx *cel.OptimizerContext, a *ast.AST) *ast.AST {
	for _, e := range comprehensions(a) {
		over := e.AsComprehension().IterRange()
		if over.Kind() == ast.ListKind || over.Kind() == ast.CallKind && over.AsCall().FunctionName() == orderedName {
			continue
		}
		ctx.UpdateExpr(over, ctx.NewCall(orderedName, ctx.CopyASTAndMetadata(ctx.NewAST(over))))
	}
	return a
}
