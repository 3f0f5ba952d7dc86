package brokertest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

var rewrite = flag.Bool("contract-rewrite", false, "write the target's column of docs/contract.md")

// columns are the implementations, in the order of the table.
var columns = []string{"simulated", "fake", "kafka"}

// What became of a case on a target. A failed one stands in no table: the run fails.
const (
	holds   = "holds"
	absent  = "-"
	unknown = "?"
	differs = "differs: "
)

// report gathers what became of the cases of one run.
type report struct {
	column   int
	mu       sync.Mutex
	outcomes map[string]string
}

// newReport makes a report that is compared with the table, or written to it, when t has ended.
func newReport(t *testing.T, name string) *report {
	r := &report{column: slices.Index(columns, name), outcomes: map[string]string{}}
	if r.column < 0 {
		t.Fatalf("%q is no column of the contract's table", name)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			r.settle(t)
		}
	})
	return r
}

func (r *report) ended(name string, t *testing.T, entry string) {
	outcome := holds
	switch {
	case t.Failed():
		return
	case entry != "":
		outcome = differs + entry
	case t.Skipped():
		outcome = absent
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[name] = outcome
}

// settle compares the outcomes with the table, or writes them.
func (r *report) settle(t *testing.T) {
	path := tablePath(t)
	text, err := os.ReadFile(path)
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	tab := parseTable(string(text))
	if *rewrite {
		tab.write(r.column, r.outcomes)
		if err := os.WriteFile(path, []byte(tab.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, line := range tab.compare(r.column, r.outcomes) {
		t.Errorf("docs/contract.md: %s (run with -contract-rewrite)", line)
	}
}

func tablePath(t *testing.T) string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the sources' place is unknown")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "docs", "contract.md")
}

// table is docs/contract.md: what became of each case, by column.
type table map[string][]string

// parseTable reads a table; lines that are no rows of it are passed over.
func parseTable(text string) table {
	tab := table{}
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) != 1+len(columns) || !strings.HasPrefix(line, "| ") || !strings.Contains(cells[0], "/") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(strings.Trim(strings.TrimSpace(cells[i]), "|"))
		}
		tab[cells[0]] = cells[1:]
	}
	return tab
}

func (tab table) row(name string) []string {
	if row := tab[name]; row != nil {
		return row
	}
	return slices.Repeat([]string{unknown}, len(columns))
}

// write puts the outcomes into a column.
func (tab table) write(column int, outcomes map[string]string) {
	for name, outcome := range outcomes {
		row := tab.row(name)
		row[column] = outcome
		tab[name] = row
	}
}

// compare says what the table tells otherwise than the outcomes do.
func (tab table) compare(column int, outcomes map[string]string) []string {
	var out []string
	for _, name := range Names() {
		if have, ok := outcomes[name]; ok && tab.row(name)[column] != have {
			out = append(out, fmt.Sprintf("%s: %s says %q, the run says %q", name, columns[column], tab.row(name)[column], have))
		}
	}
	return out
}

const tableHead = `# The contract, case by implementation

Written by the suite in broker/brokertest; every run checks its own column. "holds": the case passed. "differs": it is left out, and the
entry of docs/divergence.md says why. "-": the implementation has no brokers that could be stopped.

    go test ./broker/simulated ./broker/fake -run TestContract -contract-rewrite
    go test -tags integration ./internal/integration -run TestContract -contract-rewrite

`

// String writes the table: totals, then a row for each case that there is.
func (tab table) String() string {
	var b strings.Builder
	b.WriteString(tableHead)
	fmt.Fprintf(&b, "%d cases.\n\n| | %s |\n|---|%s\n", len(cases), strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, outcome := range []string{holds, differs, absent, unknown} {
		fmt.Fprintf(&b, "| %s |", strings.TrimSuffix(outcome, ": "))
		for i := range columns {
			n := 0
			for _, name := range Names() {
				if strings.HasPrefix(tab.row(name)[i], outcome) {
					n++
				}
			}
			fmt.Fprintf(&b, " %d |", n)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n| case | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, name := range Names() {
		fmt.Fprintf(&b, "| %s | %s |\n", name, strings.Join(tab.row(name), " | "))
	}
	return b.String()
}
