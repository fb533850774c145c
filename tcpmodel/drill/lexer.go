package drill

import (
	"fmt"
	"strconv"
	"strings"
)

// Pos is a place in a script: line and column, both from 1, columns in bytes.
type Pos struct{ Line, Col int }

// Error is what is wrong with a script, and where.
type Error struct {
	File string
	Pos  Pos
	Msg  string
	// Unsupported is true if the script is well formed but says something
	// that the runner or the stack does not have.
	Unsupported bool
}

// Error returns "file:line:col: what is wrong".
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Pos.Line, e.Pos.Col, e.Msg)
}

type tokenKind uint8

const (
	tokEOF      tokenKind = iota
	tokInt                // 10, -1, 0x1f: num
	tokFloat              // .1, 2.50: text
	tokWord               // connect, SOCK_STREAM, 1a2b
	tokString             // "...": text without the quotes
	tokShell              // `...`: text without the quotes
	tokCode               // %{ ... }%: text without the braces
	tokAddr               // 192.0.2.1
	tokOption             // --name or --name=value: text without the dashes
	tokEllipsis           // ...
	tokPunct              // any other character: text
)

var tokenNames = [...]string{"the end of the script", "a number", "a number", "a word", "a string",
	"a shell command", "a check", "an address", "an option", "...", "punctuation"}

type token struct {
	kind tokenKind
	text string
	num  int64
	pos  Pos
}

func (t token) String() string {
	switch t.kind {
	case tokEOF, tokString, tokShell, tokCode, tokEllipsis:
		return tokenNames[t.kind]
	case tokOption:
		return "--" + t.text
	}
	return strconv.Quote(t.text)
}

// lexer cuts a script into tokens.
type lexer struct {
	file string
	src  string
	i    int
	line int
	// start is where the current line starts.
	start   int
	sysctls []setting
}

func (l *lexer) pos() Pos { return Pos{l.line, l.i - l.start + 1} }

func (l *lexer) fail(p Pos, format string, args ...any) *Error {
	return &Error{File: l.file, Pos: p, Msg: fmt.Sprintf(format, args...)}
}

// step moves on by n bytes and counts lines.
func (l *lexer) step(n int) {
	for ; n > 0; n-- {
		if l.src[l.i] == '\n' {
			l.line++
			l.start = l.i + 1
		}
		l.i++
	}
}

func (l *lexer) rest() string { return l.src[l.i:] }

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.rest(), prefix) }

// tokens returns all tokens of the script, a tokEOF last.
func (l *lexer) tokens() ([]token, error) {
	var all []token
	for {
		if err := l.blank(); err != nil {
			return nil, err
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		if t.kind == tokEOF {
			return all, nil
		}
	}
}

// blank skips white space and comments. Header lines that set sysctls are
// comments too: they are kept.
func (l *lexer) blank() error {
	for l.i < len(l.src) {
		c := l.src[l.i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.step(1)
		case c == '\\' && (l.has("\\\n") || l.has("\\\r\n")):
			l.step(1)
		case l.has("//"), c == '#' && strings.TrimSpace(l.src[l.start:l.i]) == "":
			p, n := l.pos(), strings.IndexByte(l.rest(), '\n')
			if n < 0 {
				n = len(l.rest())
			}
			l.comment(p, l.rest()[:n])
			l.step(n)
		case l.has("/*"):
			n := strings.Index(l.rest()[2:], "*/")
			if n < 0 {
				return l.fail(l.pos(), "comment without */")
			}
			l.step(n + 4)
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) comment(p Pos, text string) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "//"))
	if s, ok := strings.CutPrefix(text, "sysctl:"); ok {
		if name, value, ok := strings.Cut(strings.TrimSpace(s), "="); ok {
			l.sysctls = append(l.sysctls, setting{strings.TrimSpace(name), unquote(strings.TrimSpace(value)), p})
		}
	}
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (l *lexer) peek(n int) byte {
	if l.i+n < len(l.src) {
		return l.src[l.i+n]
	}
	return 0
}

func (l *lexer) next() (token, error) {
	p := l.pos()
	if l.i >= len(l.src) {
		return token{kind: tokEOF, pos: p}, nil
	}
	c := l.src[l.i]
	switch {
	case l.has("..."):
		l.step(3)
		return token{kind: tokEllipsis, text: "...", pos: p}, nil
	case l.has("--") && isWord(l.peek(2)):
		l.step(2)
		return token{kind: tokOption, text: l.optionText(), pos: p}, nil
	case l.has("%{"):
		return l.until(p, 2, "}%", tokCode)
	case c == '"':
		return l.quoted(p, tokString)
	case c == '`':
		return l.quoted(p, tokShell)
	case isWord(c), c == '.' && isDigit(l.peek(1)), c == '-' && (isDigit(l.peek(1)) || l.peek(1) == '.' && isDigit(l.peek(2))):
		return l.wordOrNumber(p)
	}
	l.step(1)
	return token{kind: tokPunct, text: string(rune(c)), pos: p}, nil
}

// optionText reads name or name=value, up to white space outside quotes.
func (l *lexer) optionText() string {
	first := l.i
	var quote byte
	for l.i < len(l.src) {
		c := l.src[l.i]
		if quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			break
		}
		switch {
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '`'):
			quote = c
		}
		l.step(1)
	}
	return l.src[first:l.i]
}

