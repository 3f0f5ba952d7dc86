package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/worker"
)

// recordedValidation is a request for validation and what a worker answered.
type recordedValidation struct {
	N       int
	Request struct {
		Method, Path string
		Body         json.RawMessage
	}
	Response struct {
		Status int
		Body   json.RawMessage
	}
}

// recordedInfos is Kafka's ConfigInfos.
type recordedInfos struct {
	Name       string
	ErrorCount int `json:"error_count"`
	Groups     []string
	Configs    []struct {
		Definition struct {
			Name         string
			Type         string
			Required     bool
			DefaultValue *string `json:"default_value"`
			Importance   string
			Group        *string
			OrderInGroup int `json:"order_in_group"`
			Width        string
			DisplayName  string `json:"display_name"`
			Dependents   []string
		}
		Value struct {
			Value             *string
			RecommendedValues []string `json:"recommended_values"`
			Errors            []string
			Visible           bool
		}
	}
}

// RunConnectValidations asks for the validations of NAME-rest.jsonl and compares the answers. Requests that name a plugin that is not
// registered are left out; ran is how many were compared.
func RunConnectValidations(fsys fs.FS, name string, plugins *connect.Plugins) (ran int, diffs []string, err error) {
	defer func() {
		if e, ok := recover().(vectorError); ok {
			err = e
		}
	}()
	text, err := fs.ReadFile(fsys, name+"-rest.jsonl")
	if err != nil {
		return 0, nil, err
	}
	const jsonClass = "org.apache.kafka.connect.json.JsonConverter"
	w, err := worker.ParseConfig(plugins, map[string]string{"key.converter": jsonClass, "value.converter": jsonClass, "offset.storage.file.filename": "offsets"})
	if err != nil {
		return 0, nil, err
	}
	for line := range bytes.Lines(text) {
		r := decode[recordedValidation](line)
		if !strings.HasSuffix(r.Request.Path, "/config/validate") || r.Response.Status != 200 {
			continue
		}
		props := decode[map[string]string](r.Request.Body)
		if unknownTransform(plugins, props) {
			continue
		}
		got, err := worker.Validate(plugins, w, props)
		if err != nil {
			return ran, diffs, err
		}
		ran++
		for _, d := range diffValidation(decode[recordedInfos](r.Response.Body), got) {
			diffs = append(diffs, fmt.Sprintf("request %d: %s", r.N, d))
		}
	}
	return ran, diffs, nil
}

func unknownTransform(p *connect.Plugins, props map[string]string) bool {
	for k, class := range props {
		if strings.HasSuffix(k, ".type") && strings.HasPrefix(class, "org.apache.kafka.") {
			if _, ok := p.Find(connect.KindTransform, class); !ok {
				return true
			}
		}
	}
	return false
}

func diffValidation(want recordedInfos, got *worker.Validation) (out []string) {
	diff := func(name, what string, w, g any) {
		if a, b := fmt.Sprint(w), fmt.Sprint(g); a != b {
			out = append(out, fmt.Sprintf("%s: %s %q, want %q", name, what, b, a))
		}
	}
	diff("", "name", want.Name, got.Name)
	diff("", "errors", want.ErrorCount, got.Errors)
	diff("", "groups", want.Groups, got.Groups)
	if len(want.Configs) != len(got.Properties) {
		names := make([]string, len(got.Properties))
		for i, p := range got.Properties {
			names[i] = p.Value.Name
		}
		return append(out, fmt.Sprintf("%d properties, want %d: %s", len(got.Properties), len(want.Configs), names))
	}
	for i, w := range want.Configs {
		k, v := got.Properties[i].Key, got.Properties[i].Value
		name := w.Definition.Name
		diff(name, "name", name, k.Name)
		diff(name, "type", w.Definition.Type, k.Type)
		diff(name, "required", w.Definition.Required, k.Required)
		diff(name, "default", textOf(w.Definition.DefaultValue), defaultText(k))
		diff(name, "importance", w.Definition.Importance, k.Importance)
		diff(name, "group", textOf(w.Definition.Group), k.Group)
		diff(name, "order", w.Definition.OrderInGroup, k.Order)
		diff(name, "width", w.Definition.Width, k.Width)
		diff(name, "display name", w.Definition.DisplayName, k.DisplayName)
		diff(name, "dependents", w.Definition.Dependents, k.Dependents)
		value, _ := config.TextOf(v.Value)
		diff(name, "value", strings.ReplaceAll(textOf(w.Value.Value), "<dir>", "${dir}"), value)
		diff(name, "errors", w.Value.Errors, v.Errors)
		diff(name, "visible", w.Value.Visible, v.Visible)
		for _, r := range w.Value.RecommendedValues {
			if !slices.Contains(v.Recommended, any(r)) && !strings.HasSuffix(name, ".type") {
				diff(name, "recommended", r, v.Recommended)
			}
		}
	}
	return out
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func defaultText(k *config.Key) string {
	s, _ := config.TextOf(k.Default)
	return s
}
