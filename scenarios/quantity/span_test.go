package quantity

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSpanValues(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"lin:1/s..100/s:4", []string{"1/s", "34/s", "67/s", "100/s"}},
		{"log:1/s..100/s:5", []string{"1/s", "3.16228/s", "10/s", "31.6228/s", "100/s"}},
		{"log:16..256:5", []string{"16", "32", "64", "128", "256"}},
		{"lin:1..3:9", []string{"1", "2", "3"}},
		{"lin:1.0..2:5", []string{"1.0", "1.25", "1.5", "1.75", "2"}},
		{"lin:0s..1s:3", []string{"0s", "500ms", "1s"}},
		{"lin:1ms..2s:3", []string{"1ms", "1.0005s", "2s"}},
		{"log:1kB..4kB:3", []string{"1kB", "2kB", "4kB"}},
		{"log:1Mbit/s..1Gbit/s:4", []string{"1Mbit/s", "10Mbit/s", "100Mbit/s", "1Gbit/s"}},
		{"lin:0%..1%:3", []string{"0%", "0.5%", "1%"}},
		{"lin:10 packets..20 packets:3", []string{"10 packets", "15 packets", "20 packets"}},
	} {
		p, err := ParseSpan(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := p.Values(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestSpanErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"lin:1..2:1", "2 to 1000000"},
		{"lin:1..2:x", "not a number of values"},
		{"lin:1/s..2ms:3", "give both ends one unit"},
		{"lin:2..1:3", "smaller value first"},
		{"log:0..1:3", "begins above 0"},
		{"lin:0bit/s..1Mbit/s:3", "carries nothing"},
		{"lin:a..b:3", "is not"},
		{"cub:1..2:3", "not a span"},
		{"lin:1-2:3", "not a span"},
	} {
		if _, err := ParseSpan(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.text, err, c.want)
		}
	}
}

// What At returns is a quantity of the span's dimension, between its ends.
func TestSpanStaysWithin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"", "/s", "/min", "ms", "s", "B", "KiB", "Mbit/s", "%", " packets"}).Draw(t, "unit")
		from := rapid.IntRange(1, 1000).Draw(t, "from")
		to := from + rapid.IntRange(1, 100000).Draw(t, "more")
		law := rapid.SampledFrom([]string{"lin", "log"}).Draw(t, "law")
		text := law + ":" + float(float64(from), 0) + unit + ".." + float(float64(to), 0) + unit
		p, err := ParseSpan(text)
		if err != nil {
			t.Fatal(err)
		}
		low, _ := Parse(p.From)
		high, _ := Parse(p.To)
		got, ok := Parse(p.At(rapid.Float64Range(0, 1).Draw(t, "part")))
		const digits = 1e-5 // six that count
		if !ok || got.Dim != low.Dim || got.Value < low.Value*(1-digits) || got.Value > high.Value*(1+digits) {
			t.Fatalf("%s gives %+v", text, got)
		}
	})
}

func TestParseAnything(t *testing.T) {
	for _, c := range []struct {
		text  string
		value float64
		dim   Dimension
	}{{"20ms", 0.02, Time}, {"64KiB", 65536, Data}, {"250 packets", 250, Packets}, {"1%", 0.01, Share}, {"128", 128, Number},
		{"6/min", 0.1, EventRate}, {"1MB/s", 8e6, DataRate}} {
		if f, ok := Parse(c.text); !ok || f.Value != c.value || f.Dim != c.dim {
			t.Errorf("%s: %+v, %v", c.text, f, ok)
		}
	}
	for _, text := range []string{"", "cubic", "poisson 20/s", "-1", "5 apples", "1s2"} {
		if f, ok := Parse(text); ok {
			t.Errorf("%q: %+v", text, f)
		}
	}
}
