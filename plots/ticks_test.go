package plots

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func labels(ts []tick) string {
	var out []string
	for _, t := range ts {
		if t.label != "" {
			out = append(out, t.label)
		}
	}
	return strings.Join(out, " ")
}

func anyFit([]tick) bool { return true }

func atMost(n int) func([]tick) bool {
	return func(ts []tick) bool { return len(ts) <= n }
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		most   int
		whole  bool
		want   string
	}{
		{0, 180, 11, false, "0 20 40 60 80 100 120 140 160 180"},
		{0, 180, 8, false, "0 50 100 150"},
		{-0.045, 1.045, 5, false, "0.0 0.5 1.0"},
		{-12, 310, 5, false, "0 100 200 300"},
		{-109, 109, 5, false, "−100 −50 0 50 100"},
		{0, 1, 5, true, "0 1"},
		{0, 3, 30, true, "0 1 2 3"},
		{-0.0003, 0.0003, 6, false, "−0.0002 0.0000 0.0002"},
		{1e6, 1.00001e6, 5, false, "1000000 1000005 1000010"},
		{0.1, 0.7, 7, false, "0.1 0.2 0.3 0.4 0.5 0.6 0.7"},
	} {
		if got := labels(linearTicks(c.lo, c.hi, c.most, c.whole, anyFit)); got != c.want {
			t.Errorf("linearTicks(%v, %v, %d, %v) = %q, want %q", c.lo, c.hi, c.most, c.whole, got, c.want)
		}
	}
}

func TestLinearTicksAreRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e6, 1e6).Draw(t, "lo")
		span := math.Pow(10, rapid.Float64Range(-6, 9).Draw(t, "decades"))
		if span < math.Abs(lo)*1e-9 {
			t.Skip("below the resolution of the labels")
		}
		most := rapid.IntRange(2, 12).Draw(t, "most")
		ts := linearTicks(lo, lo+span, most, false, anyFit)
		var values []float64
		for _, tk := range ts {
			if tk.value < lo-span*1e-6 || tk.value > lo+span*(1+1e-6) {
				t.Fatalf("tick %v outside [%v, %v]", tk.value, lo, lo+span)
			}
			if tk.label != "" {
				values = append(values, tk.value)
			}
		}
		if len(values) > most || len(values) == 0 && most >= 5 {
			t.Fatalf("%d labels, want 1 to %d", len(values), most)
		}
		for i := 2; i < len(values); i++ {
			step := values[i] - values[i-1]
			if first := values[1] - values[0]; math.Abs(step-first) > 1e-6*first+1e-15*math.Abs(lo) {
				t.Fatalf("uneven steps %v and %v", first, step)
			}
			digit := step / math.Pow(10, math.Floor(math.Log10(step)+1e-9))
			if r := math.Round(digit); math.Abs(digit-r) > 1e-3 || r != 1 && r != 2 && r != 5 && r != 10 {
				t.Fatalf("step %v is not 1, 2 or 5 times a power of ten", step)
			}
		}
	})
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		most   int
		want   string
	}{
		{0.04, 4, 12, "0.05 0.1 0.2 0.5 1 2"},
		{0.9, 1100, 12, "1 2 5 10 20 50 100 200 500 1000"},
		{0.9, 1100, 5, "1 10 100 1000"},
		{1e-4, 0.01, 20, "10⁻⁴ 2×10⁻⁴ 5×10⁻⁴ 10⁻³ 2×10⁻³ 5×10⁻³ 10⁻²"},
		{1e-6, 1, 20, "10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰"},
		{1e-6, 1, 7, "10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰"},
		{1e-6, 1, 3, "10⁻⁶ 10⁻³ 10⁰"},
		{2.1, 4.9, 10, "2.5 3.0 3.5 4.0 4.5"},
		{31, 39, 10, "32 34 36 38"},
	} {
		if got := labels(logTicks(c.lo, c.hi, atMost(c.most))); got != c.want {
			t.Errorf("logTicks(%v, %v) = %q, want %q", c.lo, c.hi, got, c.want)
		}
	}
}

