package streams

import (
	"io"

	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Print writes each record to w as a line "[label]: key, value", and ends there: KStream.print. An empty label is the name of the step above. show makes
// the part behind the label; nil: key and value as fmt has them, null for a null. w is used by all tasks, and must allow that.
func (s *KStream[K, V]) Print(w io.Writer, label string, show func(k K, v V) string, name ...Named) {
	if label == "" {
		label = s.name
	}
	step(s, s.b.named(string(first(name)), "KSTREAM-PRINTER-"), func() processor.Instance {
		return &operator.Print[K, V]{To: w, Label: label, Show: show}
	}, keeps)
}
