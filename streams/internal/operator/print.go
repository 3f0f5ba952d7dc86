package operator

import (
	"fmt"
	"io"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Print writes every record to a writer, a line each: KStreamPrint with PrintForeachAction. It has no children.
type Print[K, V any] struct {
	processor.Output[K, V]
	To    io.Writer
	Label string
	// Show is a record behind the label; nil: key and value.
	Show func(k K, v V) string
}

// Process implements processor.Processor.
func (n *Print[K, V]) Process(r *processor.Record[K, V]) error {
	var text string
	if n.Show != nil {
		text = n.Show(r.Key, r.Value)
	} else {
		text = orNull(r.Key, r.NullKey) + ", " + orNull(r.Value, r.NullValue)
	}
	_, err := fmt.Fprintf(n.To, "[%s]: %s\n", n.Label, text)
	return err
}

func orNull(v any, null bool) string {
	if null {
		return "null"
	}
	return fmt.Sprint(v)
}
