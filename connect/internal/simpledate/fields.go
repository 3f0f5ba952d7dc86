package simpledate

// calendarField is a field of Java's GregorianCalendar.
type calendarField uint8

const (
	era calendarField = iota // 0 is BC
	year
	weekYear
	month // 0 is January
	dayOfMonth
	yearDay
	yearWeek
	monthWeek
	weekday // 1 is Sunday
	weekdayInMonth
	half // 1 is PM
	hour // of the half of the day
	hourOfDay
	minute
	second
	millisecond
	zoneOffset // milliseconds
	fieldCount
)

// fields are the fields that were set, and when: of contradicting ones the last wins, as GregorianCalendar has it.
type fields struct {
	values [fieldCount]int64
	stamps [fieldCount]int // 0: not set
	last   int
}

func (f *fields) set(c calendarField, v int64) {
	f.last++
	f.values[c], f.stamps[c] = v, f.last
}

func (f *fields) has(c calendarField) bool { return f.stamps[c] != 0 }

// both is the stamp of two fields that mean something only together.
func (f *fields) both(a, b calendarField) int {
	if f.stamps[a] == 0 || f.stamps[b] == 0 {
		return 0
	}
	return max(f.stamps[a], f.stamps[b])
}

// resolve makes milliseconds since the epoch of the fields. What is not set is as at the epoch.
func (f *fields) resolve() int64 {
	hours := f.values[hourOfDay]
	halfDay := f.both(hour, half)
	if halfDay == 0 && !f.has(hourOfDay) {
		halfDay = max(f.stamps[hour], f.stamps[half])
	}
	if halfDay > f.stamps[hourOfDay] {
		hours = f.values[hour] + 12*f.values[half]
	}
	time := ((hours*60+f.values[minute])*60+f.values[second])*1000 + f.values[millisecond]
	return f.date()*millisPerDay + time - f.values[zoneOffset]
}

// onOrBefore is the last such weekday (0 is Sunday) until a day.
func onOrBefore(day, weekday int64) int64 {
	diff := dayOfWeek(day) - weekday
	return day - (diff - 7*floorDiv(diff, 7))
}

// date is the day since the epoch.
func (f *fields) date() int64 {
	if f.stamps[weekYear] > f.stamps[year] {
		return f.weekDate()
	}
	y := 1970
	if f.has(year) {
		y = int(f.values[year])
	}
	if f.has(era) && f.values[era] == 0 {
		y = 1 - y
	}
	return f.dateIn(y)
}

// calendarDay makes Java's day of the week, where Sunday is 1, of that of ISO 8601. What is no such day stays.
func calendarDay(iso int64) int64 {
	if iso < 1 || iso > 7 {
		return iso
	}
	return iso%7 + 1
}

// weekDate is the day of a week of a week year.
func (f *fields) weekDate() int64 {
	week, day := int64(1), int64(1)
	if f.has(yearWeek) {
		week = f.values[yearWeek]
	}
	if f.has(weekday) {
		day = f.values[weekday]
	}
	if day < 1 || day > 7 { // it was not made a day of Java's calendar yet
		week += floorDiv(day-1, 7)
		day = calendarDay(day - 7*floorDiv(day-1, 7))
	}
	first := onOrBefore(Days(int(f.values[weekYear]), 1, 1), 0)
	return first + 7*(week-1) + day - 1
}

// by says which fields a date is made of.
type by uint8

const (
	byDayOfMonth by = iota
	byWeekOfMonth
	byWeekdayInMonth
	byDayOfYear
	byWeekOfYear
)

// choose finds the fields that were set last: GregorianCalendar's selectFields.
func (f *fields) choose() by {
	dom, doy := f.stamps[dayOfMonth], f.stamps[yearDay]
	wom, wim, woy := f.both(monthWeek, weekday), f.both(weekdayInMonth, weekday), f.both(yearWeek, weekday)
	best := max(dom, wom, wim, doy, woy)
	if best == 0 {
		wom, wim, woy = f.stamps[monthWeek], max(f.stamps[weekdayInMonth], f.stamps[weekday]), f.stamps[yearWeek]
		best = max(wom, wim, woy)
	}
	switch {
	case best == dom:
		return byDayOfMonth
	case best == wom && f.stamps[monthWeek] >= f.stamps[yearWeek], best == wim && f.stamps[weekdayInMonth] >= f.stamps[yearWeek]:
		if best == wom && (wom != wim || f.stamps[monthWeek] >= f.stamps[weekdayInMonth]) {
			return byWeekOfMonth
		}
		return byWeekdayInMonth
	case best == doy:
		return byDayOfYear
	}
	return byWeekOfYear
}

// firstOf is the first day of a month, which may be out of range. In a year before the Gregorian calendar Java counts in the Julian to the end.
func firstOf(y, m int) int64 {
	const cutoverYear = 1582
	if y < cutoverYear {
		return julian(carry(y, m))
	}
	return Days(y, m, 1)
}

// dateIn is the day in a year.
func (f *fields) dateIn(y int) int64 {
	chosen := f.choose()
	m := 1
	if chosen <= byWeekdayInMonth {
		m = int(f.values[month]) + 1
	}
	first := firstOf(y, m)
	dow := f.values[weekday] - 1
	switch chosen {
	case byDayOfMonth:
		if f.has(dayOfMonth) {
			return first + f.values[dayOfMonth] - 1
		}
		return first
	case byDayOfYear:
		return first + f.values[yearDay] - 1
	case byWeekdayInMonth:
		return f.weekdayInMonth(first, y, m)
	}
	week := f.values[yearWeek]
	if chosen == byWeekOfMonth {
		week = f.values[monthWeek]
	}
	start := onOrBefore(first, 0)
	if f.has(weekday) {
		start = onOrBefore(start+6, dow)
	}
	return start + 7*(week-1)
}

// weekdayInMonth is the n-th weekday of a month; from the end where n is negative.
func (f *fields) weekdayInMonth(first int64, y, m int) int64 {
	dow, n := int64(0), int64(1)
	if f.has(weekday) {
		dow = f.values[weekday] - 1
	}
	if f.has(weekdayInMonth) {
		n = f.values[weekdayInMonth]
	}
	if n >= 0 {
		return onOrBefore(first+7*n-1, dow)
	}
	return onOrBefore(firstOf(y, m+1)+7*(n+1)-1, dow)
}
