package data

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Decimal is a number of any precision: unscaled × 10^-scale, Java's BigDecimal. The zero Decimal is 0. It is immutable.
type Decimal struct {
	value *big.Int // nil: 0
	scale int32
}

// NewDecimal returns unscaled × 10^-scale. The Decimal keeps unscaled, which must not change any more.
func NewDecimal(unscaled *big.Int, scale int32) Decimal { return Decimal{unscaled, scale} }

// DecimalOf returns unscaled × 10^-scale.
func DecimalOf(unscaled int64, scale int32) Decimal { return Decimal{big.NewInt(unscaled), scale} }

var zeroInt big.Int

func (d Decimal) unscaled() *big.Int {
	if d.value == nil {
		return &zeroInt
	}
	return d.value
}

// Unscaled is the unscaled value. It must not be changed.
func (d Decimal) Unscaled() *big.Int { return d.unscaled() }

// Scale is the number of digits after the point; it may be negative.
func (d Decimal) Scale() int32 { return d.scale }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int { return d.unscaled().Sign() }

// Equal compares value and scale, as BigDecimal.equals does: 1.0 and 1.00 differ.
func (d Decimal) Equal(o Decimal) bool {
	return d.scale == o.scale && d.unscaled().Cmp(o.unscaled()) == 0
}

