package plots

import (
	"iter"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"

	"tcplab/scenarios/measure"
)

func pairs(x, y []float64) iter.Seq2[float64, float64] {
	return func(yield func(x, y float64) bool) {
		for i := range x {
			if !yield(x[i], y[i]) {
				return
			}
		}
	}
}

func asPoint(x, y float64) vg.Point { return vg.Point{X: vg.Length(x), Y: vg.Length(y)} }

// Whatever the values, the lowest and the highest of every pixel column are
// kept, nothing is made up, and no column keeps more than four points of a line.
func TestThinKeepsExtremesOfEveryColumn(t *testing.T) {
	const columns = 40
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1500).Draw(t, "points")
		steps := rapid.SliceOfN(rapid.Float64Range(0, 3*columns*columnWidth/float64(n)), n, n).Draw(t, "steps")
		y := rapid.SliceOfN(rapid.OneOf(
			rapid.Float64Range(-100, 100),
			rapid.SampledFrom([]float64{math.NaN(), 0, 1}),
		), n, n).Draw(t, "y")
		x := make([]float64, n)
		at := 0.0
		for i := range x {
			at += steps[i]
			x[i] = at
		}
		right := vg.Length(columns * columnWidth)
		lines := thin(pairs(x, y), 0, right, asPoint)

		column := func(p vg.Point) int { return int(p.X / columnWidth) }
		lowest, highest := map[int]vg.Length{}, map[int]vg.Length{}
		note := func(p vg.Point) {
			c := column(p)
			if _, ok := lowest[c]; !ok {
				lowest[c], highest[c] = p.Y, p.Y
			}
			lowest[c], highest[c] = min(lowest[c], p.Y), max(highest[c], p.Y)
		}
		input := map[vg.Point]bool{}
		for i := range x {
			if p := asPoint(x[i], y[i]); !math.IsNaN(y[i]) && p.X <= right {
				input[p] = true
				note(p)
			}
		}
		keptLow, keptHigh := map[int]vg.Length{}, map[int]vg.Length{}
		for _, line := range lines {
			count := map[int]int{}
			for i, p := range line {
				if i > 0 && p.X < line[i-1].X && column(p) != column(line[i-1]) {
					t.Fatalf("line runs backwards at %v", p)
				}
				if !input[p] && p.X != right { // the border cuts lines
					t.Fatalf("point %v was not in the input", p)
				}
				c := column(p)
				if count[c]++; count[c] > 4 && p.X != right {
					t.Fatalf("column %d keeps more than 4 points", c)
				}
				if !input[p] {
					continue
				}
				if _, ok := keptLow[c]; !ok {
					keptLow[c], keptHigh[c] = p.Y, p.Y
				}
				keptLow[c], keptHigh[c] = min(keptLow[c], p.Y), max(keptHigh[c], p.Y)
			}
		}
		for c := range lowest {
			// The last column ends at the border, where a cut line adds a point.
			if c >= columns {
				continue
			}
			if keptLow[c] != lowest[c] || keptHigh[c] != highest[c] {
				t.Fatalf("column %d: kept %v to %v of %v to %v", c, keptLow[c], keptHigh[c], lowest[c], highest[c])
			}
		}
	})
}

func TestThinBreaksAtNaNAndCutsAtBorders(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		x, y []float64
		want [][]vg.Point
	}{
		{"gap", []float64{1, 2, 3, 4, 5}, []float64{1, 2, nan, 4, 5},
			[][]vg.Point{{{X: 1, Y: 1}, {X: 2, Y: 2}}, {{X: 4, Y: 4}, {X: 5, Y: 5}}}},
		{"all missing", []float64{1, 2}, []float64{nan, nan}, nil},
		{"single points", []float64{1, 2, 3}, []float64{1, nan, 3}, [][]vg.Point{{{X: 1, Y: 1}}, {{X: 3, Y: 3}}}},
		{"from outside to outside", []float64{-10, 20}, []float64{0, 30}, [][]vg.Point{{{X: 0, Y: 10}, {X: 10, Y: 20}}}},
		{"enters", []float64{-2, 2, 4}, []float64{0, 4, 5}, [][]vg.Point{{{X: 0, Y: 2}, {X: 2, Y: 4}, {X: 4, Y: 5}}}},
		{"leaves", []float64{8, 12, 14}, []float64{0, 4, 5}, [][]vg.Point{{{X: 8, Y: 0}, {X: 10, Y: 2}}}},
		{"outside", []float64{-3, -2, 11, 12}, []float64{1, nan, 3, 4}, nil},
	} {
		got := thin(pairs(c.x, c.y), 0, 10, asPoint)
		if !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// A million points come down to what a page can show, and the one sample that
// stands out is still there, at the height where the axis has it.
func TestMillionPointsKeepASpike(t *testing.T) {
	const n, spikeAt = 1_000_000, 777_777
	s := measure.Series{Name: "link.queue", Unit: "packets", Label: "queued packets"}
	for i := range n {
		s.Time = append(s.Time, float64(i)*1e-4)
		s.Value = append(s.Value, float64(i*7919%50))
	}
	s.Value[spikeAt] = 100
	d, err := Draw(&measure.Result{Series: []measure.Series{s}}, Figure{Kind: "timeseries", Series: []string{s.Name}}, IEEE())
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	var top vg.Point
	for _, m := range d.marks {
		if m.color == looks[0].color {
			points += len(m.path)
			for _, c := range m.path {
				if c.Pos.Y > top.Y {
					top = c.Pos
				}
			}
		}
	}
	if most := int(4 * d.Width / columnWidth); points > most || points < 1000 {
		t.Errorf("%d points are drawn, want 1000 to %d", points, most)
	}
	axisTop := vg.Length(0) // the middle of the vertical axis' label 100
	for _, l := range d.labels {
		if l.text == "100" {
			axisTop = max(axisTop, (l.box.Min.Y+l.box.Max.Y)/2)
		}
	}
	if math.Abs(float64(top.Y-axisTop)) > 0.3 {
		t.Errorf("the spike of 100 is at height %.2f, its tick label at %.2f", top.Y, axisTop)
	}
}
