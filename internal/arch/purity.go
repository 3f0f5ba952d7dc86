package arch

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// What the host gives instead, said in the remedies.
const (
	useGo    = "start a thread with host.Go"
	useCond  = "let threads wait for each other on host.NewCond"
	useClock = "take the time from the host: Now, Sleep, WithTimeout, or a deadline of Cond.Wait"
	useCtx   = "use the context of the calling thread, or derive one with host.WithCancel or host.WithTimeout"
	useRand  = "use the generator of host.Rand"
	useFS    = "use host.FS"
	useHTTP  = "use host.HTTP"
	useMutex = "use host.NewMutex; sync.Locker is the type"
)

// banned are packages of which an engine may use nothing, or all but a few names, or (deny) nothing of a few names.
var banned = map[string]struct {
	allow, deny []string
	remedy      string
}{
	"sync":         {allow: []string{"Locker"}, remedy: useMutex},
	"sync/atomic":  {remedy: "guard it with host.NewMutex, or let one thread own it"},
	"math/rand":    {remedy: useRand},
	"crypto/rand":  {remedy: useRand},
	"math/rand/v2": {allow: []string{"Rand", "Source", "New", "NewPCG", "PCG", "NewChaCha8", "ChaCha8", "NewZipf", "Zipf"}, remedy: useRand},
	"os":           {remedy: useFS},
	"os/exec":      {remedy: "an engine starts no programs"},
	"os/signal":    {remedy: "signals belong to cmd"},
	"os/user":      {remedy: useFS},
	"io/ioutil":    {remedy: useFS},
	"net":          {remedy: useHTTP},
	"net/rpc":      {remedy: useHTTP},
	"net/smtp":     {remedy: useHTTP},
	"syscall":      {remedy: useFS},
	"time": {deny: []string{"Now", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick", "Since", "Until", "Timer", "Ticker"},
		remedy: useClock},
	"context": {deny: []string{"Background", "TODO", "WithCancel", "WithCancelCause", "WithTimeout", "WithTimeoutCause", "WithDeadline",
		"WithDeadlineCause", "AfterFunc"}, remedy: useCtx},
	"net/http": {deny: []string{"Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport", "Transport", "ListenAndServe",
		"ListenAndServeTLS", "Serve", "ServeTLS", "Server"}, remedy: useHTTP},
}

// Purity checks the own files of engine packages: nothing hidden that runs beside them, and no clock, chance or world but the host's.
func (t *Tree) Purity() []Fault {
	var faults []Fault
	for _, d := range t.sortedDirs() {
		if !isEngine(d.path) {
			continue
		}
		for _, f := range d.files {
			if !f.test {
				faults = append(faults, t.impure(f)...)
			}
		}
	}
	return sorted(faults)
}

func (t *Tree) impure(f *file) (faults []Fault) {
	report := func(at token.Pos, what, remedy string) { faults = append(faults, t.fault(f, at, what, remedy)) }
	names := map[string]string{} // as the file calls a package, to its path
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		b, isBanned := banned[p]
		switch {
		case !isBanned:
			continue
		case b.allow == nil && b.deny == nil:
			report(spec.Pos(), "import of "+p, b.remedy)
			continue
		case spec.Name != nil && (spec.Name.Name == "." || spec.Name.Name == "_"):
			report(spec.Pos(), "import of "+p+" as "+spec.Name.Name, "import it under its name")
			continue
		}
		name := path.Base(p)
		if name == "v2" {
			name = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			report(n.Pos(), "a go statement", useGo)
		case *ast.ChanType:
			report(n.Pos(), "a channel", useCond)
		case *ast.SendStmt:
			report(n.Pos(), "a send on a channel", useCond)
		case *ast.SelectStmt:
			report(n.Pos(), "a select", useCond)
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				report(n.Pos(), "a receive from a channel", useCond)
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok || names[x.Name] == "" {
				return true
			}
			b := banned[names[x.Name]]
			if b.allow != nil && !slices.Contains(b.allow, n.Sel.Name) || slices.Contains(b.deny, n.Sel.Name) {
				report(n.Pos(), names[x.Name]+"."+n.Sel.Name, b.remedy)
			}
		}
		return true
	})
	return faults
}
