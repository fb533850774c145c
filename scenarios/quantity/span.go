package quantity

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Parse reads s, from its start to its end, as a quantity of any dimension. A
// blank may stand between number and unit. ok is false for anything else, such
// as a word or a negative number.
func Parse(s string) (f Found, ok bool) {
	s = strings.TrimSpace(s)
	r, u, err := parse(s, true, Time, DataRate, EventRate, Data, Share, Packets)
	if err != nil {
		return Found{}, false
	}
	f = Found{Text: s, Dim: u.dim}
	if f.Value, err = nearest(s, r); err != nil {
		return Found{}, false
	}
	if u.dim == Time {
		f.Value /= 1e9
	}
	return f, true
}

// Span is a stretch of values from which some are taken, at even distances of
// the values (lin) or of their logarithms (log).
type Span struct {
	From, To string
	Log      bool
	// Count is how many values there are, both ends among them; 0 if the span
	// does not say.
	Count int

	dim      Dimension
	from, to float64 // in the finest unit of dim
	whole    bool
}

// MaxSpan bounds the values of a span.
const MaxSpan = 1_000_000

// IsSpan reports whether s is written as a span, right or wrong.
func IsSpan(s string) bool {
	return strings.HasPrefix(s, "lin:") || strings.HasPrefix(s, "log:")
}

// ParseSpan reads "lin:FROM..TO:COUNT" or "log:FROM..TO:COUNT", where the ends
// are quantities of one dimension: "log:1/s..100/s:5". Without ":COUNT" the
// span has no values of its own and serves for samples.
func ParseSpan(s string) (Span, error) {
	const form = "(write lin:FROM..TO:COUNT or log:FROM..TO:COUNT, such as log:1/s..100/s:5)"
	law, rest, found := strings.Cut(s, ":")
	from, rest, dots := strings.Cut(rest, "..")
	if !found || !dots || law != "lin" && law != "log" {
		return Span{}, fmt.Errorf("%s is not a span of values %s", Quote(s), form)
	}
	to, count, counted := strings.Cut(rest, ":")
	p := Span{From: strings.TrimSpace(from), To: strings.TrimSpace(to), Log: law == "log"}
	if counted {
		n, err := strconv.Atoi(strings.TrimSpace(count))
		if err != nil || n < 2 || n > MaxSpan {
			return Span{}, fmt.Errorf("%s: %s is not a number of values (2 to %d)", Quote(s), Quote(count), MaxSpan)
		}
		p.Count = n
	}
	return p, p.measure(s)
}

func (p *Span) measure(s string) error {
	var dims [2]Dimension
	for i, end := range []struct {
		text string
		at   *float64
	}{{p.From, &p.from}, {p.To, &p.to}} {
		r, u, err := parse(end.text, true, Time, DataRate, EventRate, Data, Share, Packets)
		if err != nil {
			return fmt.Errorf("%s: %w", Quote(s), err)
		}
		if *end.at, err = nearest(end.text, r); err != nil {
			return err
		}
		dims[i] = u.dim
	}
	p.dim = dims[0]
	switch {
	case dims[0] != dims[1]:
		return fmt.Errorf("%s: %s is %v and %s is %v (give both ends one unit)", Quote(s), p.From, dims[0], p.To, dims[1])
	case !(p.from < p.to):
		return fmt.Errorf("%s ends before it begins (write the smaller value first)", Quote(s))
	case p.Log && p.from == 0:
		return fmt.Errorf("%s: a logarithmic span begins above 0", Quote(s))
	case p.dim == DataRate && p.from == 0:
		return fmt.Errorf("%s: a data rate of 0 carries nothing (begin above 0)", Quote(s))
	}
	p.whole = p.dim == Number && !strings.ContainsAny(p.From+p.To, ".eE")
	return nil
}

// Values returns the Count values, from From to To. Of plain whole numbers the
// values between are rounded to whole ones, of which each is given once;
// everything else has six digits that count, but no fraction of a nanosecond, a
// byte, a bit or a packet.
func (p Span) Values() []string {
	var out []string
	for i := range p.Count {
		text := p.At(float64(i) / float64(p.Count-1))
		if len(out) == 0 || out[len(out)-1] != text {
			out = append(out, text)
		}
	}
	return out
}

// At returns the value at a part of the span from 0 to 1.
func (p Span) At(part float64) string {
	switch {
	case part <= 0:
		return p.From
	case part >= 1:
		return p.To
	case p.Log:
		return p.text(p.from * math.Pow(p.to/p.from, part))
	default:
		return p.text(p.from + float64(part*(p.to-p.from)))
	}
}

// text writes v, in the finest unit, as a value of the span.
func (p Span) text(v float64) string {
	if p.whole || p.dim == Packets {
		v = math.Round(v)
	}
	if !p.whole {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	}
	n := int64(math.Round(v))
	switch p.dim {
	case Time:
		return Duration(n).String()
	case DataRate:
		return Bitrate(max(1, n)).String()
	case EventRate:
		return Frequency(v).String()
	case Data:
		return Size(n).String()
	case Share:
		return Ratio(v).String()
	case Packets:
		return strconv.FormatInt(int64(v), 10) + " packets"
	default:
		return float(v, 0)
	}
}
