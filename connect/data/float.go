package data

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// DoubleText is Double.toString of Java 17: 1.0, 1.0E10, 1.0E-5, NaN, -Infinity. Before Java 19 it was not always the shortest text
// (2.0E-3 is 0.002, but 2.2E-322 is 2.2E-322 and 1.23456792E8f keeps a digit too many); Kafka's recorded bytes are those of Java 17.
func DoubleText(f float64) string {
	var room [32]byte
	return string(AppendDouble(room[:0], f))
}

// FloatText is Float.toString of Java 17.
func FloatText(f float32) string {
	var room [32]byte
	return string(AppendFloat(room[:0], f))
}

// AppendDouble appends DoubleText.
func AppendDouble(b []byte, f float64) []byte {
	if b, ok := appendSpecial(b, f); ok {
		return b
	}
	if f < 0 {
		b = append(b, '-')
	}
	raw := math.Float64bits(f)
	fraction, exp := raw&(1<<52-1), int(raw>>52&0x7ff)
	significant := 53
	if exp == 0 {
		zeros := bits.LeadingZeros64(fraction)
		fraction <<= zeros - 11
		exp, significant = 1-(zeros-11), 64-zeros
	}
	return appendDigits(b, fraction|1<<52, exp-1023, significant)
}

// AppendFloat appends FloatText.
func AppendFloat(b []byte, f float32) []byte {
	if b, ok := appendSpecial(b, float64(f)); ok {
		return b
	}
	if f < 0 {
		b = append(b, '-')
	}
	raw := math.Float32bits(f)
	fraction, exp := raw&(1<<23-1), int(raw>>23&0xff)
	significant := 24
	if exp == 0 {
		zeros := bits.LeadingZeros32(fraction)
		fraction <<= zeros - 8
		exp, significant = 1-(zeros-8), 32-zeros
	}
	return appendDigits(b, uint64(fraction|1<<23)<<29, exp-127, significant)
}

func appendSpecial(b []byte, f float64) ([]byte, bool) {
	switch {
	case f != f:
		return append(b, "NaN"...), true
	case math.IsInf(f, 1):
		return append(b, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...), true
	case f == 0 && math.Signbit(f):
		return append(b, "-0.0"...), true
	case f == 0:
		return append(b, "0.0"...), true
	}
	return b, false
}

// binary is a positive number: fraction has 53 bits, the point is behind the first, times 2^exp. significant is how many bits of the fraction
// the type really has.
type binary struct {
	fraction    uint64
	exp         int
	significant int
}

// decimals are the digits of a number, the point before the first, times 10^exp.
type decimals struct {
	buf [24]byte
	n   int
	exp int
}

func (d *decimals) add(digit byte) {
	d.buf[d.n] = '0' + digit
	d.n++
}

// roundUp adds one to the last digit.
func (d *decimals) roundUp() {
	i := d.n - 1
	for ; i > 0 && d.buf[i] == '9'; i-- {
		d.buf[i] = '0'
	}
	if d.buf[i] == '9' { // all nines
		d.exp++
		d.buf[0] = '1'
		return
	}
	d.buf[i]++
}

func appendDigits(b []byte, fraction uint64, exp, significant int) []byte {
	var d decimals
	(&binary{fraction, exp, significant}).digits(&d)
	s := d.buf[:d.n]
	switch {
	case d.exp > 0 && d.exp < 8:
		if d.n > d.exp {
			return append(append(append(b, s[:d.exp]...), '.'), s[d.exp:]...)
		}
		return append(append(append(b, s...), "0000000"[:d.exp-d.n]...), ".0"...)
	case d.exp <= 0 && d.exp > -3:
		b = append(append(b, "0."...), "00"[:-d.exp]...)
		return append(b, s...)
	}
	b = append(b, s[0], '.')
	if d.n > 1 {
		b = append(b, s[1:]...)
	} else {
		b = append(b, '0')
	}
	return strconv.AppendInt(append(b, 'E'), int64(d.exp-1), 10)
}

// pow5Bits is how many bits Java takes 5^n to have, for what fits into 64.
func pow5Bits(n int) int {
	if n == 0 {
		return 0
	}
	if n <= maxPow5 {
		return bits.Len64(pow5(n))
	}
	return 3 * n
}

// maxPow5 is the largest power of five in Java's table.
const maxPow5 = 26

var pow5Table = func() (t [maxPow5 + 1]uint64) {
	t[0] = 1
	for i := 1; i <= maxPow5; i++ {
		t[i] = 5 * t[i-1]
	}
	return t
}()

func pow5(n int) uint64 { return pow5Table[n] }

// scaled is a number as a fraction of whole numbers: fraction·5^b5·2^b2 over 5^s5·2^s2, with half the distance to its neighbours, 5^b5·2^m2.
type scaled struct {
	fraction       uint64
	b5, b2, s5, s2 int
	m2             int
	bBits, sBits   int // how many bits the numerator and ten times the denominator need
}

// digits finds the digits as Java 17 does: Steele and White's method, with its own rules for when to stop.
func (x *binary) digits(d *decimals) {
	tail := bits.TrailingZeros64(x.fraction)
	width := 53 - tail
	tiny := max(0, width-x.exp-1)
	if tiny == 0 && x.exp <= 62 && x.exp >= -21 && width < 64 {
		x.wholeDigits(d)
		return
	}
	if tiny > 0 && x.exactDigits(d, x.fraction>>tail, tiny) {
		return
	}
	x.develop(d, tail, width, tiny)
}

