package conformance_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kstreamlab/kstreamlab/internal/conformance"
	"github.com/kstreamlab/kstreamlab/streams/declare"
)

func appSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(declare.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("app.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("app.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSpecsAndTheSchema holds each case's app against the published schema: what the language takes the schema takes, and what the schema
// refuses is refused by the language or its properties.
func TestSpecsAndTheSchema(t *testing.T) {
	schema := appSchema(t)
	all, err := conformance.Load(os.DirFS(*vectors))
	if err != nil {
		t.Fatal(err)
	}
	taken, refused := 0, 0
	for _, v := range all {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(v.Spec))
		if err != nil {
			t.Fatal(v.Name, err)
		}
		bad := schema.Validate(doc)
		_, err = declare.Parse("app.json", v.Spec)
		switch {
		case bad == nil:
			taken++
		case err == nil && v.Error == nil: // Kafka refuses some properties when the app starts
			t.Errorf("%s: the schema refuses it: %v", v.Name, bad)
		default:
			refused++
		}
	}
	t.Logf("%d apps taken, %d refused", taken, refused)
	if taken == 0 || refused == 0 {
		t.Error("the schema takes all or nothing")
	}
}

// TestTheSchemaFindsMistakes shows mistakes that an editor finds while the file is written.
func TestTheSchemaFindsMistakes(t *testing.T) {
	schema := appSchema(t)
	for name, text := range map[string]string{
		"unknown op":            `{"app":"a","steps":[{"id":"x","op":"steam","topic":"t"}]}`,
		"unknown option":        `{"app":"a","steps":[{"id":"x","op":"stream","topics":["t"],"serdes":{}}]}`,
		"two sources in one":    `{"app":"a","steps":[{"id":"x","op":"stream","topic":"t","topics":["t"]}]}`,
		"no input":              `{"app":"a","steps":[{"id":"x","op":"filter","where":"true"}]}`,
		"no expression":         `{"app":"a","steps":[{"id":"x","op":"filter","in":"y"}]}`,
		"unknown serde":         `{"app":"a","steps":[{"id":"x","op":"stream","topic":"t","serde":{"key":"strong"}}]}`,
		"a duration of a word":  `{"app":"a","steps":[{"id":"x","op":"count","in":"y","window":{"type":"tumbling","size":"long"}}]}`,
		"another window's size": `{"app":"a","steps":[{"id":"x","op":"count","in":"y","window":{"type":"session","size":"1h","gap":"1h"}}]}`,
		"a processor's args":    `{"app":"a","steps":[{"id":"x","op":"process","in":"y","processor":"dedup","args":{"id":"value.id"}}]}`,
		"no processor":          `{"app":"a","steps":[{"id":"x","op":"process-values","in":"y","processor":"dedup","args":{"id":"1","within":"1h"}}]}`,
		"a property":            `{"app":"a","config":{"processing.guarantee":"exactly_once"},"steps":[]}`,
		"steps":                 `{"app":"a"}`,
	} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
		if err != nil {
			t.Fatal(name, err)
		}
		if schema.Validate(doc) == nil {
			t.Errorf("%s: the schema takes %s", name, text)
		}
	}
}
