// Package declare is for applications that are written as a file instead of Go: an app.yaml (or JSON) names topics, steps and stores, its
// expressions are CEL, and [Load] makes of it the same topology that the DSL of package streams would.
//
//	app: departures
//	config: {processing.guarantee: exactly_once_v2}
//	steps:
//	  - {id: flights, op: stream, topic: flights, serde: {key: string, value: json}}
//	  - {id: departed, op: filter, in: flights, where: "value.event == 'departed'"}
//	  - {id: carriers, op: group-by-key, in: departed}
//	  - {id: per-hour, op: count, in: carriers, window: {type: tumbling, size: 1h, grace: 1h}}
//	  - {id: changes, op: to-stream, in: per-hour}
//	  - {id: out, op: to, in: changes, topic: departures-per-hour}
//
// One step is one call of the DSL, in the order of the file, so generated names have Kafka's numbers. Keys and values are what CEL gives
// back, as native Go values: nil, bool, int64, float64, string, []byte, []any, map[string]any; the key of a windowed table is a
// serde.Windowed[any]. Every error is an [Error] of one line that names file, line, column, field and value.
package declare
