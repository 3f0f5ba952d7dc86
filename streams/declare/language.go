package declare

import "cel.dev/cel-go/common/types/ref"

// What other files of the same language share: scenario files have the same durations, expressions and manners.

// Duration reads a duration of the language, in milliseconds: "250ms", "30s", "5m", "1h", "7d", or a whole number of milliseconds.
func Duration(s string) (int64, error) { return duration(s) }

// Native turns what a CEL expression gives into nil, bool, int64, float64, string, []byte, []any or map[string]any.
func Native(v ref.Val) (any, error) { return native(v) }

// Suggest is the end of a message about an unknown name: `: did you mean "x"?`, or `: it is one of ...`.
func Suggest(name string, known []string) string { return suggest(name, known) }
