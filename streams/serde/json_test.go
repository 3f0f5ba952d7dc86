package serde_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

type page struct {
	Name string `json:"name"`
	Hits int    `json:"hits,omitempty"`
}

// plain is json.Marshal that leaves < > & as they are.
func plain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// strict is json.Unmarshal that refuses unknown members.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		serde  serde.Serde[page]
		text   string
		refuse string
	}{
		"encoding/json": {serde.JSON[page](), `{"name":"a\u0026b","hits":2}`, `{"name":7}`},
		"others":        {serde.JSONWith[page](plain, strict), `{"name":"a&b","hits":2}`, `{"nome":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.serde.Append([]byte(">"), "t", page{"a&b", 2})
			if err != nil || string(got) != ">"+c.text {
				t.Errorf("wrote %s, %v", got, err)
			}
			back, err := c.serde.Decode("t", got[1:])
			if err != nil || back != (page{"a&b", 2}) {
				t.Errorf("read %v, %v", back, err)
			}
			var failed *serde.Error
			if _, err := c.serde.Decode("t", []byte(c.refuse)); !errors.As(err, &failed) || failed.Serde != "json" {
				t.Errorf("reading %s: %v", c.refuse, err)
			}
		})
	}
	if b, err := serde.JSON[func()]().Append([]byte(">"), "t", nil); err == nil || string(b) != ">" {
		t.Errorf("wrote %s, %v", b, err)
	}
}
