package declare

import (
	"maps"
	"slices"
)

// shape is what a step gives: the type of its result.
type shape int8

const (
	nothing shape = iota
	stream
	table
	globalTable
	groupedStream
	groupedTable
)

func (s shape) String() string {
	return [...]string{"nothing", "a stream", "a table", "a global table", "a grouped stream", "a grouped table"}[s]
}

// arity is how many inputs an operation has.
type arity int8

const (
	none arity = iota
	one
	two
	several
)

// operation is a row of the table of the language: README section 1.
type operation struct {
	inputs arity
	// takes are the shapes that an input may have.
	takes []shape
	// gives is the result; sameAs: that of the input.
	gives  shape
	sameAs bool
	opts   []option
	// build makes the DSL call.
	build func(*builder, *step) error
	// check looks at what one option by itself does not show, and finds the result where it depends on the inputs.
	check func(*reader, *step) error
}

// option is one that an operation has.
type option struct {
	name string
	kind optionKind
	// vars are an expression's variables; values what a choice is between. A choice may also begin with begins.
	vars   string
	values []string
	begins string
	needed bool
	// only: the option is there for an input of this shape alone; nothing: for all.
	only shape
}

func text(name string) option { return option{name: name, kind: textOption} }
func expr(name, vars string) option {
	return option{name: name, kind: exprOption, vars: vars}
}
func choice(name string, values ...string) option {
	return option{name: name, kind: choiceOption, values: values}
}
func opt(name string, kind optionKind) option { return option{name: name, kind: kind} }

func (o option) need() option        { o.needed = true; return o }
func (o option) on(s shape) option   { o.only = s; return o }
func options(o ...option) []option   { return o }
func on(shapes ...shape) []shape     { return shapes }
func (o *operation) known() []string { return optionNames(o.opts) }

func optionNames(opts []option) []string {
	names := []string{"id", "op"}
	for _, o := range opts {
		names = append(names, o.name)
	}
	return names
}

var (
	nameOption = text("name")
	storeOfDSL = opt("store", storeOption)
	serdePair  = opt("serde", serdesOption)
	emitOption = choice("emit", "on-update", "on-window-close")
	resets     = option{name: "reset", kind: choiceOption, values: []string{"earliest", "latest", "none"}, begins: "by_duration:"}
	timestamps = opt("timestamp", timestampOption)
	windows    = opt("window", windowOption)
	inner      = []string{"inner", "left", "outer"}
)

// operations is the language, by name of the operation. It is filled in by init, since building refers to it.
var operations map[string]*operation

