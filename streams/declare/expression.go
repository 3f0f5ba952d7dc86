package declare

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// ExpressionError is an expression that fails on a record, or gives what its place cannot use.
type ExpressionError struct {
	Text string // the expression
	Err  error
}

func (e *ExpressionError) Error() string {
	return fmt.Sprintf("cannot evaluate: %s: %v", e.Text, e.Err)
}
func (e *ExpressionError) Unwrap() error { return e.Err }

// Class is the error kind's name.
func (e *ExpressionError) Class() string { return "ExpressionException" }

// Message is the error without its cause, as the dead letter queue's headers carry it.
func (e *ExpressionError) Message() string { return "cannot evaluate: " + e.Text }

// expression is a compiled expression. It may be evaluated by several threads at once.
type expression struct {
	text    string
	program cel.Program
}

// eval gives the result as CEL has it.
func (e *expression) eval(vars cel.Activation) (ref.Val, error) {
	v, _, err := e.program.Eval(vars)
	if err != nil {
		return nil, &ExpressionError{e.text, err}
	}
	return v, nil
}

// value gives the result as a native Go value.
func (e *expression) value(vars cel.Activation) (any, error) {
	v, err := e.eval(vars)
	if err != nil {
		return nil, err
	}
	x, err := native(v)
	if err != nil {
		return nil, &ExpressionError{e.text, err}
	}
	return x, nil
}

func (e *expression) unfit(v ref.Val, want string) error {
	return &ExpressionError{e.text, fmt.Errorf("the result is of type %s, and %s is needed", v.Type().TypeName(), want)}
}

// truth gives the result as a bool.
func (e *expression) truth(vars cel.Activation) (bool, error) {
	v, err := e.eval(vars)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, e.unfit(v, "a bool")
	}
	return bool(b), nil
}

// number gives the result as an int.
func (e *expression) number(vars cel.Activation) (int64, error) {
	v, err := e.eval(vars)
	if err != nil {
		return 0, err
	}
	n, ok := v.(types.Int)
	if !ok {
		return 0, e.unfit(v, "an int")
	}
	return int64(n), nil
}

// text gives the result as a string.
func (e *expression) string(vars cel.Activation) (string, error) {
	v, err := e.eval(vars)
	if err != nil {
		return "", err
	}
	s, ok := v.(types.String)
	if !ok {
		return "", e.unfit(v, "a string")
	}
	return string(s), nil
}

// list gives the result as a list.
func (e *expression) list(vars cel.Activation) ([]any, error) {
	v, err := e.eval(vars)
	if err != nil {
		return nil, err
	}
	x, err := native(v)
	if err != nil {
		return nil, &ExpressionError{e.text, err}
	}
	l, ok := x.([]any)
	if !ok {
		return nil, e.unfit(v, "a list")
	}
	return l, nil
}

// compiler compiles the expressions of one file. Environments are made once for each set of variables.
type compiler struct {
	d    *document
	base *cel.Env
	envs map[string]*cel.Env
}

// Variables of expressions, by the place that they stand in.
const (
	recordVars  = "key window value"
	noVars      = ""
	reduceVars  = "agg value"
	foldVars    = "key value agg"
	mergeVars   = "key left right"
	joinVars    = "key window left right"
	tableVars   = "left right"
	topicVars   = "key window value timestamp topic partition offset headers"
	timeVars    = "key window value timestamp topic partition offset headers partition_time"
	processVars = "key window value timestamp headers topic partition offset stream_time wall_clock"
)

func (c *compiler) env(vars string) (*cel.Env, error) {
	if env, ok := c.envs[vars]; ok {
		return env, nil
	}
	if c.base == nil {
		base, err := cel.NewEnv(orderedFunction())
		if err != nil {
			return nil, err
		}
		c.base, c.envs = base, map[string]*cel.Env{}
	}
	var opts []cel.EnvOption
	for _, v := range strings.Fields(vars) {
		opts = append(opts, cel.Variable(v, cel.DynType))
	}
	env, err := c.base.Extend(opts...)
	if err != nil {
		return nil, err
	}
	c.envs[vars] = env
	return env, nil
}

// compile compiles the text of a value. An error stands where in the text CEL found it.
func (c *compiler) compile(v *value, field, vars string) (*expression, error) {
	env, err := c.env(vars)
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(v.text)
	if err := issues.Err(); err != nil {
		return nil, c.issue(v, field, vars, issues)
	}
	if ast, issues = orderComprehensions(env, ast); issues.Err() != nil {
		return nil, c.issue(v, field, vars, issues)
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, c.d.fail(v.place, "%s: %q is no valid expression: %v", field, v.text, err)
	}
	return &expression{v.text, program}, nil
}

func (c *compiler) issue(v *value, field, vars string, issues *cel.Issues) error {
	if len(issues.Errors()) == 0 {
		return c.d.fail(v.place, "%s: %q is no valid expression: %v", field, v.text, issues.Err())
	}
	first := issues.Errors()[0]
	message, _, _ := strings.Cut(strings.TrimPrefix(first.Message, "Syntax error: "), " expecting ")
	message = strings.Replace(message, "mismatched input '<EOF>'", "it ends too early", 1)
	p := v.start
	if first.Location != nil && first.Location.Line() > 0 {
		p = v.inside(first.Location.Line(), first.Location.Column())
	}
	if strings.HasPrefix(message, "undeclared reference") {
		name := strings.SplitN(message, "'", 3)[1]
		message = fmt.Sprintf("there is no variable %q here", name)
		if known := strings.Fields(vars); len(known) > 0 {
			message = fmt.Sprintf("there is no variable %q%s", name, suggest(name, known))
		}
		return c.d.fail(p, "%s: %q is no valid expression: %s", field, v.text, message)
	}
	return c.d.fail(p, "%s: %q is no valid expression: %s: see https://cel.dev", field, v.text, message)
}

// errNotPair is an element of flat-map that is no [key, value].
var errNotPair = errors.New("each element must be a list of key and value")
