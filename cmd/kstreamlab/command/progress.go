package command

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kstreamlab/kstreamlab/scenarios"
)

// progress shows how far a run is: one line that is written over on a terminal, a line now and then elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	quiet    bool
	last     time.Time
	phase    string
	dirty    bool
}

// every is how often a line is written where lines stay.
const every = 5 * time.Second

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet}
	if f, ok := w.(*os.File); ok {
		if i, err := f.Stat(); err == nil {
			p.terminal = i.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

func (p *progress) show(s scenarios.Progress) {
	run := ""
	if s.Run > 1 {
		run = " again"
	}
	text := fmt.Sprintf("seed %d%s: %s, %d of %d records, at %s, %s", s.Seed, run, s.Phase, s.Records, s.Of, s.Virtual.UTC().Format("2006-01-02 15:04"), s.Wall.Round(100*time.Millisecond))
	if s.Phase == p.phase || p.terminal {
		p.line(text)
		return
	}
	p.phase = s.Phase
	p.last = time.Time{} // a new phase is worth a line
	p.line(text)
}

func (p *progress) line(text string) {
	switch {
	case p.quiet:
	case p.terminal:
		fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		p.dirty = true
	case time.Since(p.last) >= every:
		p.last = time.Now()
		fmt.Fprintln(p.w, text)
	}
}

// clear removes the line, before something else is written.
func (p *progress) clear() {
	if p.dirty {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.dirty = false
	}
}