func init() {
	operations = map[string]*operation{
		"stream": {gives: stream, build: buildStream, check: checkSource,
			opts: options(text("topic"), opt("topics", textsOption), text("pattern"), serdePair, timestamps, resets, nameOption)},
		"table": {gives: table, build: buildTable, opts: options(text("topic").need(), serdePair, timestamps, resets, nameOption, storeOfDSL)},
		"global-table": {gives: globalTable, build: buildGlobalTable,
			opts: options(text("topic").need(), serdePair, timestamps, resets, nameOption, storeOfDSL)},
		"state-store": {build: buildStateStore, opts: options(opt("store", declaredStoreOption).need())},
		"global-store": {build: buildGlobalStore, opts: options(text("topic").need(), serdePair, timestamps, resets, nameOption,
			opt("store", declaredStoreOption).need())},

		"filter": {inputs: one, takes: on(stream, table), sameAs: true, build: buildFilter,
			opts: options(expr("where", recordVars).need(), nameOption, storeOfDSL.on(table))},
		"filter-not": {inputs: one, takes: on(stream, table), sameAs: true, build: buildFilter,
			opts: options(expr("where", recordVars).need(), nameOption, storeOfDSL.on(table))},
		"map": {inputs: one, takes: on(stream), gives: stream, build: buildMap,
			opts: options(expr("key", recordVars).need(), expr("value", recordVars).need(), nameOption)},
		"map-values": {inputs: one, takes: on(stream, table), sameAs: true, build: buildMapValues,
			opts: options(expr("value", recordVars).need(), nameOption, storeOfDSL.on(table))},
		"flat-map": {inputs: one, takes: on(stream), gives: stream, build: buildFlatMap,
			opts: options(expr("each", recordVars).need(), nameOption)},
		"flat-map-values": {inputs: one, takes: on(stream), gives: stream, build: buildFlatMapValues,
			opts: options(expr("each", recordVars).need(), nameOption)},
		"select-key": {inputs: one, takes: on(stream), gives: stream, build: buildSelectKey,
			opts: options(expr("key", recordVars).need(), nameOption)},
		"peek":    {inputs: one, takes: on(stream), gives: stream, build: buildPeek, opts: options(nameOption)},
		"foreach": {inputs: one, takes: on(stream), build: buildForeach, opts: options(nameOption)},
		"branch": {inputs: one, takes: on(stream), build: buildBranch, check: checkBranch,
			opts: options(opt("branches", branchesOption).need(), opt("default", branchOption), nameOption)},
		"merge":       {inputs: several, takes: on(stream), gives: stream, build: buildMerge, check: checkMerge, opts: options(nameOption)},
		"repartition": {inputs: one, takes: on(stream), gives: stream, build: buildRepartition, opts: options(serdePair, nameOption, opt("partitions", countOption))},
		"to-table":    {inputs: one, takes: on(stream), gives: table, build: buildToTable, opts: options(nameOption, storeOfDSL)},
		"to-stream":   {inputs: one, takes: on(table), gives: stream, build: buildToStream, opts: options(expr("key", recordVars), nameOption)},
		"to": {inputs: one, takes: on(stream), build: buildTo, check: checkTo,
			opts: options(text("topic"), expr("topic_expr", topicVars), serdePair, nameOption)},

		"group-by-key": {inputs: one, takes: on(stream), gives: groupedStream, build: buildGroupByKey, opts: options(serdePair, nameOption)},
		"group-by": {inputs: one, takes: on(stream, table), build: buildGroupBy, check: checkGroupBy,
			opts: options(expr("key", recordVars).need(), expr("value", recordVars).on(table), serdePair, nameOption)},
		"count": {inputs: one, takes: on(groupedStream, groupedTable), gives: table, build: buildCount, check: checkAggregation,
			opts: options(windows, emitOption, nameOption, storeOfDSL)},
		"reduce": {inputs: one, takes: on(groupedStream, groupedTable), gives: table, build: buildReduce, check: checkAggregation,
			opts: options(expr("add", reduceVars).need(), expr("remove", reduceVars).on(groupedTable), windows, emitOption, nameOption, storeOfDSL)},
		"aggregate": {inputs: one, takes: on(groupedStream, groupedTable), gives: table, build: buildAggregate, check: checkAggregation,
			opts: options(expr("init", noVars).need(), expr("add", foldVars).need(), expr("remove", foldVars).on(groupedTable),
				expr("merge", mergeVars).on(groupedStream), windows, emitOption, nameOption, storeOfDSL)},
		"cogroup": {inputs: several, takes: on(groupedStream), gives: table, build: buildCogroup, check: checkCogroup,
			opts: options(option{name: "add", kind: exprsOption, vars: foldVars, needed: true}, expr("init", noVars).need(), expr("merge", mergeVars), windows, nameOption, storeOfDSL)},
		"suppress": {inputs: one, takes: on(table), gives: table, build: buildSuppress,
			opts: options(choice("until", "window-closes", "time-limit").need(), opt("wait", durationOption), opt("buffer", bufferOption), nameOption)},
		"join": {inputs: two, takes: on(stream, table, globalTable), build: buildJoin, check: checkJoin, opts: options(choice("type", inner...),
			opt("value", rawOption).need(), opt("within", withinOption), opt("grace", durationOption), expr("lookup", recordVars),
			expr("foreign_key", recordVars), opt("serde", joinSerdesOption), storeOfDSL, nameOption)},
		"process": {inputs: one, takes: on(stream), gives: stream, build: buildProcess, check: checkProcessor,
			opts: options(opt("processor", processorOption).need(), opt("args", rawOption), opt("stores", textsOption), nameOption)},
		"process-values": {inputs: one, takes: on(stream), gives: stream, build: buildProcessValues, check: checkProcessor,
			opts: options(opt("processor", processorOption).need(), opt("args", rawOption), opt("stores", textsOption), nameOption)},
	}
}

func operationNames() []string { return slices.Sorted(maps.Keys(operations)) }
