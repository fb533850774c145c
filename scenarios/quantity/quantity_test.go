package quantity

import (
	"encoding"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	duration := func(s string) (any, error) { return ParseDuration(s) }
	bitrate := func(s string) (any, error) { return ParseBitrate(s) }
	frequency := func(s string) (any, error) { return ParseFrequency(s) }
	size := func(s string) (any, error) { return ParseSize(s) }
	ratio := func(s string) (any, error) { return ParseRatio(s) }
	limit := func(s string) (any, error) { return ParseLimit(s) }
	arrivals := func(s string) (any, error) { return ParseArrivals(s) }
	address := func(s string) (any, error) { return ParseAddress(s) }
	prefix := func(s string) (any, error) { return ParsePrefix(s) }
	for _, c := range []struct {
		parse func(string) (any, error)
		in    string
		want  any
	}{
		{duration, "20ms", Duration(20e6)},
		{duration, "20 ms", Duration(20e6)},
		{duration, " 1.5s ", Duration(1.5e9)},
		{duration, "0s", Duration(0)},
		{duration, "0.000000001s", Duration(1)},
		{duration, "3µs", Duration(3000)},
		{duration, "3us", Duration(3000)},
		{duration, "2h", Duration(7200e9)},
		{duration, "0.1min", Duration(6e9)},
		{duration, "1e-3s", Duration(1e6)},
		{duration, "9223372036854775807ns", Duration(math.MaxInt64)},
		{duration, "9223372036.854775807s", Duration(math.MaxInt64)},
		{bitrate, "100Mbit/s", Bitrate(100e6)},
		{bitrate, "0.1Gbit/s", Bitrate(100e6)},
		{bitrate, "1.25kB/s", Bitrate(10000)},
		{bitrate, "unlimited", Bitrate(0)},
		{bitrate, "64kbit/s", Bitrate(64000)},
		{frequency, "20/s", Frequency(20)},
		{frequency, "0.1/s", Frequency(0.1)},
		{frequency, "6/min", Frequency(0.1)},
		{frequency, "36/h", Frequency(0.01)},
		{frequency, "0/s", Frequency(0)},
		{size, "1kB", Size(1000)},
		{size, "64KiB", Size(65536)},
		{size, "1.5KiB", Size(1536)},
		{size, "100B", Size(100)},
		{size, "8TiB", Size(8 << 40)},
		{ratio, "1%", Ratio(0.01)},
		{ratio, "0.01", Ratio(0.01)},
		{ratio, "0.1%", Ratio(0.001)},
		{ratio, "29%", Ratio(0.29)},
		{ratio, "57%", Ratio(0.57)},
		{limit, "250 packets", Limit{Packets: 250}},
		{limit, "1 packet", Limit{Packets: 1}},
		{limit, "250packets", Limit{Packets: 250}},
		{limit, "64KiB", Limit{Bytes: 65536}},
		{limit, "unlimited", Limit{}},
		{arrivals, "poisson 20/s", Arrivals{Law: Poisson, Rate: 20}},
		{arrivals, "fixed  6/min", Arrivals{Law: Fixed, Rate: 0.1}},
		{address, "server:80", Address{"server", 80}},
		{address, "a_1:65535", Address{"a_1", 65535}},
		{prefix, "198.18.0.0/15", Prefix(netip.MustParsePrefix("198.18.0.0/15"))},
		{prefix, "10.0.0.1/32", Prefix(netip.MustParsePrefix("10.0.0.1/32"))},
	} {
		got, err := c.parse(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: got %v, %v, want %v", c.in, got, err, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{"duration", "20 parsec", `"20 parsec": unknown unit "parsec" (have ns, us, ms, s, min, h, d)`},
		{"duration", "20", `"20" has no unit (write 20ms or 20s)`},
		{"duration", "0", `"0" has no unit (write 0ms or 0s)`},
		{"duration", "", `no value (write 20ms or 2s)`},
		{"duration", "soon", `"soon" is not a time (write 20ms or 2s)`},
		{"duration", "-5ms", `"-5ms" is negative (a time is 0 or more)`},
		{"duration", "+5ms", `"+5ms" has a sign (write "5ms")`},
		{"duration", "5m", `"5m": unknown unit "m" (write 5min for minutes, 5ms for milliseconds)`},
		{"duration", "5 sec", `"5 sec": unknown unit "sec", did you mean s? (have ns, us, ms, s, min, h, d)`},
		{"duration", "5MS", `"5MS": unknown unit "MS", did you mean ms? (have ns, us, ms, s, min, h, d)`},
		{"duration", "0.5ns", `"0.5ns" is not a whole number of nanoseconds`},
		{"duration", "300000d", `"300000d" is too large (the most is 9223372036854775807 nanoseconds)`},
		{"duration", "9223372036854775808ns", `"9223372036854775808ns" is too large (the most is 9223372036854775807 nanoseconds)`},
		{"duration", "1,000s", `"1,000s" is not a number with a unit (write digits, a point for decimals, no separators, then one of ns, us, ms, s, min, h, d)`},
		{"duration", "1e999s", `the exponent of "1e999" is out of range`},
		{"duration", "1e99999999999999999999s", `the exponent of "1e99999999999999999999" is out of range`},
		{"duration", "10Mbit/s", `"10Mbit/s" is a data rate, not a time (write 20ms or 2s)`},
		{"bitrate", "20ms", `"20ms" is a time, not a data rate (write 100Mbit/s or 64kbit/s)`},
		{"bitrate", "100", `"100" has no unit (write 100Mbit/s or 100kbit/s)`},
		{"bitrate", "100Mbps", `"100Mbps": unknown unit "Mbps", did you mean Mbit/s? (have bit/s, kbit/s, Mbit/s, Gbit/s, Tbit/s)`},
		{"bitrate", "0Mbit/s", `"0Mbit/s" carries nothing (write more than 0bit/s, or unlimited)`},
		{"bitrate", "0.5bit/s", `"0.5bit/s" is not a whole number of bit/s`},
		{"frequency", "20", `"20" has no unit (write 20/s or 20/min)`},
		{"frequency", "20Hz", `"20Hz": unknown unit "Hz", did you mean /s? (have /s, /min, /h)`},
		{"frequency", "20s", `"20s" is a time, not a rate of events (write 20/s or 6/min)`},
		{"size", "100", `"100" has no unit (write 100B or 100KiB)`},
		{"size", "1KB", `"1KB": unknown unit "KB" (write 1kB for 1000 bytes each, 1KiB for 1024)`},
		{"size", "1.5B", `"1.5B" is not a whole number of bytes`},
		{"ratio", "1 percent", `"1 percent": unknown unit "percent", did you mean %? (have %)`},
		{"ratio", "-1%", `"-1%" is negative (a ratio is 0 or more)`},
		{"limit", "250", `"250" has no unit (write 250 packets or 250KiB)`},
		{"limit", "0 packets", `"0 packets" holds nothing (a limit counts the packet in service: write at least 1 packet, or unlimited)`},
		{"limit", "250 pkts", `"250 pkts": unknown unit "pkts", did you mean packets? (have B, kB, MB, GB, TB, KiB, MiB, GiB, TiB, packets)`},
		{"limit", "1.5 packets", `"1.5 packets" is not a whole number of packets`},
		{"arrivals", "20/s", `"20/s" does not say how arrivals are spread (write "poisson 20/s" or "fixed 20/s")`},
		{"arrivals", "normal 20/s", `"normal 20/s": unknown arrivals "normal" (write "poisson 20/s" for random or "fixed 20/s" for equal gaps, or "file times.txt" for times that a file lists)`},
		{"arrivals", "poisson", `"poisson" has no rate (write "poisson 20/s")`},
		{"arrivals", "poisson 20", `"20" has no unit (write 20/s or 20/min)`},
		{"host", "Server", `"Server" is not a name (a name is a small letter, then small letters, digits and _)`},
		{"address", "server", `"server" has no port (write "server:80")`},
		{"address", "server:http", `"server:http": the port "http" is not a number from 1 to 65535`},
		{"address", "server:0", `"server:0": the port "0" is not a number from 1 to 65535`},
		{"address", "server:+80", `"server:+80": the port "+80" is not a number from 1 to 65535`},
		{"address", "server:", `"server:": the port "" is not a number from 1 to 65535`},
		{"prefix", "198.18.0.0", `"198.18.0.0" is one address, not a range (write 198.18.0.0/32, or a shorter prefix)`},
		{"prefix", "198.18.1.0/15", `"198.18.1.0/15" has bits set behind the first 15 (write 198.18.0.0/15)`},
		{"prefix", "2001:db8::/32", `"2001:db8::/32" is not a range of addresses (write a range of IPv4 addresses such as 198.18.0.0/15)`},
		{"prefix", "any", `"any" is not a range of addresses (write a range of IPv4 addresses such as 198.18.0.0/15)`},
	} {
		err := unmarshal(c.kind, c.in)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %q:\n got %v\nwant %s", c.kind, c.in, err, c.want)
		}
	}
}

