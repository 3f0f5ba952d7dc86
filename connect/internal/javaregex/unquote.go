package javaregex

// unquoted is a pattern in which what stood between \Q and \E has backslashes instead. Java does the same first, so that indexes in its
// messages are those of the new pattern.
func unquoted(src []rune) []rune {
	var out []rune
	quoted, first := false, false
	for i := 0; i < len(src); i++ {
		c, next := src[i], rune(0)
		if i+1 < len(src) {
			next = src[i+1]
		}
		switch {
		case !quoted && c == '\\' && next == 'Q':
			quoted, first = true, true
			i++
			continue
		case !quoted && c == '\\' && i+1 < len(src):
			out = append(out, c, next)
			i++
		case quoted && c == '\\' && next == 'E':
			quoted = false
			i++
		case quoted && first && c >= '0' && c <= '9': // so that it does not go on an escape before it
			out = append(out, '\\', 'x', '3', c)
		case quoted && c <= 0x7f && !alnum(c):
			out = append(out, '\\', c)
		default:
			out = append(out, c)
		}
		first = false
	}
	return out
}
