package quantity

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// String prints d in the largest of s, ms, us and ns in which it is at least
// one: "180s", "1.5ms".
func (d Duration) String() string {
	return scaled(int64(d), []step{{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}})
}

// String prints r with a decimal prefix: "100Mbit/s"; "unlimited" for zero.
func (r Bitrate) String() string {
	if r == 0 {
		return "unlimited"
	}
	return scaled(int64(r), []step{{"Tbit/s", 1e12}, {"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}})
}

type step struct {
	unit string
	size int64
}

// scaled prints n in the first of the steps that is not larger than n, exactly.
func scaled(n int64, steps []step) string {
	last := steps[len(steps)-1]
	if n == 0 {
		return "0" + steps[0].unit
	}
	if n < 0 {
		return strconv.FormatInt(n, 10) + last.unit
	}
	for _, s := range steps {
		if n < s.size {
			continue
		}
		text := strconv.FormatInt(n/s.size, 10)
		if rest := n % s.size; rest > 0 {
			digits := len(strconv.FormatInt(s.size, 10)) - 1
			text += "." + strings.TrimRight(fmt.Sprintf("%0*d", digits, rest), "0")
		}
		return text + s.unit
	}
	return strconv.FormatInt(n, 10) + last.unit
}

// String prints s in the unit, decimal or binary, in which it is a whole number
// with the fewest characters: "1kB", "64KiB".
func (s Size) String() string {
	best := strconv.FormatInt(int64(s), 10) + "B"
	for _, u := range units {
		if u.dim != Data || s == 0 || int64(s)%u.num != 0 {
			continue
		}
		if text := strconv.FormatInt(int64(s)/u.num, 10) + u.name; len(text) < len(best) {
			best = text
		}
	}
	return best
}

// String prints f in 1/s: "0.5/s".
func (f Frequency) String() string { return float(float64(f), 0) + "/s" }

// String prints r in percent: "1%".
func (r Ratio) String() string { return float(float64(r), 2) + "%" }

// float prints the shortest decimal that is read back as f, with the point
// moved to the right by shift.
func float(f float64, shift int) string {
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	mantissa, exponent, _ := strings.Cut(text, "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		panic("quantity: strconv wrote the exponent " + exponent)
	}
	e += shift
	digits := strings.Replace(mantissa, ".", "", 1)
	switch {
	case e < -6 || e > 20:
		return sign + mantissa + "e" + strconv.Itoa(e)
	case e < 0:
		return sign + "0." + strings.Repeat("0", -e-1) + digits
	case e >= len(digits)-1:
		return sign + digits + strings.Repeat("0", e-len(digits)+1)
	default:
		return sign + digits[:e+1] + "." + digits[e+1:]
	}
}

// String prints l as "250 packets", "64KiB" or "unlimited".
func (l Limit) String() string {
	switch {
	case l.Packets == 1:
		return "1 packet"
	case l.Packets != 0:
		return strconv.Itoa(l.Packets) + " packets"
	case l.Bytes != 0:
		return l.Bytes.String()
	default:
		return "unlimited"
	}
}

// String prints the law and the rate: "poisson 20/s".
func (a Arrivals) String() string {
	if a.Law == FromFile {
		return a.Law + " " + string(a.File)
	}
	return a.Law + " " + a.Rate.String()
}

// String prints host and port: "server:80".
func (a Address) String() string { return string(a.Host) + ":" + strconv.Itoa(int(a.Port)) }

// String prints the name.
func (h Host) String() string { return string(h) }

// String prints p as "198.18.0.0/15".
func (p Prefix) String() string { return netip.Prefix(p).String() }
