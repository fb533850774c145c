package plots

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// row is a row of testdata/theory.csv.
type row struct {
	id, expected, kind, tolerance string
	args                          map[string]string
}

func (r row) arg(t *testing.T, name string) float64 {
	if r.args[name] == "inf" {
		return math.Inf(1)
	}
	return parse(t, r.args[name])
}

func parse(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func theoryRows(t *testing.T) []row {
	f, err := os.Open("testdata/theory.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, r := range records[1:] {
		args := map[string]string{}
		for _, pair := range strings.Split(r[2], ";") {
			name, value, _ := strings.Cut(pair, "=")
			args[name] = value
		}
		rows = append(rows, row{r[0], r[5], r[6], r[7], args})
	}
	return rows
}

// The value of a row by the functions of this package.
func closedFormOf(t *testing.T, r row) float64 {
	family, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.id, "B-"), "S-"), "-")
	switch family {
	case "ERL":
		return ErlangB(r.arg(t, "lam")*r.arg(t, "lifetime_s"), r.arg(t, "backlog"))
	case "CRIT":
		return ErlangBLoad(r.arg(t, "target_block"), r.arg(t, "backlog")) / r.arg(t, "lifetime_s")
	case "LIFE", "LIFE3":
		return HalfOpenLifetime(r.arg(t, "init_rto"), r.arg(t, "synack_retries"))
	case "DET1", "DET2":
		return MathisWindow(r.arg(t, "p"), parse(t, family[3:]))
	case "RAND1", "RAND2":
		return OttWindow(r.arg(t, "p"), parse(t, family[4:]))
	case "PFTK", "PFTKs":
		f := PFTK
		if family == "PFTKs" {
			f = PFTKApprox
		}
		return f(r.arg(t, "p"), r.arg(t, "rtt"), r.arg(t, "T0"), r.arg(t, "b"), r.arg(t, "wmax"))
	case "TFRC":
		return TFRC(r.arg(t, "s"), r.arg(t, "R"), r.arg(t, "tRTO"), r.arg(t, "b"), r.arg(t, "p"))
	case "9438":
		p, alg := r.arg(t, "p"), r.args["alg"]
		switch {
		case strings.HasPrefix(alg, "reno"):
			return RenoWindow(p)
		case strings.HasPrefix(alg, "hstcp"):
			return HighSpeedWindow(p)
		}
		c, rtt, _ := strings.Cut(strings.TrimPrefix(alg, "cubic-C"), "-rtt")
		return CubicWindow(p, parse(t, rtt), parse(t, c), 0.7)
	}
	t.Fatalf("%s: no formula for %s (%s)", r.id, family, rest)
	return 0
}

func TestClosedFormsAgreeWithTheValidationSet(t *testing.T) {
	rows := theoryRows(t)
	if len(rows) < 60 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, r := range rows {
		want := parse(t, r.expected)
		got := closedFormOf(t, r)
		// The tolerances of the set are those of simulations; a function has
		// the printed digits, but where the set has those of a table.
		allowed := 1e-6 * math.Abs(want)
		if strings.HasPrefix(r.id, "S-9438") {
			allowed = parse(t, r.tolerance)
		}
		if !(math.Abs(got-want) <= allowed) {
			t.Errorf("%s: %.9g, want %.9g ± %.2g", r.id, got, want, allowed)
		}
	}
}

func TestErlangB(t *testing.T) {
	for _, c := range []struct{ load, slots, want float64 }{
		{0, 0, 1}, {0, 5, 0}, {1, 0, 1}, {1, 1, 0.5}, {1, 2, 0.2},
		{1e-3, 1e6, 0}, {1e12, 100, 1 - 1e-10},
	} {
		if got := ErlangB(c.load, c.slots); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("ErlangB(%v, %v) = %v, want %v", c.load, c.slots, got, c.want)
		}
	}
	if v := ErlangB(-1, 5); !math.IsNaN(v) {
		t.Errorf("a negative load: %v, want NaN", v)
	}
	rapid.Check(t, func(t *rapid.T) {
		load := math.Pow(10, rapid.Float64Range(-3, 4).Draw(t, "load"))
		slots := float64(rapid.IntRange(0, 5000).Draw(t, "slots"))
		b := ErlangB(load, slots)
		if !(b >= 0 && b <= 1) || ErlangB(load, slots+1) > b || ErlangB(load*1.1, slots) < b {
			t.Fatalf("ErlangB(%v, %v) = %v: not a probability, or not monotone", load, slots, b)
		}
		if least := 1 - slots/load; b < least-1e-12 {
			t.Fatalf("ErlangB(%v, %v) = %v: more is carried than there are slots", load, slots, b)
		}
		if b > 1e-6 && b < 0.99 {
			if back := ErlangBLoad(b, slots); math.Abs(back-load) > 1e-6*load {
				t.Fatalf("ErlangBLoad(%v, %v) = %v, want %v", b, slots, back, load)
			}
		}
	})
}
