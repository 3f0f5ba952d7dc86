package simpledate

// zoneName is a name of a time zone that texts may have, with its offset in minutes. Java knows some hundred more.
type zoneName struct {
	name   string
	offset int64
}

// zoneNames are looked through in order; a name that another begins with comes after it.
var zoneNames = []zoneName{
	{"GMT", 0}, {"Greenwich Mean Time", 0}, {"UCT", 0}, {"WEST", 60}, {"WET", 0},
	{"PST", -480}, {"PDT", -420}, {"Pacific Standard Time", -480}, {"Pacific Daylight Time", -420},
	{"MST", -420}, {"MDT", -360}, {"Mountain Standard Time", -420}, {"Mountain Daylight Time", -360},
	{"CST", -360}, {"CDT", -300}, {"Central Standard Time", -360}, {"Central Daylight Time", -300},
	{"EST", -300}, {"EDT", -240}, {"Eastern Standard Time", -300}, {"Eastern Daylight Time", -240},
	{"AKST", -540}, {"AKDT", -480}, {"HST", -600}, {"AST", -240}, {"ADT", -180}, {"NST", -210}, {"NDT", -150},
	{"CEST", 120}, {"CET", 60}, {"Central European Summer Time", 120}, {"Central European Standard Time", 60},
	{"EEST", 180}, {"EET", 120}, {"BST", 60}, {"British Summer Time", 60}, {"MSK", 180}, {"IST", 330}, {"PKT", 300},
	{"JST", 540}, {"Japan Standard Time", 540}, {"KST", 540}, {"HKT", 480}, {"SGT", 480}, {"AWST", 480}, {"ACST", 570}, {"AEST", 600}, {"AEDT", 660},
	{"NZST", 720}, {"NZDT", 780}, {"SAST", 120}, {"BRT", -180}, {"ART", -180},
}

// zone reads a zone's name, GMT with or without an offset, or an offset like +0100. start is where it was looked for: before any blanks.
func (p *parser) zone(start int) bool {
	switch c := p.text[p.pos]; {
	case c == '+' || c == '-':
		return p.offset(0, false)
	case p.skip("Coordinated Universal Time"), p.skip("UTC"): // these leave an offset that was read before
		return true
	case p.pos == start && p.at("GMT"):
		p.pos += 3
		if p.pos < len(p.text) && (p.text[p.pos] == '+' || p.text[p.pos] == '-') {
			return p.offset(0, true)
		}
		p.set(zoneOffset, 0)
		return true
	}
	for _, z := range zoneNames {
		if p.at(z.name) {
			p.pos += len(z.name)
			p.set(zoneOffset, z.offset*60_000)
			return true
		}
	}
	return false
}

// isoZone reads Z or an offset of ISO 8601: of hours (count 1), with minutes (2), with a colon (3).
func (p *parser) isoZone(count int) bool {
	switch p.text[p.pos] {
	case 'Z':
		p.pos++
		p.set(zoneOffset, 0)
		return true
	case '+', '-':
		return p.offset(count, count == 3)
	}
	return false
}

// offset reads a sign, hours and, unless count is 1, minutes. Only where count is 0 and there is a colon the hours may have one digit.
func (p *parser) offset(count int, colon bool) bool {
	sign := int64(1)
	if p.text[p.pos] == '-' {
		sign = -1
	}
	p.pos++
	hours, ok := p.digit()
	if !ok {
		return false
	}
	if d, ok := p.digit(); ok {
		hours = hours*10 + d
	} else if count > 0 || !colon {
		return false
	}
	var minutes int64
	if count != 1 {
		if colon {
			if p.pos >= len(p.text) || p.text[p.pos] != ':' {
				return false
			}
			p.pos++
		}
		tens, ok1 := p.digit()
		ones, ok2 := p.digit()
		if !ok1 || !ok2 {
			return false
		}
		minutes = tens*10 + ones
	}
	if hours > 23 || minutes > 59 {
		return false
	}
	p.set(zoneOffset, sign*(hours*60+minutes)*60_000)
	return true
}

// skip reads a text in any case.
func (p *parser) skip(s string) bool {
	if !p.at(s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) digit() (int64, bool) {
	if p.pos >= len(p.text) || p.text[p.pos] < '0' || p.text[p.pos] > '9' {
		return 0, false
	}
	p.pos++
	return int64(p.text[p.pos-1] - '0'), true
}
