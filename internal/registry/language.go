package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsonschema"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

// parsed is a schema of any of the languages, as a registry compares them.
type parsed struct {
	text string // in the form that the registry keeps with normalize
	key  string // equal for equal schemas

	avro  *avroschema.Schema
	proto *protoschema.File
	json  *jsonschema.Schema
}

// parse reads a schema; find gives the ones that it refers to.
func parse(s Schema, find func(Reference) (Schema, error)) (parsed, error) {
	deps, err := dependencies(s, find, nil)
	if err != nil {
		return parsed{}, err
	}
	var p parsed
	switch s.Type {
	case Avro:
		if p.avro, err = avroschema.Parse(s.Text, texts(deps)...); err != nil {
			return p, err
		}
		p.text = p.avro.Referring(names(deps))
	case Protobuf:
		if p.proto, err = protoschema.Parse(s.Text, named(deps)); err != nil {
			return p, err
		}
		p.text, p.key = s.Text, fmt.Sprint(p.proto.Entries, p.proto.Text())
	case JSON:
		if p.json, err = jsonschema.Parse(s.Text, named(deps)); err != nil {
			return p, err
		}
		p.text = p.json.Canonical()
	default:
		return p, fmt.Errorf("unknown schema type %q", s.Type)
	}
	if p.key == "" {
		p.key = p.text
	}
	p.key = Schema{Type: s.Type, Text: p.key, References: s.References}.key()
	return p, nil
}

// dependencies are the schemas that s refers to, each after those that it needs itself.
func dependencies(s Schema, find func(Reference) (Schema, error), found []Dependency) ([]Dependency, error) {
	if len(found) > maxDepth*maxDepth {
		return nil, fmt.Errorf("more than %d references", len(found))
	}
	for _, r := range s.References {
		if has(found, r.Name) {
			continue
		}
		other, err := find(r)
		if err != nil {
			return nil, fmt.Errorf("reference %q: %w", r.Name, err)
		}
		if found, err = dependencies(other, find, found); err != nil {
			return nil, err
		}
		found = append(found, Dependency{r.Name, other})
	}
	return found, nil
}

func has(list []Dependency, name string) bool {
	for _, d := range list {
		if d.Name == name {
			return true
		}
	}
	return false
}

func texts(deps []Dependency) (out []string) {
	for _, d := range deps {
		out = append(out, d.Schema.Text)
	}
	return out
}

func names(deps []Dependency) (out []string) {
	for _, d := range deps {
		out = append(out, d.Name)
	}
	return out
}

func named(deps []Dependency) map[string]string {
	out := map[string]string{}
	for _, d := range deps {
		out[d.Name] = d.Schema.Text
	}
	return out
}

// reads tells why p cannot read what other has written.
func (p parsed) reads(other parsed) error {
	switch {
	case p.avro != nil && other.avro != nil:
		return avroschema.Reads(p.avro, other.avro)
	case p.proto != nil && other.proto != nil:
		return protoschema.Reads(p.proto, other.proto)
	case p.json != nil && other.json != nil:
		return jsonschema.Reads(p.json, other.json)
	}
	//lint:ignore ST1005 Kafka's words
	return errors.New("Incompatible because of different schema type")
}

// Reads tells why data written with the second schema cannot be read with the first; nil: it can.
func (c *Client) Reads(reader, writer Schema) error {
	find := func(r Reference) (Schema, error) {
		found, err := c.Version(context.Background(), r.Subject, r.Version)
		return found.Schema, err
	}
	r, err := parse(reader, find)
	if err != nil {
		return err
	}
	w, err := parse(writer, find)
	if err != nil {
		return err
	}
	return r.reads(w)
}
