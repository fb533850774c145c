package quantity

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
)

// ParseDuration reads a span of time, exact to the nanosecond.
func ParseDuration(s string) (Duration, error) {
	r, _, err := parse(s, false, Time)
	if err != nil {
		return 0, err
	}
	n, err := whole(s, r, "nanoseconds")
	return Duration(n), err
}

// ParseBitrate reads a data rate, exact to the bit/s, or "unlimited". A rate of
// zero is an error, since it would carry nothing while Bitrate(0) is infinitely
// fast.
func ParseBitrate(s string) (Bitrate, error) {
	if strings.TrimSpace(s) == "unlimited" {
		return 0, nil
	}
	r, _, err := parse(s, false, DataRate)
	if err != nil {
		return 0, err
	}
	n, err := whole(s, r, "bit/s")
	if err == nil && n == 0 {
		return 0, fmt.Errorf("%s carries nothing (write more than 0bit/s, or unlimited)", Quote(s))
	}
	return Bitrate(n), err
}

// ParseFrequency reads a rate of events.
func ParseFrequency(s string) (Frequency, error) {
	r, _, err := parse(s, false, EventRate)
	if err != nil {
		return 0, err
	}
	f, err := nearest(s, r)
	return Frequency(f), err
}

// ParseSize reads a number of bytes, which is exact.
func ParseSize(s string) (Size, error) {
	r, _, err := parse(s, false, Data)
	if err != nil {
		return 0, err
	}
	n, err := whole(s, r, "bytes")
	return Size(n), err
}

// ParseRatio reads a ratio, in percent or as a plain number.
func ParseRatio(s string) (Ratio, error) {
	r, _, err := parse(s, true, Share)
	if err != nil {
		return 0, err
	}
	f, err := nearest(s, r)
	return Ratio(f), err
}

func nearest(s string, r *big.Rat) (float64, error) {
	f, _ := r.Float64()
	if math.IsInf(f, 0) {
		return 0, fmt.Errorf("%s is too large", Quote(s))
	}
	return f, nil
}

// ParseLimit reads what a queue holds: a number of packets or of bytes, or
// "unlimited". A limit of zero is an error, since a limit counts the packet in
// service.
func ParseLimit(s string) (Limit, error) {
	if strings.TrimSpace(s) == "unlimited" {
		return Limit{}, nil
	}
	r, u, err := parse(s, false, Packets, Data)
	if err != nil {
		return Limit{}, err
	}
	var l Limit
	if u.dim == Packets {
		var n int64
		if n, err = whole(s, r, "packets"); n > math.MaxInt32 {
			err = fmt.Errorf("%s is too large (the most is %d packets, or write unlimited)", Quote(s), math.MaxInt32)
		}
		l.Packets = int(n)
	} else {
		var n int64
		n, err = whole(s, r, "bytes")
		l.Bytes = Size(n)
	}
	if err != nil {
		return Limit{}, err
	}
	if l == (Limit{}) {
		return Limit{}, fmt.Errorf("%s holds nothing (a limit counts the packet in service: write at least 1 packet, or unlimited)", Quote(s))
	}
	return l, nil
}

// ParseArrivals reads a law and its rate: "poisson 20/s", "fixed 20/s", or "file
// times.txt".
func ParseArrivals(s string) (Arrivals, error) {
	trimmed := strings.TrimSpace(s)
	law, rate, _ := strings.Cut(trimmed, " ")
	if numberLength(trimmed) > 0 {
		return Arrivals{}, fmt.Errorf("%s does not say how arrivals are spread (write %s or %s)",
			Quote(s), Quote("poisson "+trimmed), Quote("fixed "+trimmed))
	}
	if law == FromFile {
		if rate = strings.TrimSpace(rate); rate == "" || strings.ContainsAny(rate, " \t") {
			return Arrivals{}, fmt.Errorf("%s does not name one file (write \"file times.txt\")", Quote(s))
		}
		return Arrivals{Law: law, File: File(rate)}, nil
	}
	if law != Poisson && law != Fixed {
		return Arrivals{}, fmt.Errorf("%s: unknown arrivals %s (write \"poisson 20/s\" for random or \"fixed 20/s\" for equal gaps, or \"file times.txt\" for times that a file lists)", Quote(s), Quote(law))
	}
	if strings.TrimSpace(rate) == "" {
		return Arrivals{}, fmt.Errorf("%s has no rate (write %q)", Quote(s), law+" 20/s")
	}
	f, err := ParseFrequency(rate)
	return Arrivals{Law: law, Rate: f}, err
}

// ValidName reports whether s is a name that expressions can read:
// [a-z][a-z0-9_]*.
func ValidName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || i > 0 && (c == '_' || '0' <= c && c <= '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// ParseHost reads the name of a host: [a-z][a-z0-9_]*, at most 64 bytes.
func ParseHost(s string) (Host, error) {
	if !ValidName(s) {
		return "", fmt.Errorf("%s is not a name (a name is a small letter, then small letters, digits and _)", Quote(s))
	}
	return Host(s), nil
}

// ParseAddress reads a port of a host: "server:80".
func ParseAddress(s string) (Address, error) {
	name, digits, found := strings.Cut(s, ":")
	if !found {
		return Address{}, fmt.Errorf("%s has no port (write %s)", Quote(s), Quote(s+":80"))
	}
	host, err := ParseHost(name)
	if err != nil {
		return Address{}, err
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 || digits[0] == '+' {
		return Address{}, fmt.Errorf("%s: the port %s is not a number from 1 to 65535", Quote(s), Quote(digits))
	}
	return Address{host, uint16(port)}, nil
}

// ParsePrefix reads a range of IPv4 addresses: "198.18.0.0/15".
func ParsePrefix(s string) (Prefix, error) {
	const example = "(write a range of IPv4 addresses such as 198.18.0.0/15)"
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return Prefix{}, fmt.Errorf("%s is one address, not a range (write %s/32, or a shorter prefix)", Quote(s), s)
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is4() {
		return Prefix{}, fmt.Errorf("%s is not a range of addresses %s", Quote(s), example)
	}
	if m := p.Masked(); m != p {
		return Prefix{}, fmt.Errorf("%s has bits set behind the first %d (write %v)", Quote(s), p.Bits(), m)
	}
	return Prefix(p), nil
}
