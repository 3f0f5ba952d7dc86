package transforms_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
)

// TestParseFieldPath has KIP-821's rules.
func TestParseFieldPath(t *testing.T) {
	for path, want := range map[string]string{
		"a":           "a",
		"a.b.c":       "a|b|c",
		"a..b":        "a||b",
		"a.":          "a|",
		".a":          "|a",
		"":            "",
		"`a.b`.c":     "a.b|c",
		"a.`b.c`":     "a|b.c",
		"`a`b`.c":     "a`b|c",
		"a`b":         "a`b",
		"`a\\`.b`.c":  "a`.b|c",
		"`a\\`b`":     "a\\`b",
		"`a.b`.`c.d`": "a.b|c.d",
		"``":          "",
		"é.`ü.x`":     "é|ü.x",
		"`a`.":        "a|",
	} {
		p, err := transforms.ParseFieldPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := strings.Join(p.Steps(), "|"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for path, at := range map[string]string{"`a": "0", "a.`b": "2", "`a\\`": "0", "`": "0", "\U0001f600.`b": "3", "`a`b": "0"} {
		_, err := transforms.ParseFieldPath(path)
		want := "Incomplete backtick pair in path: [" + path + "], consider adding a backslash before backtick at position " + at + " to escape it"
		if !errors.Is(err, data.ConfigException) || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// FuzzParseFieldPath: no path panics, and quoting the steps of a path that could be read gives the same steps again.
func FuzzParseFieldPath(f *testing.F) {
	for _, s := range []string{"a.b", "`a.b`.c", "`a\\`.b`", "a..", "``.``", "`a`b`", "\\`.`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, err := transforms.ParseFieldPath(path)
		if err != nil {
			return
		}
		var quoted []string
		for _, s := range p.Steps() {
			if strings.HasSuffix(s, "\\") || strings.Contains(s, "\\`") {
				return // there is no way to write a step that ends with a backslash in backticks
			}
			quoted = append(quoted, "`"+strings.ReplaceAll(s, "`.", "\\`.")+"`")
		}
		again, err := transforms.ParseFieldPath(strings.Join(quoted, "."))
		if err != nil || strings.Join(again.Steps(), "\x00") != strings.Join(p.Steps(), "\x00") {
			t.Fatalf("%q: %q, quoted %q", p.Steps(), again.Steps(), quoted)
		}
	})
}
