package simpledate_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/internal/simpledate"
)

// TestJavasDates compares with what Java 17 formatted and parsed, in UTC. testdata/dates.txt has on a line f, pattern, milliseconds, text and
// Date.toString; or p, pattern, text, and milliseconds or - where it is no date.
func TestJavasDates(t *testing.T) {
	f, err := os.Open("testdata/dates.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		p := strings.Split(lines.Text(), "\t")
		l, err := simpledate.Compile(p[1])
		if err != nil {
			t.Fatal(err)
		}
		if p[0] == "p" {
			got := "-"
			if ms, ok := l.Parse(p[2]); ok {
				got = strconv.FormatInt(ms, 10)
			}
			if got != p[3] {
				t.Errorf("%q as %s: %s, want %s", p[2], p[1], got, p[3])
			}
			continue
		}
		ms, err := strconv.ParseInt(p[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(l.Append(nil, ms)); got != p[3] {
			t.Errorf("%d as %s: %q, want %q", ms, p[1], got, p[3])
		}
		if got := simpledate.Text(ms); got != p[4] {
			t.Errorf("%d: %q, want %q", ms, got, p[4])
		}
	}
	if n < 1000 {
		t.Errorf("only %d lines", n)
	}
}