type value interface {
	encoding.TextUnmarshaler
	fmt.Stringer
	Syntax() Syntax
}

func newValue(kind string) value {
	switch kind {
	case "duration":
		return new(Duration)
	case "bitrate":
		return new(Bitrate)
	case "frequency":
		return new(Frequency)
	case "size":
		return new(Size)
	case "ratio":
		return new(Ratio)
	case "limit":
		return new(Limit)
	case "arrivals":
		return new(Arrivals)
	case "host":
		return new(Host)
	case "address":
		return new(Address)
	default:
		return new(Prefix)
	}
}

var kinds = []string{"duration", "bitrate", "frequency", "size", "ratio", "limit", "arrivals", "host", "address", "prefix"}

func unmarshal(kind, s string) error { return newValue(kind).UnmarshalText([]byte(s)) }

func roundTrip[T comparable](t *rapid.T, v T, parse func(string) (T, error)) {
	text := fmt.Sprint(v)
	got, err := parse(text)
	if err != nil || got != v {
		t.Fatalf("%#v prints as %q, which reads as %#v, %v", v, text, got, err)
	}
	if p := any(v).(interface{ Syntax() Syntax }).Syntax().Pattern; !regexp.MustCompile(p).MatchString(text) {
		t.Fatalf("%q does not match its pattern %s", text, p)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64Min(0), rapid.Int64Range(0, 100000)).Draw(t, "n")
		scale := rapid.SampledFrom([]int64{1, 1000, 1024, 1e6, 1 << 20, 60e9}).Draw(t, "scale")
		if n < math.MaxInt64/scale {
			n *= scale
		}
		f := rapid.Float64Range(0, math.MaxFloat64).Draw(t, "f")
		name := Host(rapid.StringMatching(`[a-z][a-z0-9_]{0,20}`).Draw(t, "name"))
		roundTrip(t, Duration(n), ParseDuration)
		roundTrip(t, Bitrate(n), ParseBitrate)
		roundTrip(t, Size(n), ParseSize)
		roundTrip(t, Frequency(f), ParseFrequency)
		roundTrip(t, Ratio(f), ParseRatio)
		roundTrip(t, Limit{Packets: int(n % math.MaxInt32)}, ParseLimit)
		roundTrip(t, Limit{Bytes: Size(n)}, ParseLimit)
		roundTrip(t, Arrivals{Law: Poisson, Rate: Frequency(f)}, ParseArrivals)
		roundTrip(t, name, ParseHost)
		roundTrip(t, Address{name, uint16(n%65535) + 1}, ParseAddress)
		addr := netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
		p, err := addr.Prefix(int(n % 33))
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, Prefix(p), ParsePrefix)
	})
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		v    fmt.Stringer
		want string
	}{
		{Duration(0), "0s"}, {Duration(180e9), "180s"}, {Duration(1500e3), "1.5ms"}, {Duration(1), "1ns"}, {Duration(20e6), "20ms"},
		{Bitrate(100e6), "100Mbit/s"}, {Bitrate(1500), "1.5kbit/s"}, {Bitrate(0), "unlimited"},
		{Size(1000), "1kB"}, {Size(65536), "64KiB"}, {Size(1460), "1460B"}, {Size(0), "0B"}, {Size(1024000), "1024kB"},
		{Frequency(0.5), "0.5/s"}, {Frequency(1000), "1000/s"}, {Frequency(1e-20), "1e-20/s"},
		{Ratio(0.01), "1%"}, {Ratio(0.001), "0.1%"}, {Ratio(1), "100%"}, {Ratio(0.29), "29%"}, {Ratio(0), "0%"},
		{Limit{Packets: 250}, "250 packets"}, {Limit{}, "unlimited"},
		{Arrivals{Law: Poisson, Rate: 20}, "poisson 20/s"},
	} {
		if got := c.v.String(); got != c.want {
			t.Errorf("%#v prints as %q, want %q", c.v, got, c.want)
		}
	}
}

