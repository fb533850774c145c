package capture

// ladder keeps the first and the last lines of a connection.
type ladder struct {
	limit int // 0 for none
	lines []Line
	total int
}

// open returns the number of the next line.
func (l *ladder) open() int {
	l.total++
	return l.total - 1
}

// place returns where line n is kept, -1 if it is not.
func (l *ladder) place(n int) int {
	first := (l.limit + 1) / 2
	last := l.limit - first
	switch {
	case n < first || l.limit >= l.total:
		return n
	case last > 0 && n >= l.total-last:
		return first + (n-first)%last
	}
	return -1
}

// put keeps line n, which is the newest.
func (l *ladder) put(n int, line Line) {
	if l.limit == 0 {
		return
	}
	switch at := l.place(n); {
	case at < 0:
	case at < len(l.lines):
		l.lines[at] = line
	default:
		l.lines = append(l.lines, line)
	}
}

// mark adds marks to line n if it is still kept.
func (l *ladder) mark(n int, m Marks) {
	if at := l.place(n); at >= 0 && at < len(l.lines) {
		l.lines[at].Marks |= m
	}
}

// unmark takes marks from line n if it is still kept.
func (l *ladder) unmark(n int, m Marks) {
	if at := l.place(n); at >= 0 && at < len(l.lines) {
		l.lines[at].Marks &^= m
	}
}

// close returns the lines in order, how many of them come before the gap, and
// how many are missing there.
func (l *ladder) close() (lines []Line, gap, omitted int) {
	if len(l.lines) == l.total || l.limit == 0 {
		return l.lines, 0, 0
	}
	first := (l.limit + 1) / 2
	lines = append(lines, l.lines[:first]...)
	for n := l.total - (l.limit - first); n < l.total; n++ {
		lines = append(lines, l.lines[l.place(n)])
	}
	return lines, first, l.total - len(lines)
}
