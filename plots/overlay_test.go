package plots

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func floodBinder() binder {
	return binder{
		over:      Column{Name: "flood_rate", Unit: "1/s"},
		metric:    Column{Name: "legit.first_syn_accepted", Unit: "ratio"},
		vars:      map[string]bool{"flood_rate": true, "backlog": true, "rtt": true},
		constants: map[string]float64{"rtt": 0.05},
	}
}

func TestTheory(t *testing.T) {
	vars := map[string]float64{"flood_rate": 5, "backlog": 128}
	block := ErlangB(5*63, 128)
	for _, c := range []struct {
		formula, label string
		want           float64
	}{
		{"erlang_b", "Erlang B", 1 - block}, // what is accepted, as the metric
		{"1 - erlang_b(flood_rate * 63s, backlog)", "Erlang B", 1 - block},
		{"erlang_b(flood_rate*half_open_lifetime(1s,5),backlog)", "Erlang B", block},
		{"mathis(1%, 1)", "Mathis et al.", math.Sqrt(150)},
		{"mathis(0.01, 2) * 1448B * 8 / rtt", "Mathis et al.", math.Sqrt(75) * 1448 * 8 / 0.05},
		{"max(cubic(1%, 100ms, 0.4, 0.7), mathis(1%, 1))", "RFC 9438", max(CubicWindow(0.01, 0.1, 0.4, 0.7), math.Sqrt(150))},
		{"pftk(0.01, 100ms, 1s, 1, inf)", "PFTK", PFTK(0.01, 0.1, 1, 1, math.Inf(1))},
		{"min(2, 3) + max(2, 3) * sqrt(16) - pow(2, 3)", "theory", 6},
		{"10ms + 20/s + 1kB", "theory", 0.01 + 20 + 1000},
		{"2", "theory", 2},
		{"flood_rate > 3 ? 1.5 : 2.5", "theory", 1.5},
	} {
		th := Theory{Formula: c.formula}
		f, err := th.compile(floodBinder())
		if err != nil {
			t.Errorf("%s: %v", c.formula, err)
			continue
		}
		if got := f.at(vars); math.Abs(got-c.want) > 1e-12*math.Abs(c.want) || f.label != c.label {
			t.Errorf("%s = %v (%s), want %v (%s)", c.formula, got, f.label, c.want, c.label)
		}
	}
}

// A name alone is bound for the metric: windows become rates.
func TestTheoryByName(t *testing.T) {
	bind := binder{
		over:      Column{Name: "loss", Unit: "ratio"},
		metric:    Column{Name: "flow.goodput", Unit: "bit/s"},
		vars:      map[string]bool{"loss": true, "rtt": true, "mss": true},
		constants: map[string]float64{"rtt": 0.05, "mss": 1448},
	}
	for name, want := range map[string]float64{
		"mathis":      MathisWindow(0.01, 1) / 0.05 * 1448 * 8,
		"ott":         OttWindow(0.01, 1) / 0.05 * 1448 * 8,
		"cubic":       CubicWindow(0.01, 0.05, 0.4, 0.7) / 0.05 * 1448 * 8,
		"highspeed":   HighSpeedWindow(0.01) / 0.05 * 1448 * 8,
		"pftk":        PFTK(0.01, 0.05, 1, 1, math.Inf(1)) * 1448 * 8,
		"pftk_approx": PFTKApprox(0.01, 0.05, 1, 1, math.Inf(1)) * 1448 * 8,
		"tfrc":        TFRC(1448, 0.05, 1, 1, 0.01) * 8,
	} {
		th := Theory{Formula: name}
		f, err := th.compile(bind)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := f.at(map[string]float64{"loss": 0.01}); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	bind.metric = Column{Name: "flow.cwnd_mean", Unit: "packets"}
	th := Theory{Formula: "mathis"}
	f, err := th.compile(bind)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.at(map[string]float64{"loss": 0.01}), MathisWindow(0.01, 1); math.Abs(got-want) > 1e-9 {
		t.Errorf("a window in packets: %v, want %v", got, want)
	}
}

func TestTheoryErrors(t *testing.T) {
	bare := binder{over: Column{Name: "x"}, metric: Column{Name: "a.b"}, vars: map[string]bool{"x": true}}
	for _, c := range []struct {
		formula string
		want    string
	}{
		{"erlang_c", "erlang_c"},
		{"", "1 to 1000 characters"},
		{strings.Repeat("1+", 600) + "1", "1 to 1000 characters"},
		{"erlang_b", "rate * lifetime"},
		{"mathis", "no parameter gives p (looked for p, loss"},
		{"erlang_b(x)", "not enough arguments"},
		{"flood + 1", "it may use x"},
		{"10parsec * x", "10parsec"},
		{"len([1,2])", "len"},
		{"x +", "unexpected"},
		{`"text"`, "string"},
	} {
		th := Theory{Formula: c.formula}
		_, err := th.compile(bare)
		if err == nil || !errors.Is(err, ErrTheory) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.formula, err, c.want)
		}
	}
}

func FuzzTheory(f *testing.F) {
	for _, s := range []string{"erlang_b", "1 - erlang_b(flood_rate * 63s, backlog)", "mathis(1%, 1)/rtt", "2**3", "a ? b : c", "1e400", "0x1p"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, formula string) {
		th := Theory{Formula: formula}
		form, err := th.compile(floodBinder())
		if err != nil {
			if !errors.Is(err, ErrTheory) {
				t.Errorf("%q: %v does not say that it is about a theory", formula, err)
			}
			return
		}
		form.at(map[string]float64{"flood_rate": 5, "backlog": 128})
	})
}
