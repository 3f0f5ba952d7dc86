package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

func message(err error) string {
	if err == nil {
		return ""
	}
	m, _ := data.MessageOfError(err)
	return m
}

func TestParseType(t *testing.T) {
	for _, c := range []struct {
		v    any
		t    config.Type
		want any
		err  string
	}{
		{" TRUE ", config.Boolean, true, ""},
		{"yes", config.Boolean, nil, "Invalid value yes for configuration x: Expected value to be either true or false"},
		{" a b ", config.String, "a b", ""},
		{int32(3), config.String, nil, "Invalid value 3 for configuration x: Expected value to be a string, but it was a java.lang.Integer"},
		{"+7", config.Int, int32(7), ""},
		{"2147483648", config.Int, nil, "Invalid value 2147483648 for configuration x: Not a number of type INT"},
		{int64(7), config.Int, nil, "Invalid value 7 for configuration x: Expected value to be a 32-bit integer, but it was a java.lang.Long"},
		{7, config.Short, int16(7), ""},
		{"-32769", config.Short, nil, "Invalid value -32769 for configuration x: Not a number of type SHORT"},
		{int32(7), config.Long, int64(7), ""},
		{"1e3", config.Double, 1000.0, ""},
		{"1.5d", config.Double, 1.5, ""},
		{int16(2), config.Double, 2.0, ""},
		{" a , b,,c ", config.List, []string{"a", "b", "", "c"}, ""},
		{"  ", config.List, []string{}, ""},
		{true, config.List, nil, "Invalid value true for configuration x: Expected a comma separated list."},
		{" secret ", config.PasswordType, config.Password("secret"), ""},
		{nil, config.Int, nil, ""},
	} {
		got, err := config.ParseType("x", c.v, c.t)
		if message(err) != c.err || !cmp.Equal(got, c.want) {
			t.Errorf("%v as %s: %#v %q, want %#v %q", c.v, c.t, got, message(err), c.want, c.err)
		}
		if err != nil && !data.ClassOfError(err).Extends(data.ConfigException) {
			t.Errorf("%v: class %s", c.v, data.ClassOfError(err))
		}
	}
}

func TestValidators(t *testing.T) {
	for _, c := range []struct {
		v    config.Validator
		in   any
		want string
	}{
		{config.AtLeast(1), int32(1), ""},
		{config.AtLeast(1), int64(0), "Invalid value 0 for configuration x: Value must be at least 1"},
		{config.Between(0, 9), int16(10), "Invalid value 10 for configuration x: Value must be no more than 9"},
		{config.AtLeast(1), nil, "Invalid value null for configuration x: Value must be non-null"},
		{config.In("a", "b"), "A", "Invalid value A for configuration x: String must be one of: a, b"},
		{config.InFold("a", "b"), "A", ""},
		{config.InFold("a", "b"), nil, "Invalid value null for configuration x: String must be one of (case insensitive): A, B"},
		{config.NonEmpty, "", "Invalid value  for configuration x: String must be non-empty"},
		{config.NonEmpty, nil, ""},
		{config.NonNull, nil, "Invalid value null for configuration x: entry must be non null"},
		{config.Printable, "a\x00\n", "Invalid value a\x00\n for configuration x: String may not contain control sequences but had the following ASCII chars: 0, 10"},
		{config.Printable, "", "Invalid value  for configuration x: String may not be empty"},
		{config.NonEmptyList, []string{}, "Invalid value [] for configuration x: Empty list"},
		{config.Distinct(true, false), []string{"a", "a"}, "Configuration 'x' values must not be duplicated."},
		{config.Distinct(true, true), nil, ""},
		{config.DistinctIn(false, "a"), []string{}, "Configuration 'x' must not be empty. Valid values include: [a]"},
		{config.DistinctIn(false, "a"), []string{"b"}, "Invalid value b for configuration x: String must be one of: a"},
		{config.All(config.NonNull, config.In("a")), "b", "Invalid value b for configuration x: String must be one of: a"},
	} {
		if got := message(c.v.Check("x", c.in)); got != c.want {
			t.Errorf("%s of %v: %q, want %q", c.v, c.in, got, c.want)
		}
	}
}

// recommender offers values of a property, when the property a is true.
type recommender struct{ values []any }

func (r recommender) ValidValues(_ string, parsed config.Values) ([]any, error) {
	if !parsed.Bool("a") {
		return nil, data.ConfigException.Errorf("a is not set")
	}
	return r.values, nil
}

