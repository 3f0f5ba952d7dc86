// Package proptest is for properties of the engine over random input: generators of records (with late ones, nulls and ties), and reference models, a few
// lines each, which say what must come out by recomputing it from the input: windows from the log, joins as nested loops.
package proptest
