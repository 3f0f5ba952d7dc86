// Package simpledate is for times as Java prints and reads them: java.text.SimpleDateFormat over a lenient GregorianCalendar in UTC, with the
// Julian calendar before 15 October 1582. Transforms and the parsing of header values depend on its corners.
package simpledate

const (
	millisPerDay = 24 * 60 * 60 * 1000
	cutover      = -141427 // 1582-10-15 in days since the epoch
)

// Days are the days since the epoch of a date whose month (1 is January) and day may be out of range: they carry over.
func Days(year, month, day int) int64 {
	year, month = carry(year, month)
	if g := gregorian(year, month) + int64(day) - 1; g >= cutover {
		return g
	}
	return julian(year, month) + int64(day) - 1
}

// carry brings a month into 1 to 12.
func carry(year, month int) (int, int) {
	m := month - 1
	year += m / 12
	if m %= 12; m < 0 {
		m += 12
		year--
	}
	return year, m + 1
}

// marchYears counts from 1 March of year 0, so that the leap day is the last of a year.
func marchYears(year, month int) (y, dayOfYear int64) {
	y = int64(year)
	m := int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	return y, (153*(m-3) + 2) / 5
}

func gregorian(year, month int) int64 {
	y, d := marchYears(year, month)
	return 365*y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400) + d - 719468
}

func julian(year, month int) int64 {
	y, d := marchYears(year, month)
	return 365*y + floorDiv(y, 4) + d - 719470
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// Date is a date of the calendar. Years before 1 are 0, -1 and so on.
type Date struct{ Year, Month, Day int }

// OfDays is the date of a day since the epoch.
func OfDays(days int64) Date {
	var y, doy int64
	if days >= cutover {
		z := days + 719468
		era := floorDiv(z, 146097)
		doe := z - era*146097
		yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
		y, doy = yoe+era*400, doe-(365*yoe+yoe/4-yoe/100)
	} else {
		z := days + 719470
		era := floorDiv(z, 1461)
		doe := z - era*1461
		yoe := min(doe/365, 3)
		y, doy = yoe+era*4, doe-365*yoe
	}
	m := (5*doy + 2) / 153
	d := Date{Year: int(y), Month: int(m + 3), Day: int(doy - (153*m+2)/5 + 1)}
	if d.Month > 12 {
		d.Month -= 12
		d.Year++
	}
	return d
}

// Split divides milliseconds since the epoch into days and the milliseconds of the day.
func Split(ms int64) (days, ofDay int64) {
	days = floorDiv(ms, millisPerDay)
	return days, ms - days*millisPerDay
}

var weekdays = [...]string{"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}
var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// Text is java.util.Date.toString in UTC: "Tue Jan 02 03:04:05 UTC 2024".
func Text(ms int64) string {
	days, ofDay := Split(ms)
	d := OfDays(days)
	b := append([]byte(weekdays[days-7*floorDiv(days, 7)]), ' ')
	b = append(append(b, months[d.Month-1]...), ' ')
	b = append(appendPadded(b, int64(d.Day), 2), ' ')
	b = append(appendPadded(b, ofDay/3600_000, 2), ':')
	b = append(appendPadded(b, ofDay/60_000%60, 2), ':')
	b = append(appendPadded(b, ofDay/1000%60, 2), " UTC "...)
	year := d.Year
	if year <= 0 {
		year = 1 - year // Java prints the year of the era
	}
	return string(appendPadded(b, int64(year), 1))
}

func appendPadded(b []byte, n int64, width int) []byte {
	if n < 0 {
		b = append(b, '-')
		n = -n
	}
	var buf [20]byte
	i := len(buf)
	for n > 0 || width > 0 {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
		width--
	}
	return append(b, buf[i:]...)
}
