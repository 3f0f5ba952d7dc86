package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

func init() {
	connectKinds["from-connect"] = runFromConnect
	connectKinds["to-connect"] = runToConnect
	connectKinds["from-header"] = runFromHeader
	connectKinds["to-header"] = runToHeader
	connectKinds["converter-config"] = runConverterConfig
}

// props are the member config.
func (c *connectCase) props() config.Props {
	out := config.Props{}
	if isNull(c.object["config"]) {
		return out
	}
	for k, v := range decode[object](c.object["config"]) {
		if isNull(v) {
			out[k] = nil
			continue
		}
		out[k] = decode[string](v)
	}
	return out
}

// plugin makes the plugin that a member names.
func (c *connectCase) plugin(k connect.Kind, member string) any {
	name := c.text(member)
	p, ok := c.plugins.Find(k, name)
	if !ok {
		panic(unsupportedPlugin(name))
	}
	return p.New(connectHost)
}

func (c *connectCase) converter() (connect.Converter, error) {
	conv := c.plugin(connect.KindConverter, "converter").(connect.Converter)
	key := !isNull(c.object["isKey"]) && decode[bool](c.object["isKey"])
	return conv, conv.Configure(c.props(), key)
}

func (c *connectCase) headerConverter() (connect.HeaderConverter, error) {
	conv := c.plugin(connect.KindHeaderConverter, "converter").(connect.HeaderConverter)
	props := c.props()
	if _, ok := props["converter.type"]; !ok {
		props["converter.type"] = "header"
	}
	return conv, conv.ConfigureHeaders(props)
}

// input is the member text or bytes.
func (c *connectCase) input() []byte {
	if text, ok := c.object["text"]; ok {
		return []byte(decode[string](text))
	}
	if isNull(c.object["bytes"]) {
		return nil
	}
	return unhex(c.object["bytes"])
}

func runFromConnect(c *connectCase) string {
	s := schemaOf(c.object["schema"])
	v := valueOf(c.object["value"], s)
	var got []byte
	conv, err := c.converter()
	if err == nil {
		got, err = conv.FromConnect("t", nil, s, v)
	}
	return diffBytes(c.expect(), got, err)
}

func runFromHeader(c *connectCase) string {
	s := schemaOf(c.object["schema"])
	v := valueOf(c.object["value"], s)
	var got []byte
	conv, err := c.headerConverter()
	if err == nil {
		got, err = conv.FromHeader("t", "h", s, v)
	}
	return diffBytes(c.expect(), got, err)
}

func diffBytes(want object, got []byte, err error) string {
	if !isNull(want["error"]) || err != nil {
		return diffError(want["error"], err)
	}
	var w []byte
	if text, ok := want["text"]; ok {
		w = []byte(decode[string](text))
	} else if !isNull(want["bytes"]) {
		w = unhex(want["bytes"])
	}
	if (w == nil) != (got == nil) || !bytes.Equal(w, got) {
		return fmt.Sprintf("%q, want %q", got, w)
	}
	return ""
}

func runToConnect(c *connectCase) string {
	var got data.SchemaAndValue
	conv, err := c.converter()
	if err == nil {
		got, err = conv.ToConnect("t", nil, c.input())
	}
	return diffSchemaAndValue(c.expect(), got, err)
}

func runToHeader(c *connectCase) string {
	var got data.SchemaAndValue
	conv, err := c.headerConverter()
	if err == nil {
		got, err = conv.ToHeader("t", "h", c.input())
	}
	return diffSchemaAndValue(c.expect(), got, err)
}

func diffSchemaAndValue(want object, got data.SchemaAndValue, err error) string {
	if !isNull(want["error"]) || err != nil {
		return diffError(want["error"], err)
	}
	if d := diffSchema(want["schema"], got.Schema); d != "" {
		return d
	}
	return diffValue(want["value"], got.Schema, got.Value)
}

func runConverterConfig(c *connectCase) string {
	conv := c.plugin(connect.KindConverter, "converter").(connect.Converter)
	want := c.expect()
	if d := diffConfigErrors(want["errors"], conv.Config(), c.props()); d != "" {
		return d
	}
	return diffConfigured(want["configure"], conv.Configure(c.props(), false))
}

// diffConfigured compares what configure threw; null is nothing.
func diffConfigured(want json.RawMessage, err error) string {
	if d := diffError(want, err); d != "" {
		return "configure: " + d
	}
	return ""
}

// diffConfigErrors compares what validation says.
func diffConfigErrors(raw json.RawMessage, def *config.Def, props config.Props) string {
	want := decode[map[string][]string](raw)
	got := map[string][]string{}
	for _, v := range def.Validate(props) {
		if len(v.Errors) > 0 {
			got[v.Name] = v.Errors
		}
	}
	for name, w := range want {
		if !sameErrors(w, got[name]) {
			return fmt.Sprintf("errors of %s: %q, want %q", name, got[name], w)
		}
	}
	for name := range got {
		if want[name] == nil {
			return fmt.Sprintf("errors of %s: %q, want none", name, got[name])
		}
	}
	return ""
}

// sameErrors compares messages. Where Kafka's quotes one of the JVM, what comes before it must be equal.
func sameErrors(want, got []string) bool {
	return slices.EqualFunc(want, got, func(w, g string) bool {
		if before, _, ok := strings.Cut(w, "Cannot invoke"); ok {
			return strings.HasPrefix(g, before)
		}
		return w == g
	})
}
