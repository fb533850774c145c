package drill

import (
	"errors"
	"fmt"
	"strings"
)

// constants are the names that checks and calls use, with Linux's values.
var constants = map[string]int64{
	"TCP_ESTABLISHED": 1, "TCP_SYN_SENT": 2, "TCP_SYN_RECV": 3, "TCP_FIN_WAIT1": 4, "TCP_FIN_WAIT2": 5, "TCP_TIME_WAIT": 6,
	"TCP_CLOSE": 7, "TCP_CLOSE_WAIT": 8, "TCP_LAST_ACK": 9, "TCP_LISTEN": 10, "TCP_CLOSING": 11,
	"TCP_CA_Open": 0, "TCP_CA_Disorder": 1, "TCP_CA_CWR": 2, "TCP_CA_Recovery": 3, "TCP_CA_Loss": 4,
	"TCPI_OPT_TIMESTAMPS": 1, "TCPI_OPT_SACK": 2, "TCPI_OPT_WSCALE": 4, "TCPI_OPT_ECN": 8, "TCPI_OPT_ECN_SEEN": 16,
	"TCPI_OPT_SYN_DATA": 32, "TCPI_OPT_USEC_TS": 64, "TCP_INFINITE_SSTHRESH": 0x7fffffff,
}

// statements cuts Python into statements, at line ends and semicolons outside of
// strings and brackets.
func statements(text string) []string {
	var all []string
	first, depth := 0, 0
	var quote byte
	text = strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(text)
	end := func(i int) {
		if s := strings.TrimSpace(text[first:i]); s != "" {
			all = append(all, s)
		}
		first = i + 1
	}
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case (c == ';' || c == '\n') && depth <= 0:
			end(i)
		}
	}
	end(len(text))
	return all
}

// condition returns the condition of an assertion without its message.
func condition(s string) string {
	depth := 0
	var quote byte
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			return s[:i]
		}
	}
	return s
}

// assignment cuts NAME OP= EXPRESSION; op is "" for a plain =.
func assignment(s string) (name, op, expr string, ok bool) {
	n := 0
	for n < len(s) && isWord(s[n]) {
		n++
	}
	rest := strings.TrimSpace(s[n:])
	if n == 0 || isDigit(s[0]) {
		return "", "", "", false
	}
	for _, op := range []string{"", "+", "-", "*"} {
		if e, found := strings.CutPrefix(rest, op+"="); found && !strings.HasPrefix(e, "=") {
			return s[:n], op, e, true
		}
	}
	return "", "", "", false
}

// code evaluates a check on the connection under test.
func (r *run) code(c *Code) error {
	for _, s := range statements(c.Text) {
		if err := r.statement(c, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) statement(c *Code, s string) error {
	if strings.HasPrefix(s, "#") || strings.HasPrefix(s, "print") {
		return nil
	}
	if rest, ok := strings.CutPrefix(s, "assert"); ok && (rest == "" || !isWord(rest[0])) {
		return r.assert(c, condition(rest))
	}
	name, op, expr, ok := assignment(s)
	if !ok {
		return &unsupported{c.Pos, fmt.Sprintf("statement %q in a check", s)}
	}
	if op != "" {
		expr = name + op + "(" + expr + ")"
	}
	v, err := r.evaluate(c, expr)
	if err != nil {
		return err
	}
	r.vars[name] = v
	return nil
}

func (r *run) assert(c *Code, cond string) error {
	v, err := r.evaluate(c, cond)
	if err != nil {
		return err
	}
	if v.truth() {
		return nil
	}
	var got []string
	seen := map[string]bool{}
	for _, name := range words(cond) {
		if v, ok := r.lookup(name); ok && !seen[name] && constants[name] == 0 {
			seen[name] = true
			got = append(got, name+" = "+v.String())
		}
	}
	return &failure{pos: c.Pos, reason: "the check does not hold", expected: strings.TrimSpace(cond), got: strings.Join(got, ", ")}
}

// words are the names in an expression.
func words(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return c >= 128 || !isWord(byte(c)) })
}

func (r *run) evaluate(c *Code, expr string) (value, error) {
	if strings.Contains(expr, "tcpi_") && (r.conn == nil || r.conn.sock == nil) {
		return value{}, &failure{pos: c.Pos, reason: "the connection under test has no socket yet: accept() comes first"}
	}
	v, err := evaluate(expr, r.lookup)
	if err == nil {
		return v, nil
	}
	if errors.Is(err, errUnknownName) {
		return v, &unsupported{c.Pos, "check: " + err.Error()}
	}
	return v, &failure{pos: c.Pos, reason: "check: " + err.Error()}
}

// lookup finds a field of TCP_INFO, a variable or a constant.
func (r *run) lookup(name string) (value, bool) {
	if strings.HasPrefix(name, "tcpi_") {
		if r.conn == nil || r.conn.sock == nil {
			return value{}, false
		}
		info := r.conn.sock.info()
		v, ok := info.Field(name)
		return intValue(v), ok
	}
	if v, ok := r.vars[name]; ok {
		return v, true
	}
	v, ok := constants[name]
	return intValue(v), ok
}