func (l *lexer) until(p Pos, open int, end string, kind tokenKind) (token, error) {
	l.step(open)
	n := strings.Index(l.rest(), end)
	if n < 0 {
		return token{}, l.fail(p, "no %s after this", end)
	}
	text := l.rest()[:n]
	l.step(n + len(end))
	return token{kind: kind, text: text, pos: p}, nil
}

// quoted reads a string or a command; a backslash keeps the character after it
// from ending it.
func (l *lexer) quoted(p Pos, kind tokenKind) (token, error) {
	quote := l.src[l.i]
	l.step(1)
	first := l.i
	for l.i < len(l.src) && l.src[l.i] != quote {
		if l.src[l.i] == '\\' && l.i+1 < len(l.src) {
			l.step(1)
		}
		l.step(1)
	}
	if l.i >= len(l.src) {
		return token{}, l.fail(p, "no closing %c for this one", quote)
	}
	text := l.src[first:l.i]
	l.step(1)
	return token{kind: kind, text: text, pos: p}, nil
}

func (l *lexer) wordOrNumber(p Pos) (token, error) {
	first := l.i
	if l.src[l.i] == '-' {
		l.step(1)
	}
	for isWord(l.peek(0)) {
		l.step(1)
	}
	digits := allDigits(strings.TrimPrefix(l.src[first:l.i], "-"))
	dots := 0
	for digits && l.peek(0) == '.' && isDigit(l.peek(1)) {
		dots++
		l.step(1)
		for isDigit(l.peek(0)) {
			l.step(1)
		}
	}
	text := l.src[first:l.i]
	switch {
	case dots == 3:
		return token{kind: tokAddr, text: text, pos: p}, nil
	case dots == 1:
		return token{kind: tokFloat, text: text, pos: p}, nil
	case dots != 0:
		return token{}, l.fail(p, "%s is no number and no address", text)
	case digits || strings.HasPrefix(text, "0x"):
		base := 10
		if !digits {
			base = 0
		}
		n, err := strconv.ParseInt(text, base, 64)
		if err != nil && digits && strings.HasPrefix(text, "0") {
			return token{}, l.fail(p, "number %s is too large", text)
		}
		if err == nil {
			return token{kind: tokInt, text: text, num: n, pos: p}, nil
		}
		if digits {
			// A cookie of Fast Open may be all digits.
			return token{kind: tokWord, text: text, pos: p}, nil
		}
	}
	return token{kind: tokWord, text: text, pos: p}, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}