func TestScaleAndLabel(t *testing.T) {
	for _, c := range []struct {
		label, unit string
		top         float64
		want        string
		factor      float64
	}{
		{"half-open connections", "entries", 256, "half-open connections", 1},
		{"listen queue", "entries", 256, "listen queue (entries)", 1},
		{"connect latency", "s", 3, "connect latency (s)", 1},
		{"connect latency", "s", 0.03, "connect latency (ms)", 1e3},
		{"offset", "s", 2e-5, "offset (µs)", 1e6},
		{"success ratio", "ratio", 1, "success ratio", 1},
		{"connected", "ratio", 1, "connected (ratio)", 1},
		{"goodput", "bit/s", 9.4e7, "goodput (Mbit/s)", 1e-6},
		{"SYNs", "1/s", 5e4, "SYNs (10³/s)", 1e-3},
		{"SYNs", "1/s", 500, "SYNs (1/s)", 1},
		{"segments sent", "count", 3e6, "segments sent (10⁶)", 1e-6},
		{"queue", "packets", 3e6, "queue (10⁶ packets)", 1e-6},
		{"RTO", "s", 0, "RTO (s)", 1},
	} {
		sc := scaleFor(c.unit, c.top)
		if got := axisLabel(c.label, c.unit, sc); got != c.want {
			t.Errorf("label of %q in %s up to %v: %q, want %q", c.label, c.unit, c.top, got, c.want)
		}
		if math.Abs(sc.factor/c.factor-1) > 1e-12 {
			t.Errorf("%s up to %v: factor %v, want %v", c.unit, c.top, sc.factor, c.factor)
		}
	}
}

// A label that was given says what the axis has, whatever its scale.
func TestOwnLabel(t *testing.T) {
	for _, c := range []struct {
		label, unit string
		top         float64
		want        string
	}{
		{"time to connect (s)", "s", 3, "time to connect (s)"},
		{"time to connect (s)", "s", 0.3, "time to connect (ms)"},
		{"time to connect (ms)", "s", 0.3, "time to connect (ms)"},
		{"time to connect", "s", 0.3, "time to connect (ms)"},
		{"goodput (bit/s)", "bit/s", 2e6, "goodput (Mbit/s)"},
		{"SYNs (1/s)", "1/s", 5e4, "SYNs (10³/s)"},
		{"segments", "count", 3e6, "segments (10⁶)"},
		{"share", "ratio", 1, "share"},
	} {
		if got := ownLabel(c.label, c.unit, scaleFor(c.unit, c.top)); got != c.want {
			t.Errorf("label %q in %s up to %v: %q, want %q", c.label, c.unit, c.top, got, c.want)
		}
	}
}

// On a logarithmic axis small values keep their digits, too.
func TestLogScale(t *testing.T) {
	for _, c := range []struct {
		unit   string
		lo, hi float64
		want   string
	}{
		{"B", 1e3, 1e6, "kB"},
		{"B", 1e4, 1e6, "MB"},
		{"s", 4e-3, 1, "s"},
		{"s", 1e-3, 60, "ms"},
		{"1/s", 1, 1e6, "1/s"},
	} {
		if got := logScaleFor(c.unit, c.lo, c.hi); got.unit != c.want {
			t.Errorf("from %v to %v %s: %s, want %s", c.lo, c.hi, c.unit, got.unit, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"half-open connections", 1, "half-open connections"},
		{"legitimate connect success ratio", 2, "legitimate connect|success ratio"},
		{"queue (10⁶ packets)", 2, "queue|(10⁶ packets)"},
		{"one two", 5, "one|two"},
	} {
		if got := strings.Join(wrap(c.text, c.n), "|"); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.text, c.n, got, c.want)
		}
	}
}
