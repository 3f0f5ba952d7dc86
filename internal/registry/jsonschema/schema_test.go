package jsonschema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsonschema"
)

func parse(t testing.TB, text string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.Parse(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestReads(t *testing.T) {
	closed := func(properties string, more ...string) string {
		return `{"type":"object","additionalProperties":false,"properties":{` + properties + `}` + strings.Join(more, "") + `}`
	}
	open := func(properties string, more ...string) string {
		return `{"type":"object","properties":{` + properties + `}` + strings.Join(more, "") + `}`
	}
	const a, b = `"a":{"type":"string"}`, `"b":{"type":"integer"}`
	for _, c := range []struct{ old, now, want string }{
		{`{}`, `{}`, ""},
		{`{"type":"string"}`, `{"type":"integer"}`, "TYPE_CHANGED #/"},
		{`{"type":"integer"}`, `{"type":"number"}`, ""},
		{`{"type":"number"}`, `{"type":"integer"}`, "TYPE_NARROWED #/"},
		{`{"type":"string"}`, `true`, ""},
		{`{"type":"string"}`, `{"type":["string","null"]}`, ""},
		{`{"type":["string","null"]}`, `{"type":"string"}`, "TYPE_CHANGED #/"},
		{`{"type":["string","null"]}`, `{"type":["null","string","number"]}`, ""},
		{`{"type":["string","null"]}`, `{"type":["null","number"]}`, "SUM_TYPE_NARROWED #/"},
		{`{"oneOf":[{"type":"null"},{"type":"string","maxLength":5}]}`, `{"oneOf":[{"type":"null"},{"type":"string","maxLength":4}]}`, "SUM_TYPE_NARROWED #/"},
		{`{"type":"string","maxLength":5}`, `{"type":"string","maxLength":6}`, ""},
		{`{"type":"string","maxLength":5}`, `{"type":"string","maxLength":4}`, "MAX_LENGTH_DECREASED #/maxLength/"},
		{`{"type":"string"}`, `{"type":"string","minLength":4,"pattern":"x"}`, "MIN_LENGTH_ADDED #/minLength/, PATTERN_ADDED #/pattern/"},
		{`{"type":"number","minimum":1,"multipleOf":4}`, `{"type":"number","minimum":2,"multipleOf":2}`, "MINIMUM_INCREASED #/minimum/"},
		{`{"type":"number","multipleOf":4}`, `{"type":"number","multipleOf":3}`, "MULTIPLE_OF_CHANGED #/multipleOf/"},
		{`{"enum":["A","B"]}`, `{"enum":["B","A","C"]}`, ""},
		{`{"enum":["A","B"]}`, `{"enum":["B","C"]}`, "ENUM_ARRAY_NARROWED #/enum/"},
		{closed(a), closed(a + "," + b), ""},
		{closed(a), closed(a+","+b, `,"required":["b"]`), "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b/"},
		{closed(a), closed(a+`,"b":{"type":"integer","default":1}`, `,"required":["b"]`), ""},
		{closed(a + "," + b), closed(a), "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b/"},
		{open(a), open(a + "," + b), "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b/"},
		{open(a), open(a + `,"b":{}`), ""},
		{open(a + "," + b), open(a), ""},
		{open(a), open(a, `,"required":["a"]`), "REQUIRED_ATTRIBUTE_ADDED #/required/a/"},
		{open(a), closed(a), "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties/"},
		{closed(a), open(a), ""},
		{open(a, `,"additionalProperties":{"type":"integer"}`), open(a+","+b, `,"additionalProperties":{"type":"integer"}`), ""},
		{open(a, `,"additionalProperties":{"type":"string"}`), open(a+","+b, `,"additionalProperties":{"type":"string"}`), "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b/"},
		{open(`"o":` + closed(a)), open(`"o":` + closed(`"a":{"type":"integer"}`)), "TYPE_CHANGED #/properties/o/properties/a/"},
		{`{"type":"array","items":{"type":"string"}}`, `{"type":"array","items":{"type":"integer"},"maxItems":3,"uniqueItems":true}`, "TYPE_CHANGED #/items/, MAX_ITEMS_ADDED #/maxItems/, UNIQUE_ITEMS_ADDED #/uniqueItems/"},
		{`{"$ref":"#/definitions/n","definitions":{"n":{"type":"object","properties":{"next":{"$ref":"#/definitions/n"},"v":{"type":"string"}}}}}`,
			`{"$ref":"#/definitions/n","definitions":{"n":{"type":"object","properties":{"next":{"$ref":"#/definitions/n"},"v":{"type":"integer"}}}}}`, "TYPE_CHANGED #/properties/v/"},
		{`{"not":{"type":"string"}}`, `{"not":{"type":"string"}}`, ""},
		{`{"type":"string","connect.type":"bytes"}`, `{"type":"number","connect.type":"bytes"}`, ""},
		{`{"allOf":[{"type":"string"},{"type":"string","maxLength":3}]}`, `{"allOf":[{"type":"string"}]}`, ""},
		{`{"allOf":[{"type":"string"}]}`, `{"allOf":[{"type":"string"},{"type":"string","maxLength":3}]}`, "PRODUCT_TYPE_EXTENDED #/"},
	} {
		var got []string
		if err := jsonschema.Reads(parse(t, c.now), parse(t, c.old)); err != nil {
			for _, d := range err.(jsonschema.Differences) {
				got = append(got, d.Kind+" "+d.Path)
			}
		}
		if d := cmp.Diff(c.want, strings.Join(got, ", ")); d != "" {
			t.Errorf("%s to %s: %s", c.old, c.now, d)
		}
	}
}

func TestResolve(t *testing.T) {
	s, err := jsonschema.Parse(`{"$id":"http://x/s","definitions":{"a/b":{"type":"string"},"list":{"anyOf":[{"$anchor":"here","type":"null"}]}},"properties":{"o":{"$ref":"o.json#/definitions/q"}}}`,
		map[string]string{"o.json": `{"definitions":{"q":{"type":"integer"}}}`})
	if err != nil {
		t.Fatal(err)
	}
	for ref, found := range map[string]bool{"#": true, "#/definitions/a~1b": true, "#/definitions/list/anyOf/0": true, "#here": true, "o.json": true, "o.json#/definitions/q": true,
		"http://x/s#/properties": true, "#/none": false, "#/definitions/list/anyOf/1": false, "#/definitions/list/anyOf/x": false, "#nowhere": false, "other.json": false} {
		if v := s.Resolve(ref); (v != nil) != found {
			t.Errorf("%s: %v", ref, v)
		}
	}
	if err := s.Validate([]byte(`{"o":"x"}`)); err == nil || !strings.Contains(err.Error(), "#/o") {
		t.Error(err)
	}
	if err := s.Validate([]byte(`{"o":1}`)); err != nil {
		t.Error(err)
	}
}

func TestCanonical(t *testing.T) {
	a, b := parse(t, `{"type":"object","properties":{"b":{},"a":{"enum":[2,1]}}}`), parse(t, ` {"properties":{"a":{"enum":[2,1]},"b":{}}, "type":"object"}`)
	if a.Canonical() != b.Canonical() {
		t.Error(a.Canonical(), b.Canonical())
	}
	for _, bad := range []string{"", "1", `"x"`, `{"type":"nothing"}`, `{"$ref":"#/none"}`} {
		if s, err := jsonschema.Parse(bad, nil); err == nil {
			t.Errorf("%s is read as %s", bad, s.Canonical())
		}
	}
}
