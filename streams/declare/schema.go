package declare

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
)

// object is a JSON object of a schema.
type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of an app file, made from the tables by which files are read: editors complete and check files by
// it. What only the steps before can tell, such as whether an input is a stream or a table, the schema leaves to Parse.
func Schema() []byte {
	schema := object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"$id":                  "https://github.com/kstreamlab/kstreamlab/app.schema.json",
		"title":                "A stream processing application",
		"type":                 "object",
		"required":             []string{"app", "steps"},
		"additionalProperties": false,
		"properties": object{
			"app":    object{"$ref": "#/$defs/name", "description": "application.id: the consumer group, and the beginning of the names of internal topics"},
			"config": configSchema(),
			"steps":  object{"type": "array", "description": "the steps, in order; each follows earlier ones", "items": object{"$ref": "#/$defs/step"}},
		},
		"$defs": definitions(),
	}
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // there is nothing in it that JSON does not have
	}
	return append(out, '\n')
}

// configSchema offers the properties that an application knows; those for its clients are free.
func configSchema() object {
	known := object{
		"default.key.serde":   object{"$ref": "#/$defs/serde", "description": "serde of keys that no step names"},
		"default.value.serde": object{"$ref": "#/$defs/serde", "description": "serde of values that no step names"},
	}
	for _, p := range streams.Properties() {
		if known[p.Name] != nil {
			continue
		}
		s := object{"description": p.Doc, "type": []string{"string", "number", "boolean"}}
		if p.Default != "" {
			s["default"] = p.Default
		}
		switch {
		case p.Type == "boolean":
			s["enum"] = []any{true, false, "true", "false"}
			delete(s, "type")
		case len(p.OneOf) > 0:
			s["enum"] = p.OneOf
			delete(s, "type")
		}
		known[p.Name] = s
	}
	return object{
		"type":                 []string{"object", "null"},
		"description":          "Kafka Streams properties, and those of its clients with their prefixes (consumer., producer., ...)",
		"properties":           known,
		"additionalProperties": object{"type": []string{"string", "number", "boolean"}},
	}
}

// definitions are the parts that are used by name.
func definitions() object {
	defs := object{
		"name":     object{"type": "string", "minLength": 1},
		"text":     object{"type": []string{"string", "number", "boolean"}},
		"flag":     object{"enum": []any{true, false, "true", "false"}},
		"whole":    object{"type": []string{"integer", "string"}, "pattern": "^[0-9]+$", "minimum": 0},
		"duration": object{"type": []string{"integer", "string"}, "pattern": `^[-+]?[0-9]+(ms|s|m|h|d)?$`, "description": "milliseconds, or with a unit: 250ms, 30s, 5m, 1h, 7d"},
		"serde": object{"type": "string", "description": "one of " + strings.Join(serdeNames, ", "), "anyOf": []any{
			object{"enum": slices.Sorted(maps.Keys(simple))}, object{"pattern": `^(list|time-windowed|session-windowed)<.+>$`}}},
		"expression": object{"type": []string{"string", "number", "boolean"}, "description": "a CEL expression"},
		"timestamp": object{"description": "which time a record has", "anyOf": []any{object{"enum": timestampNames},
			closed(object{"expr": expressionSchema(timeVars)}, "expr")}},
		"window":        windowSchema(),
		"materialized":  described(closed(storeSchema("name", "serde", "backing", "caching", "logging", "retention", "history")), "how the step keeps its state"),
		"declaredStore": described(closed(storeSchema(declaredFields...), "name"), "a state store for processors"),
		"step":          stepSchema(),
	}
	for name, op := range operations { // the result is a map again
		defs["op-"+name] = operationSchema(name, op)
	}
	return defs
}

var declaredFields = []string{"name", "serde", "type", "entries", "retention", "size", "duplicates", "history", "backing", "caching", "logging"}

// closed is an object with these fields and no others.
func closed(fields object, needed ...string) object {
	o := object{"type": "object", "properties": fields, "additionalProperties": false}
	if len(needed) > 0 {
		o["required"] = needed
	}
	return o
}