// develop is digits for any number. tail is how many zeros end the fraction, width how many bits are before them, tiny how many are behind the point.
func (x *binary) develop(d *decimals, tail, width, tiny int) {
	exp := x.estimate()
	s := scaled{fraction: x.fraction >> tail, b5: max(0, -exp), s5: max(0, exp)}
	s.b2 = s.b5 + tiny + x.exp
	s.s2 = s.s5 + tiny
	s.m2 = s.b2 - x.significant
	s.b2 -= width - 1
	common := min(s.b2, s.s2)
	s.b2, s.s2, s.m2 = s.b2-common, s.s2-common, s.m2-common
	if width == 1 { // a power of two: the neighbour below is nearer
		s.m2--
	}
	if s.m2 < 0 {
		s.b2, s.s2, s.m2 = s.b2-s.m2, s.s2-s.m2, 0
	}
	s.bBits = width + s.b2 + pow5Bits(s.b5)
	s.sBits = s.s2 + 1 + pow5Bits(s.s5+1)
	switch {
	case s.bBits < 32 && s.sBits < 32:
		divide(d, exp, int32(s.fraction*pow5(s.b5)<<s.b2), int32(pow5(s.s5)<<s.s2), int32(pow5(s.b5)<<s.m2))
	case s.bBits < 64 && s.sBits < 64:
		divide(d, exp, int64(s.fraction*pow5(s.b5)<<s.b2), int64(pow5(s.s5)<<s.s2), int64(pow5(s.b5)<<s.m2))
	default:
		s.divideBig(d, exp)
	}
}

// wholeDigits is for whole numbers below 2^63: their digits, rounded where a float has no bits for them.
func (x *binary) wholeDigits(d *decimals) {
	n := x.fraction
	if x.exp >= 52 {
		n <<= x.exp - 52
	} else {
		n >>= 52 - x.exp
	}
	if p := x.exp - x.significant - 1; p > 1 {
		drop := int(float64(p) * math.Log10(2))
		ten := uint64(1)
		for range drop {
			ten *= 10
		}
		rest := n % ten
		n /= ten
		if drop > 0 && rest >= ten>>1 {
			n++
		}
		d.exp = drop
	}
	for n%10 == 0 {
		n /= 10
		d.exp++
	}
	text := strconv.AppendUint(d.buf[:0], n, 10)
	d.n = len(text)
	d.exp += d.n
}

// exactDigits is for odd/2^places where that has few digits: no other number of so few is as near, so these are the digits by any method.
func (x *binary) exactDigits(d *decimals, odd uint64, places int) bool {
	most := uint64(1e15)
	if x.significant < 53 {
		most = 1e6
	}
	if places > maxPow5 || bits.Len64(odd)+bits.Len64(pow5(places)) > 63 {
		return false
	}
	n := odd * pow5(places)
	if n >= most || x.significant != 24 && x.significant != 53 {
		return false
	}
	text := strconv.AppendUint(d.buf[:0], n, 10)
	d.n = len(text)
	d.exp = d.n - places
	return true
}

// estimate is the decimal exponent, or one more.
func (x *binary) estimate() int {
	one := math.Float64frombits(1023<<52 | x.fraction&(1<<52-1))
	return int(math.Floor((one-1.5)*0.289529654 + 0.176091259 + float64(x.exp)*0.301029995663981))
}

// divide develops the digits of b/s, in Java's int or long, with their overflow.
func divide[T int32 | int64](d *decimals, exp int, b, s, m T) {
	tens := s * 10
	q := b / s
	b = 10 * (b % s)
	m *= 10
	low, high := b < m, b+m > tens
	if q == 0 && !high {
		exp--
	} else {
		d.add(byte(q))
	}
	if exp < -3 || exp >= 8 { // E form has a digit behind the point
		low, high = false, false
	}
	for !low && !high {
		q = b / s
		b = 10 * (b % s)
		m *= 10
		low, high = true, true
		if m > 0 {
			low, high = b < m, b+m > tens
		}
		d.add(byte(q))
	}
	d.exp = exp + 1
	d.round(low, high, int(b<<1-tens))
}

func (d *decimals) round(low, high bool, difference int) {
	if !high {
		return
	}
	if !low || difference > 0 || difference == 0 && d.buf[d.n-1]&1 != 0 {
		d.roundUp()
	}
}

func (s *scaled) divideBig(d *decimals, exp int) {
	pow := func(five, two int) *big.Int {
		p := new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(five)), nil)
		return p.Lsh(p, uint(two))
	}
	den := pow(s.s5, s.s2)
	num := pow(s.b5, s.b2)
	num.Mul(num, new(big.Int).SetUint64(s.fraction))
	ten := big.NewInt(10)
	m := pow(s.b5, s.m2)
	m.Mul(m, ten)
	tens := new(big.Int).Mul(den, ten)
	q, sum := new(big.Int), new(big.Int)
	step := func() (low, high bool) {
		q.QuoRem(num, den, num)
		num.Mul(num, ten)
		return num.Cmp(m) < 0, tens.Cmp(sum.Add(num, m)) <= 0
	}
	low, high := step()
	if q.Sign() == 0 && !high {
		exp--
	} else {
		d.add(byte(q.Uint64()))
	}
	if exp < -3 || exp >= 8 {
		low, high = false, false
	}
	for !low && !high {
		m.Mul(m, ten)
		low, high = step()
		d.add(byte(q.Uint64()))
	}
	d.exp = exp + 1
	difference := 0
	if low && high {
		difference = num.Lsh(num, 1).Cmp(tens)
	}
	d.round(low, high, difference)
}