func (r recommender) Visible(_ string, parsed config.Values) bool { return parsed.Bool("a") }

func sample() *config.Def {
	return config.NewDef(
		config.Key{Name: "a", Type: config.Boolean, Default: "true", Group: "G", Order: 2, Dependents: []string{"b", "nowhere"}},
		config.Key{Name: "b", Type: config.Int, Required: true, Validator: config.AtLeast(3), Importance: config.Low, Group: "G", Order: 1, Recommender: recommender{[]any{int32(3)}}},
		config.Key{Name: "c", Type: config.PasswordType, Default: "x"},
	)
}

func TestValidateTellsEverything(t *testing.T) {
	show := func(values []*config.Value) string {
		var lines []string
		for _, v := range values {
			text, _ := config.TextOf(v.Value)
			lines = append(lines, fmt.Sprintf("%s=%s %q %v %v", v.Name, text, v.Errors, v.Recommended, v.Visible))
		}
		return strings.Join(lines, "\n")
	}
	got := show(sample().Validate(config.Props{"b": "2", "unknown": "1"}))
	want := `a=true [] [] true
b=2 ["Invalid value 2 for configuration b: Value must be at least 3"] [3] true
c=[hidden] [] [] true
nowhere= ["nowhere is referred in the dependents, but not defined."] [] false`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = show(sample().Validate(config.Props{"a": "false", "b": "x"}))
	want = `a=false [] [] true
b= ["Invalid value x for configuration b: Not a number of type INT" "Invalid value null for configuration b: Value must be non-null" "a is not set"] [] false
c=[hidden] [] [] true
nowhere= ["nowhere is referred in the dependents, but not defined."] [] false`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseStopsAtTheFirstFault(t *testing.T) {
	_, err := sample().Parse(config.Props{"b": "9"})
	if message(err) != "Some configurations in are referred in the dependents, but not defined: nowhere" {
		t.Error(err)
	}
	def := config.NewDef(
		config.Key{Name: "l", Type: config.List, Required: true, Validator: config.Distinct(false, false)},
		config.Key{Name: "n", Type: config.Long, Default: 5})
	v, err := def.Parse(config.Props{"l": "a,b,a"})
	if err != nil || !cmp.Equal(v.List("l"), []string{"a", "b"}) || v.Long("n") != 5 {
		t.Errorf("%v %v: duplicates are to be dropped", v, err)
	}
	for in, want := range map[string]config.Props{
		`Missing required configuration "l" which has no default value.`: {},
		"Configuration 'l' values must not be null.":                     {"l": nil},
		"Invalid value x for configuration n: Not a number of type LONG": {"l": "a", "n": "x"},
	} {
		if _, err := def.Parse(want); message(err) != in {
			t.Errorf("%v: %v, want %s", want, err, in)
		}
	}
}

func TestEmbed(t *testing.T) {
	def := config.NewDef(config.Key{Name: "own", Type: config.String})
	if err := def.Embed("p.", "Outer", 5, config.NewDef(
		config.Key{Name: "z", Type: config.String, Required: true, Validator: config.NonEmpty},
		config.Key{Name: "y", Type: config.Int, Default: 1, Importance: config.Medium, Dependents: []string{"z"}},
		config.Key{Name: "x", Type: config.Int, Default: 1, Group: "In"})); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range def.Keys() {
		got = append(got, fmt.Sprint(k.Name, " ", k.Group, " ", k.Order, k.Dependents))
	}
	want := []string{"own  -1 []", "p.z Outer 5 []", "p.y Outer 6 [p.z]", "p.x Outer: In 7 []"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_, err := def.Parse(config.Props{"p.z": ""})
	if message(err) != "Invalid value  for configuration z: String must be non-empty" {
		t.Errorf("%v: an embedded validator knows the name without its prefix", err)
	}
	if err := def.Add(config.Key{Name: "own"}); message(err) != "Configuration own is defined twice." {
		t.Error(err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	p := config.Password("hunter2")
	for _, s := range []string{fmt.Sprint(p), fmt.Sprintf("%#v", p), fmt.Sprintf("%v", config.Values{"p": p}), fmt.Sprintf("%q", p)} {
		if strings.Contains(s, "hunter2") {
			t.Error(s)
		}
	}
	if p.Value() != "hunter2" {
		t.Error("the secret is lost")
	}
	if err := config.Invalid("p", p, "bad"); strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
