package mavenversion_test

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/internal/mavenversion"
)

// recorded are the lines of a file of testdata: quoted fields between tabs, and plain ones.
func recorded(t *testing.T, name string) (out [][]string) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		for i, x := range fields {
			if strings.HasPrefix(x, `"`) {
				if fields[i], err = strconv.Unquote(x); err != nil {
					t.Fatalf("%s: %v", x, err)
				}
			}
		}
		out = append(out, fields)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOrderings compares with what DefaultArtifactVersion.compareTo of maven-artifact 3.9.15, which Kafka 4.2.1 has, said.
func TestOrderings(t *testing.T) {
	for _, line := range recorded(t, "orderings.txt") {
		a, b := mavenversion.Parse(line[0]), mavenversion.Parse(line[2])
		want := map[string]int{"<": -1, "=": 0, ">": 1}[line[1]]
		if got := sign(a.Compare(b)); got != want {
			t.Errorf("%q %s %q: %d", line[0], line[1], line[2], got)
		}
		if got := sign(b.Compare(a)); got != -want {
			t.Errorf("%q to %q is %d, the other way round %d", line[0], line[2], want, got)
		}
	}
}

func sign(n int) int { return min(max(n, -1), 1) }

// TestRequirements compares with what PluginUtils.connectorVersionRequirement of Kafka 4.2.1 made of plugin.version: an error, nothing, or a
// range, of which each line says which of the versions in the first line it contains.
func TestRequirements(t *testing.T) {
	lines := recorded(t, "requirements.txt")
	probes := lines[0]
	for _, line := range lines[1:] {
		r, err := mavenversion.ParseRequirement(line[0])
		switch line[1] {
		case "error":
			if err == nil || err.Error() != line[2] {
				t.Errorf("%q: %v, want %s", line[0], err, line[2])
			}
			continue
		case "none":
			if r != nil || err != nil || !r.Allows(mavenversion.Parse("1")) {
				t.Errorf("%q: %v %v, want nothing", line[0], r, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", line[0], err)
			continue
		}
		if r.String() != line[2] {
			t.Errorf("%q prints as %s, want %s", line[0], r, line[2])
		}
		for i, p := range probes {
			if got, want := r.Allows(mavenversion.Parse(p)), line[3][i] == '1'; got != want {
				t.Errorf("%q allows %q: %v, want %v", line[0], p, got, want)
			}
		}
	}
}

// FuzzCompare wants an order of any texts that is the same seen from both sides.
func FuzzCompare(f *testing.F) {
	f.Add("1.0-alpha-1", "1.0")
	f.Add("1.x٣-", "--")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := mavenversion.Parse(a), mavenversion.Parse(b)
		if x.Compare(x) != 0 || sign(x.Compare(y)) != -sign(y.Compare(x)) {
			t.Errorf("%q %q", a, b)
		}
	})
}
