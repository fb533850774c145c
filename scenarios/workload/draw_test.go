package workload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"tcplab/scenarios/quantity"
)

// files is what a World opens.
func files(texts map[string]string) *World {
	return &World{FileData: func(name quantity.File) ([]byte, error) {
		text, ok := texts[string(name)]
		if !ok {
			return nil, fmt.Errorf("no file %s", name)
		}
		return []byte(text), nil
	}}
}

// TestSizes: what is drawn has the distribution function of the law, by the
// distance of Kolmogorov and Smirnov.
func TestSizes(t *testing.T) {
	w := files(map[string]string{
		"samples.txt": "1kB\n\n3kB # twice\n3kB\n10kB\n",
		"cdf.txt":     "# web search\n1kB 0.2\n2kB 0.2\n10kB 1\n",
	})
	bounded := func(x float64) float64 {
		return (1 - math.Pow(1000/x, 1.2)) / (1 - math.Pow(1000.0/100_000, 1.2))
	}
	for text, cdf := range map[string]func(x float64) float64{
		"exponential 10kB":      distuv.Exponential{Rate: 1e-4}.CDF,
		"uniform 1kB 9kB":       distuv.Uniform{Min: 1000, Max: 9001}.CDF,
		"pareto 1.2 1kB":        distuv.Pareto{Xm: 1000, Alpha: 1.2}.CDF,
		"pareto 1.2 1kB 100kB":  bounded,
		"lognormal 10kB 1.5":    distuv.LogNormal{Mu: math.Log(10_000), Sigma: 1.5}.CDF,
		"choice 3 1kB 1 100kB":  steps(map[float64]float64{1000: 0.75, 100_000: 1}),
		"file samples.txt":      steps(map[float64]float64{1000: 0.25, 3000: 0.75, 10_000: 1}),
		"file cdf.txt":          func(x float64) float64 { return piecewise(x) },
		"pareto 2 1000B 1001B":  nil,
		"lognormal 1000B 0.05":  distuv.LogNormal{Mu: math.Log(1000), Sigma: 0.05}.CDF,
		"exponential 1000000kB": distuv.Exponential{Rate: 1e-9}.CDF,
	} {
		law, err := quantity.ParseSizes(text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.newSizes(law, rand.New(rand.NewPCG(3, 5)))
		if err != nil {
			t.Fatal(err)
		}
		const n = 40_000
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(v.next())
		}
		slices.Sort(x)
		if cdf == nil {
			if x[0] < 1000 || x[n-1] > 1001 {
				t.Errorf("%s: from %v to %v", text, x[0], x[n-1])
			}
			continue
		}
		distance := 0.0
		for i := 0; i < n; {
			j := i
			for j < n && x[j] == x[i] {
				j++
			}
			// Whole bytes: the true share up to half a byte more.
			distance = max(distance, math.Abs(cdf(x[i]+0.5)-float64(j)/n))
			i = j
		}
		// Kolmogorov: P(sqrt(n) D > 1.95) = 0.001; discrete laws stay below.
		if d := distance * math.Sqrt(n); d > 1.95 {
			t.Errorf("%s: sqrt(n) D = %v", text, d)
		}
	}
}

func steps(at map[float64]float64) func(float64) float64 {
	return func(x float64) float64 {
		share := 0.0
		for v, s := range at {
			if v <= x {
				share = max(share, s)
			}
		}
		return share
	}
}

// piecewise is the distribution function of cdf.txt.
func piecewise(x float64) float64 {
	switch {
	case x < 1000:
		return 0
	case x < 2000:
		return 0.2
	default:
		return min(1, 0.2+0.8*(x-2000)/8000)
	}
}

// TestPower: exp and ln are those of the standard library up to the last bits.
func TestPower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-600, 600).Draw(t, "x")
		if got, want := power(x), math.Exp(x); math.Abs(got/want-1) > 1e-14 {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
		y := rapid.Float64Range(1e-6, 1e12).Draw(t, "y")
		if got, want := logarithm(y), math.Log(y); math.Abs(got-want) > 1e-13*math.Max(1, math.Abs(want)) {
			t.Errorf("ln(%v) = %v, want %v", y, got, want)
		}
	})
}

// TestFiles: what is wrong with a file is said with its line.
func TestFiles(t *testing.T) {
	w := files(map[string]string{"unit": "1kB\n100\n", "order": "1kB 0.5\n2kB 0.4\n", "open": "1kB 0.5\n", "mixed": "1kB 1\n2kB\n",
		"empty": "# nothing\n", "back": "2\n1.5s\n", "words": "1 2\n", "good": "0.5\n1500ms # late\n"})
	for name, want := range map[string]string{"unit": "unit:2: ", "order": "order:2: the share", "open": "the last share is 0.5",
		"mixed": "mixed:2: ", "empty": "no values", "none": "no file none"} {
		_, err := w.newSizes(quantity.Sizes{Law: quantity.Empirical, File: quantity.File(name)}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want ...%s...", name, err, want)
		}
	}
	for name, want := range map[string]string{"back": "back:2: 1.5s is before", "words": "words:1: 2 words", "empty": "no times"} {
		if _, err := w.readTimes(quantity.File(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want ...%s...", name, err, want)
		}
	}
	g, err := w.newArrivals(quantity.Arrivals{Law: quantity.FromFile, File: "good"}, 2, 7e9, nil)
	var got []string
	for range 5 {
		got = append(got, fmt.Sprint(int64(g.arrival())))
	}
	if want := "7500000000 7500000000 8500000000 8500000000 9223372036854775807"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("got %v (%v), want %s", got, err, want)
	}
}
