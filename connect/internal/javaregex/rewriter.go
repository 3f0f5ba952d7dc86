package javaregex

// Rewriter rewrites texts that a pattern matches as a whole, and remembers what it made of each: records come by the million, topics by the
// dozen. It belongs to one thread.
type Rewriter struct {
	pattern     *Pattern
	replacement string
	known       map[string]rewritten
}

type rewritten struct {
	text    string
	matched bool
}

// maxKnown is how many texts are remembered before all are forgotten.
const maxKnown = 1024

// NewRewriter returns a Rewriter of a pattern and a replacement as ReplaceFirst takes it.
func NewRewriter(p *Pattern, replacement string) *Rewriter {
	return &Rewriter{pattern: p, replacement: replacement, known: map[string]rewritten{}}
}

// Rewrite is ReplaceFirst where all of s matches. matched is false, and the text s itself, where it does not.
func (w *Rewriter) Rewrite(s string) (text string, matched bool, err error) {
	if k, ok := w.known[s]; ok {
		return k.text, k.matched, nil
	}
	k := rewritten{text: s, matched: w.pattern.Matches(s)}
	if k.matched {
		if k.text, err = w.pattern.ReplaceFirst(s, w.replacement); err != nil {
			return "", true, err
		}
	}
	if len(w.known) >= maxKnown {
		clear(w.known)
	}
	w.known[s] = k
	return k.text, k.matched, nil
}
