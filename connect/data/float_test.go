package data_test

import (
	"bufio"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// TestFloatTexts compares with what Java 17 printed: testdata/floats.txt has d or f, the bits, and the text.
func TestFloatTexts(t *testing.T) {
	f, err := os.Open("testdata/floats.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		p := strings.Fields(lines.Text())
		bits, err := strconv.ParseUint(p[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		got := data.DoubleText(math.Float64frombits(bits))
		if p[0] == "f" {
			got = data.FloatText(math.Float32frombits(uint32(bits)))
		}
		if got != p[2] {
			t.Errorf("%s: got %s", lines.Text(), got)
		}
	}
	if n < 1000 {
		t.Errorf("only %d lines", n)
	}
}
