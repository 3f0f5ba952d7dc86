package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
)

// Regex wants a regular expression of Java: Connect's RegexValidator.
var Regex = config.Func(func(name string, v any) error {
	text, ok := v.(string)
	if !ok {
		return config.Invalid(name, v, `Invalid regex: Cannot invoke "String.isEmpty()" because "this.pattern" is null`)
	}
	if _, err := javaregex.Compile(text); err != nil {
		return config.Invalid(name, v, "Invalid regex: "+err.Error())
	}
	return nil
}, "valid regex")

// compileRegex compiles what Regex has let through.
func compileRegex(text string) (*javaregex.Pattern, error) {
	p, err := javaregex.Compile(text)
	if err != nil {
		return nil, data.IllegalArgumentException.Errorf("%s", err)
	}
	return p, nil
}