func described(o object, text string) object {
	o["description"] = text
	return o
}

func refer(name string) object { return object{"$ref": "#/$defs/" + name} }

func expressionSchema(vars string) object {
	o := refer("expression")
	if vars == noVars {
		return described(o, "a CEL expression without variables")
	}
	return described(o, "a CEL expression; variables: "+strings.ReplaceAll(vars, " ", ", "))
}

func serdesSchema(names ...string) object {
	fields := object{}
	for _, n := range names {
		fields[n] = refer("serde")
	}
	return closed(fields)
}

func storeSchema(names ...string) object {
	all := object{
		"name":       refer("name"),
		"serde":      serdesSchema("key", "value"),
		"type":       object{"enum": storeTypes, "description": "key-value where it is left out"},
		"entries":    described(refer("whole"), "lru: how many rows are kept"),
		"retention":  described(refer("duration"), "how long a window or session is kept"),
		"size":       described(refer("duration"), "the length of a window"),
		"duplicates": described(refer("flag"), "whether a window may have several rows of one key and time"),
		"history":    described(refer("duration"), "versioned: how far back earlier versions are seen"),
		"backing":    object{"enum": []string{"memory", "persistent"}, "description": "where the rows are kept"},
		"caching":    described(refer("flag"), "whether updates of a key are joined between commits"),
		"logging":    described(refer("flag"), "whether the store has a changelog topic, by which it moves and comes back"),
	}
	out := object{}
	for _, n := range names {
		out[n] = all[n]
	}
	return out
}

func windowSchema() object {
	var kinds []any
	for _, kind := range windowTypes {
		fields := object{"type": object{"const": kind}}
		needed := []string{"type"}
		for _, l := range windowFields[kind] {
			fields[l] = refer("duration")
			if l != "grace" && l != "start" {
				needed = append(needed, l)
			}
		}
		kinds = append(kinds, object{"if": object{"properties": object{"type": object{"const": kind}}}, "then": closed(fields, needed...)})
	}
	return object{"type": "object", "required": []string{"type"}, "properties": object{"type": object{"enum": windowTypes}}, "allOf": kinds,
		"description": "windows of records by time; grace: how long after its end a window takes late records"}
}

// stepSchema chooses the schema of a step by its operation, so that an error names the option and not all the operations it cannot be.
func stepSchema() object {
	var names, docs []string
	var choose []any
	for _, name := range operationNames() {
		names, docs = append(names, name), append(docs, operationDocs[name])
		choose = append(choose, object{"if": object{"properties": object{"op": object{"const": name}}, "required": []string{"op"}}, "then": refer("op-" + name)})
	}
	return object{"type": "object", "required": []string{"id", "op"}, "allOf": choose, "properties": object{
		"id": described(refer("name"), "by which later steps name this one"),
		"op": object{"enum": names, "enumDescriptions": docs, "markdownEnumDescriptions": docs, "description": "what the step does"},
	}}
}

func operationSchema(name string, op *operation) object {
	fields := object{"id": refer("name"), "op": object{"const": name}}
	needed := []string{"id", "op"}
	switch op.inputs {
	case one:
		fields["in"] = described(refer("name"), "the id of an earlier step; STEP.BRANCH for a branch")
	case two:
		fields["in"] = object{"type": "array", "items": refer("name"), "minItems": 2, "maxItems": 2, "description": "the left and the right input"}
	case several:
		fields["in"] = object{"type": "array", "items": refer("name"), "minItems": 1, "description": "the ids of earlier steps"}
	}
	if op.inputs != none {
		needed = append(needed, "in")
	}
	for i := range op.opts {
		o := &op.opts[i]
		fields[o.name] = optionSchema(name, o)
		if o.needed {
			needed = append(needed, o.name)
		}
	}
	out := described(closed(fields, needed...), operationDocs[name])
	if rest := operationRules[name]; rest != nil {
		out["oneOf"] = rest()
	}
	if name == "process" || name == "process-values" {
		out["allOf"] = processorRules(name)
	}
	return out
}

