package data

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

// TestExactDigits compares the short way for numbers of few digits with Java's long one.
func TestExactDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	short := 0
	for range 200_000 {
		fraction := 1<<52 | r.Uint64()&(1<<52-1)>>r.IntN(52)
		fraction = bits.Reverse64(bits.Reverse64(fraction) >> r.IntN(50) << r.IntN(50))
		for _, x := range []binary{{fraction | 1<<52, r.IntN(45) - 20, 53}, {fraction>>29<<29 | 1<<52, r.IntN(35) - 20, 24}} {
			x.fraction &= 1<<53 - 1
			tail := bits.TrailingZeros64(x.fraction)
			width := 53 - tail
			tiny := max(0, width-x.exp-1)
			var a, b decimals
			if tiny == 0 || !x.exactDigits(&a, x.fraction>>tail, tiny) {
				continue
			}
			short++
			x.develop(&b, tail, width, tiny)
			if a.n != b.n || a.exp != b.exp || string(a.buf[:a.n]) != string(b.buf[:b.n]) {
				t.Fatalf("%+v: %s of exponent %d, want %s, %d", x, a.buf[:a.n], a.exp, b.buf[:b.n], b.exp)
			}
		}
	}
	if short < 20_000 {
		t.Errorf("only %d numbers were short", short)
	}
}