func TestSyntax(t *testing.T) {
	for _, kind := range kinds {
		v := newValue(kind)
		s := v.Syntax()
		if err := v.UnmarshalText([]byte(s.Example)); err != nil {
			t.Errorf("%s: the example does not parse: %v", kind, err)
		}
		if !regexp.MustCompile(s.Pattern).MatchString(s.Example) {
			t.Errorf("%s: the example %q does not match %s", kind, s.Example, s.Pattern)
		}
	}
}

func TestScan(t *testing.T) {
	for _, c := range []struct {
		in, text string
		value    float64
		dim      Dimension
	}{
		{"30s, 120s)", "30s", 30, Time},
		{"30ms", "30ms", 0.03, Time},
		{"1% of", "1%", 0.01, Share},
		{"20/s and", "20/s", 20, EventRate},
		{"20/size", "20", 20, Number},
		{"20/server.x", "20", 20, Number},
		{"20/s_x", "20", 20, Number},
		{"6/min", "6/min", 0.1, EventRate},
		{"100Mbit/s", "100Mbit/s", 100e6, DataRate},
		{"1kB", "1kB", 1000, Data},
		{"1kB/2", "1kB", 1000, Data},
		{"10s/3s", "10s", 10, Time},
		{"0.1 < x", "0.1", 0.1, Number},
		{"1e3", "1e3", 1000, Number},
		{".5", ".5", 0.5, Number},
		{"97", "97", 97, Number},
	} {
		f, ok, err := Scan(c.in)
		if want := (Found{c.text, c.value, c.dim}); !ok || err != nil || f != want {
			t.Errorf("%q: got %+v, %v, %v, want %+v", c.in, f, ok, err, want)
		}
	}
	if _, ok, err := Scan("server"); ok || err != nil {
		t.Errorf("a name was read as a quantity: %v", err)
	}
	f, ok, err := Scan("30parsec < 1")
	if want := `"30parsec": unknown unit "parsec"`; !ok || err == nil || err.Error()[:len(want)] != want || f.Text != "30parsec" {
		t.Errorf("got %+v, %v, %v", f, ok, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"20ms", "100Mbit/s", "64KiB", "20/s", "1%", "250 packets", "poisson 20/s", "server:80",
		"198.18.0.0/15", "1e400s", "-1", "\xff", "1\x00s", "９ms", "unlimited", strings400} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range kinds {
			v := newValue(kind)
			if err := v.UnmarshalText([]byte(s)); err != nil {
				if len(err.Error()) > 1000 {
					t.Fatalf("a message of %d bytes", len(err.Error()))
				}
				continue
			}
			text := v.String()
			again := newValue(kind)
			if err := again.UnmarshalText([]byte(text)); err != nil || again.String() != text {
				t.Fatalf("%s %q prints as %q, which reads as %q, %v", kind, s, text, again, err)
			}
		}
		if found, ok, _ := Scan(s); ok && (found.Text == "" || found.Text != s[:len(found.Text)]) {
			t.Fatalf("%q: %+v", s, found)
		}
	})
}

var strings400 = fmt.Sprintf("%0400d", 1)