// Precision is the number of digits of the unscaled value; that of 0 is 1.
func (d Decimal) Precision() int {
	if d.Sign() == 0 {
		return 1
	}
	return len(new(big.Int).Abs(d.unscaled()).Text(10))
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// maxPower bounds the powers of ten that arithmetic makes, so that a text like 1E2000000000 cannot take all memory.
const maxPower = 100_000

// BigInt is the whole part, rounded towards zero. ok is false when it has an absurd number of digits.
func (d Decimal) BigInt() (i *big.Int, ok bool) {
	u := d.unscaled()
	switch {
	case d.scale == 0 || u.Sign() == 0:
		return u, true
	case d.scale > 0:
		if int(d.scale) > d.Precision() {
			return new(big.Int), true
		}
		return new(big.Int).Quo(u, pow10(int64(d.scale))), true
	case d.scale < -maxPower:
		return nil, false
	}
	return new(big.Int).Mul(u, pow10(-int64(d.scale))), true
}

// Whole says whether nothing is behind the point.
func (d Decimal) Whole() bool {
	if d.scale <= 0 || d.Sign() == 0 {
		return true
	}
	if int(d.scale) >= d.Precision()+1 {
		return false
	}
	return new(big.Int).Rem(d.unscaled(), pow10(int64(d.scale))).Sign() == 0
}

// SetScale returns the number with another scale. ok is false when digits would be lost.
func (d Decimal) SetScale(scale int32) (_ Decimal, ok bool) {
	diff := int64(scale) - int64(d.scale)
	switch {
	case diff == 0:
		return d, true
	case diff > maxPower || diff < -maxPower:
		return Decimal{new(big.Int), scale}, d.Sign() == 0
	case diff > 0:
		return Decimal{new(big.Int).Mul(d.unscaled(), pow10(diff)), scale}, true
	}
	q, r := new(big.Int).QuoRem(d.unscaled(), pow10(-diff), new(big.Int))
	return Decimal{q, scale}, r.Sign() == 0
}

// Float64 is the nearest float64, infinite where it is too large.
func (d Decimal) Float64() float64 {
	f, _ := strconv.ParseFloat(d.unscaled().String()+"e"+strconv.Itoa(-int(d.scale)), 64) // out of range gives an infinity or 0
	return f
}

// Float32 is the nearest float32, infinite where it is too large.
func (d Decimal) Float32() float32 {
	f, _ := strconv.ParseFloat(d.unscaled().String()+"e"+strconv.Itoa(-int(d.scale)), 32)
	return float32(f)
}

// String is BigDecimal.toString: 1.50, 0E-10, 1E+3.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends String.
func (d Decimal) Append(b []byte) []byte {
	u := d.unscaled()
	if d.scale == 0 {
		return u.Append(b, 10)
	}
	var buf [40]byte
	digits := u.Append(buf[:0], 10)
	if digits[0] == '-' {
		b = append(b, '-')
		digits = digits[1:]
	}
	exp := int64(len(digits)) - 1 - int64(d.scale)
	if d.scale > 0 && exp >= -6 {
		return appendPoint(b, digits, int(d.scale))
	}
	b = append(b, digits[0])
	if len(digits) > 1 {
		b = append(append(b, '.'), digits[1:]...)
	}
	if exp != 0 {
		b = append(b, 'E')
		if exp > 0 {
			b = append(b, '+')
		}
		b = strconv.AppendInt(b, exp, 10)
	}
	return b
}

// appendPoint appends digits with a point before the last scale of them.
func appendPoint(b, digits []byte, scale int) []byte {
	whole := len(digits) - scale
	if whole > 0 {
		return append(append(append(b, digits[:whole]...), '.'), digits[whole:]...)
	}
	b = append(b, "0."...)
	for ; whole < 0; whole++ {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// Plain is BigDecimal.toPlainString: no exponent.
func (d Decimal) Plain() string {
	digits := d.unscaled().String()
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	if d.scale <= 0 {
		if d.Sign() == 0 {
			return "0"
		}
		return sign + digits + strings.Repeat("0", -int(d.scale))
	}
	return sign + string(appendPoint(nil, []byte(digits), int(d.scale)))
}

// ParseDecimal is Java's BigDecimal(String): a sign, digits, a point, an exponent; nothing else, no blanks. Otherwise it is a
// NumberFormatException.
func ParseDecimal(s string) (Decimal, error) {
	bad := func() (Decimal, error) {
		return Decimal{}, NumberFormatException.Errorf("%q is not a decimal number", s)
	}
	ascii := asciiDigits(s)
	mantissa, exp := ascii, int64(0)
	if i := strings.IndexAny(ascii, "eE"); i >= 0 {
		text := ascii[i+1:]
		e, err := strconv.ParseInt(text, 10, 64)
		if err != nil || len(strings.TrimLeft(text, "+-0")) > 10 {
			return bad()
		}
		mantissa, exp = ascii[:i], e
	}
	sign := strings.HasPrefix(mantissa, "-")
	if sign || strings.HasPrefix(mantissa, "+") {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return bad()
	}
	scale := int64(len(fraction)) - exp
	if scale > math.MaxInt32 || scale < math.MinInt32 {
		return bad()
	}
	u, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return bad()
	}
	if sign {
		u.Neg(u)
	}
	return Decimal{u, int32(scale)}, nil
}

// asciiDigits replaces the digits of other scripts, which Java reads too.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.IsDigit(r) {
			return r
		}
		for _, x := range unicode.Nd.R16 { // each range begins with a zero
			if rune(x.Lo) <= r && r <= rune(x.Hi) {
				return '0' + (r-rune(x.Lo))%10
			}
		}
		for _, x := range unicode.Nd.R32 {
			if rune(x.Lo) <= r && r <= rune(x.Hi) {
				return '0' + (r-rune(x.Lo))%10
			}
		}
		return r
	}, s)
}

// DecimalOfFloat is Java's BigDecimal.valueOf(double): the number that Double.toString prints. f must be finite, else a
// NumberFormatException.
func DecimalOfFloat(f float64) (Decimal, error) { return ParseDecimal(DoubleText(f)) }

// ExactDecimal is Java's new BigDecimal(double): exactly the number that f is. f must be finite, else a NumberFormatException.
func ExactDecimal(f float64) (Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Decimal{}, NumberFormatException.Errorf("Infinite or NaN")
	}
	return ParseDecimal(strconv.FormatFloat(f, 'f', exactDigits(f), 64))
}

// exactDigits is how many digits after the point f has in decimal.
func exactDigits(f float64) int {
	m, e := math.Frexp(f)
	n := 53 - e
	for u := int64(math.Abs(m) * (1 << 53)); u != 0 && u&1 == 0; u >>= 1 {
		n--
	}
	return max(n, 0)
}
