package plots

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"tcplab/scenarios/measure"
)

func chartOf(t *testing.T, data *Data, fig Figure, points int) *Chart {
	t.Helper()
	d, err := data.Draw(fig, Screen())
	if err != nil {
		t.Fatal(err)
	}
	return d.Chart(points)
}

// Every kind has a chart that JSON can hold, within its axes, and whose curves
// belong to entries of its legend.
func TestChartOfEveryKind(t *testing.T) {
	kindsSeen := map[string]bool{}
	for _, s := range gallery() {
		kindsSeen[s.fig.Kind] = true
		d, err := s.data.Draw(s.fig, Screen())
		if err != nil {
			t.Errorf("%s: %v", s.fig.Name, err)
			continue
		}
		c := d.Chart(8000)
		if _, err := json.Marshal(c); err != nil {
			t.Errorf("%s: %v", s.fig.Name, err)
		}
		if c.X.Label == "" || !(c.X.Lo < c.X.Hi) || len(c.Panels) == 0 {
			t.Errorf("%s: axis %+v, %d panels", s.fig.Name, c.X, len(c.Panels))
		}
		for i := range c.Panels {
			checkChartPanel(t, c, &c.Panels[i])
		}
	}
	for _, kind := range Kinds() {
		if !kindsSeen[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

func checkChartPanel(t *testing.T, c *Chart, p *ChartPanel) {
	t.Helper()
	some := len(p.Spans) + len(p.Boxes)
	if p.Cells != nil {
		some += len(p.Cells.Values)
	}
	for _, curve := range p.Curves {
		if curve.Dots != nil && strings.TrimPrefix(curve.Marker, "hollow-") == "" {
			t.Errorf("%s: dots of curve %q have no shape", c.Name, curve.Label)
		}
		some += len(curve.Dots) + len(curve.Bars)
		for _, lines := range [][]Coordinates{curve.Lines, curve.Lows, curve.Highs} {
			for _, l := range lines {
				some += len(l)
				for i := 0; i < len(l); i += 2 {
					if e := 1e-6 * (c.X.Hi - c.X.Lo); !c.X.Log && (l[i] < c.X.Lo-e || l[i] > c.X.Hi+e) {
						t.Errorf("%s: a point at %v, the axis is %v to %v", c.Name, l[i], c.X.Lo, c.X.Hi)
					}
					if i > 0 && l[i] < l[i-2] {
						t.Errorf("%s: a line runs back from %v to %v", c.Name, l[i-2], l[i])
					}
				}
			}
		}
		if len(c.Keys) > 0 && curve.Key == "" && len(p.Curves) > 1 {
			t.Errorf("%s: curve %q belongs to no entry of the legend", c.Name, curve.Label)
		}
	}
	if some == 0 {
		t.Errorf("%s: panel %q is empty", c.Name, p.Y.Label)
	}
}

// The curves of a chart have the values of the data, all of them if there are
// few.
func TestChartHasTheValues(t *testing.T) {
	s := measure.Series{Name: "a.b", Unit: "s", Label: "delay", Time: []float64{0, 0.1, 30, 60}, Value: []float64{0.2, 1.0 / 3, math.NaN(), 0.7}}
	c := chartOf(t, &Data{Result: &measure.Result{Series: []measure.Series{s}}}, Figure{Name: "x", Kind: "timeseries", Series: []string{"a.b"}}, 100)
	lines := c.Panels[0].Curves[0].Lines
	if len(lines) != 2 || !slices.EqualFunc(lines[0], []float64{0, 0.2, 0.1, 1.0 / 3}, near) || !slices.EqualFunc(lines[1], []float64{60, 0.7}, near) {
		t.Errorf("lines %v", lines)
	}
	if y := c.Panels[0].Y; y.Label != "delay (ms)" || y.ReadUnit != "ms" || y.ReadFactor != 1000 || c.X.ReadUnit != "s" || c.Points != 0 {
		t.Errorf("axes %+v and %+v, %d points left out", c.X, y, c.Points)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 2e-6*math.Max(1, math.Abs(b)) }

// Of many points a chart keeps few, the extremes among them, and says so.
func TestChartKeepsExtremes(t *testing.T) {
	s := measure.Series{Name: "a.b", Unit: "packets"}
	for i := range 200_000 {
		v := math.Sin(float64(i) / 1e4)
		switch i {
		case 77_777:
			v = 40
		case 123_456:
			v = -17
		}
		s.Time, s.Value = append(s.Time, float64(i)), append(s.Value, v)
	}
	c := chartOf(t, &Data{Result: &measure.Result{Series: []measure.Series{s}}}, Figure{Name: "x", Kind: "timeseries", Series: []string{"a.b"}}, 4000)
	lo, hi, n := math.Inf(1), math.Inf(-1), 0
	for _, l := range c.Panels[0].Curves[0].Lines {
		n += len(l) / 2
		for i := 1; i < len(l); i += 2 {
			lo, hi = min(lo, l[i]), max(hi, l[i])
		}
	}
	if n > 4400 || !near(lo, -17) || !near(hi, 40) || c.Points != 200_000 || c.Kept != n {
		t.Errorf("%d points from %v to %v; told are %d of %d", n, lo, hi, c.Kept, c.Points)
	}
}

func TestChartOfAHeatMap(t *testing.T) {
	sweep := planeSweep(4, 3)
	c := chartOf(t, &Data{Sweep: sweep}, Figure{Name: "x", Kind: "heatmap", Over: sweep.Params[0].Name, By: sweep.Params[1].Name, Series: []string{sweep.Metrics[0].Name}}, 100)
	cells := c.Panels[0].Cells
	if cells == nil || len(cells.Values) != 12 || len(cells.Columns) != 5 || len(cells.Rows) != 4 || len(cells.ColumnNames) != 4 {
		t.Fatalf("cells %+v", cells)
	}
	for _, pt := range sweep.Points {
		col, row := slices.Index(cells.ColumnNames, pt.Params[0].Text), slices.Index(cells.RowNames, pt.Params[1].Text)
		if got := cells.Values[row*4+col]; got == nil || !near(*got, pt.Metrics[0].Mean) {
			t.Errorf("cell %s, %s is %v, want %v", pt.Params[0].Text, pt.Params[1].Text, got, pt.Metrics[0].Mean)
		}
	}
}

// Of very many connections every so-maniest is shown.
func TestChartOfManyConnections(t *testing.T) {
	c := chartOf(t, &Data{Lifetimes: lifetimes(9000)}, Figure{Name: "x", Kind: "gantt"}, 8000)
	p := c.Panels[0]
	if len(p.Spans) > mostSpans || len(p.Spans) < mostSpans/4 || c.Kept >= c.Points || c.Points == 0 {
		t.Errorf("%d spans, %d of %d", len(p.Spans), c.Kept, c.Points)
	}
	for _, s := range p.Spans {
		if s.Row < 0 || s.Row >= len(p.Rows) || s.From > s.Until {
			t.Fatalf("span %+v in %d rows", s, len(p.Rows))
		}
	}
}

// A drawing without axes has no chart.
func TestNoChartOfALadder(t *testing.T) {
	if c := (&Drawing{}).Chart(100); c != nil {
		t.Errorf("%+v", c)
	}
}