// operationRules are what the table of options does not say: exactly one of some options.
var operationRules = map[string]func() []any{
	"stream": func() []any { return exactlyOne("topic", "topics", "pattern") },
	"to":     func() []any { return exactlyOne("topic", "topic_expr") },
}

func exactlyOne(names ...string) []any {
	var out []any
	for _, n := range names {
		out = append(out, object{"required": []string{n}})
	}
	return out
}

func optionSchema(op string, o *option) object {
	s := optionKindSchema(op, o)
	if text := optionDocs[o.name]; text != "" {
		if have, ok := s["description"].(string); ok {
			text += ": " + have
		}
		s["description"] = text
	}
	return s
}

func optionKindSchema(op string, o *option) object {
	switch o.kind {
	case textsOption:
		return object{"type": "array", "items": refer("name"), "minItems": 1}
	case exprOption:
		return expressionSchema(o.vars)
	case exprsOption:
		return object{"type": "array", "items": expressionSchema(o.vars)}
	case choiceOption:
		if o.begins != "" {
			return object{"anyOf": []object{{"enum": o.values}, {"type": "string", "pattern": "^" + o.begins}}}
		}
		return object{"enum": o.values}
	case countOption:
		return refer("whole")
	case durationOption:
		return refer("duration")
	case serdesOption:
		return serdesSchema("key", "value")
	case joinSerdesOption:
		return serdesSchema("key", "left", "right")
	case timestampOption:
		return refer("timestamp")
	case storeOption:
		return refer("materialized")
	case declaredStoreOption:
		return refer("declaredStore")
	case windowOption:
		return refer("window")
	case withinOption:
		return closed(object{"before": refer("duration"), "after": refer("duration"), "difference": refer("duration"), "grace": refer("duration")})
	case bufferOption:
		return closed(object{"records": refer("whole"), "bytes": refer("whole"), "full": object{"enum": []string{"emit-early", "shut-down"}}, "logging": refer("flag")})
	case branchOption:
		return closed(object{"id": refer("name"), "name": refer("name")}, "id")
	case branchesOption:
		return object{"type": "array", "items": closed(object{"id": refer("name"), "name": refer("name"), "where": expressionSchema(recordVars)}, "id", "where")}
	case processorOption:
		return object{"enum": processorsOf(op)}
	case rawOption:
		if o.name == "args" {
			return object{"type": []string{"object", "null"}}
		}
		return refer("expression")
	}
	return refer("text")
}

// processorsOf are the processors of an operation, sorted.
func processorsOf(op string) []string {
	names := slices.Sorted(maps.Keys(processorArgs))
	if op == "process-values" {
		names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(forValues, n) })
	}
	return names
}

// processorRules give each processor its arguments.
func processorRules(op string) []any {
	var out []any
	for _, name := range processorsOf(op) {
		fields, needed := object{}, []string{}
		for _, a := range processorArgs[name] {
			if op == "process-values" && a.name == "key" {
				continue
			}
			fields[a.name] = argSchema(a.kind)
			if a.needed {
				needed = append(needed, a.name)
			}
		}
		then := object{"properties": object{"args": described(closed(fields, needed...), processorDocs[name])}}
		if len(needed) > 0 {
			then["required"] = []string{"args"}
		}
		out = append(out, object{"if": object{"properties": object{"processor": object{"const": name}}, "required": []string{"processor"}}, "then": then})
	}
	return out
}

func argSchema(k argKind) object {
	switch k {
	case durationArg:
		return refer("duration")
	case timesArg:
		return refer("whole")
	case flagArg:
		return refer("flag")
	case textArg:
		return refer("text")
	case clockArg:
		return object{"enum": []string{"stream-time", "wall-clock"}}
	case headersArg:
		return object{"type": "object", "additionalProperties": expressionSchema(processVars)}
	}
	return expressionSchema(processVars)
}
