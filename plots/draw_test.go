package plots

import (
	"bytes"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// A line of a contour lies where the interpolated values are the level, and
// every edge that the level crosses is on one.
func TestContour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := grid{columns: rapid.IntRange(1, 9).Draw(t, "columns"), rows: rapid.IntRange(1, 9).Draw(t, "rows")}
		n := g.columns * g.rows
		g.values = rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Just(math.NaN())), n, n).Draw(t, "values")
		const level = 0.5
		points := map[gridPoint]bool{}
		for _, line := range g.contour(level) {
			if len(line) < 2 {
				t.Fatalf("a line of %d points", len(line))
			}
			for i, q := range line {
				points[q] = true
				c, r := int(q.column), int(q.row)
				a, part := g.at(c, r), 0.0
				b := a
				switch {
				case q.column > float64(c):
					b, part = g.at(c+1, r), q.column-float64(c)
				case q.row > float64(r):
					b, part = g.at(c, r+1), q.row-float64(r)
				}
				if v := a + part*(b-a); math.Abs(v-level) > 1e-9 {
					t.Fatalf("at %v the value is %v", q, v)
				}
				if i > 0 && (math.Abs(q.column-line[i-1].column) > 1 || math.Abs(q.row-line[i-1].row) > 1) {
					t.Fatalf("a jump from %v to %v", line[i-1], q)
				}
			}
		}
		for r := range g.rows - 1 {
			for c := range g.columns - 1 {
				square := []float64{g.at(c, r), g.at(c+1, r), g.at(c+1, r+1), g.at(c, r+1)}
				whole := true
				for _, v := range square {
					whole = whole && !math.IsNaN(v)
				}
				if a, b := square[0], square[1]; whole && (a >= level) != (b >= level) {
					q := gridPoint{float64(c) + (level-a)/(b-a), float64(r)}
					if !points[q] {
						t.Fatalf("no line through %v", q)
					}
				}
			}
		}
	})
}

func linear(v uint8) float64 {
	s := float64(v) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

// lab is CIE L*a*b* with D65, a measure that the map was not made with.
func lab(c color.NRGBA) [3]float64 {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124*r + 0.3576*g + 0.1805*b) / 0.95047)
	y := f(0.2126*r + 0.7152*g + 0.0722*b)
	z := f((0.0193*r + 0.1192*g + 0.9505*b) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// deuteranope is what an eye without green cones sees (Viénot, Brettel, Mollon
// 1999).
func deuteranope(c color.NRGBA) color.NRGBA {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	back := func(v float64) uint8 { return gamma(v) }
	rg := 0.29275*r + 0.70725*g
	return color.NRGBA{R: back(rg), G: back(rg), B: back(-0.02234*r + 0.02234*g + b), A: 0xFF}
}

// Equal steps look about equal, lightness always rises, also for colour-blind
// readers, and no colour is cut off at the border of what a screen can show.
func TestColormap(t *testing.T) {
	for _, view := range []func(color.NRGBA) color.NRGBA{func(c color.NRGBA) color.NRGBA { return c }, deuteranope} {
		least, most := math.Inf(1), 0.0
		for i := 16; i < len(colormap); i += 16 {
			a, b := lab(view(colormap[i-16])), lab(view(colormap[i]))
			if b[0] < a[0]+1 {
				t.Errorf("lightness goes from %.1f to %.1f at step %d", a[0], b[0], i)
			}
			d := math.Hypot(math.Hypot(b[0]-a[0], b[1]-a[1]), b[2]-a[2])
			least, most = min(least, d), max(most, d)
		}
		if most > 2.2*least {
			t.Errorf("the largest step is %.2f, the smallest %.2f", most, least)
		}
	}
	for i, c := range colormap {
		for _, v := range []uint8{c.R, c.G, c.B} {
			if (v == 0 || v == 255) && i > 2 && i < 253 {
				t.Errorf("colour %d is %v: out of the gamut", i, c)
			}
		}
	}
}

// Of a million points so many are left as the page can show, and none of them
// has no neighbour that was kept.
func TestSpotsThinPoints(t *testing.T) {
	area := vg.Rectangle{Min: vg.Point{X: 10, Y: 20}, Max: vg.Point{X: 210, Y: 120}}
	const size = 1.2
	s := newSpots(area, size)
	cell := float64(s.cell)
	state := uint64(1)
	next := func() float64 {
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11) / (1 << 53)
	}
	for range 1_000_000 {
		s.add(vg.Point{X: 10 + vg.Length(next()*200), Y: 20 + vg.Length(next()*100)})
	}
	s.add(vg.Point{X: 5, Y: 50}) // outside
	most := int(200/cell+1) * int(100/cell+1)
	if len(s.kept) > most || len(s.kept) < most*9/10 {
		t.Errorf("%d points are kept, want about %d", len(s.kept), most)
	}
	for _, p := range s.kept {
		if p.X < 10 {
			t.Errorf("a point outside is kept: %v", p)
		}
	}
	before := len(s.kept)
	for range 1000 {
		s.add(vg.Point{X: 100, Y: 100})
	}
	if len(s.kept) > before+1 {
		t.Error("a repeated point is kept again")
	}
}

// Merged bars cover what the bars cover, with few left.
func TestMergeBars(t *testing.T) {
	var bars []bar
	for i := range 100_000 {
		bars = append(bars, bar{float64(i % 100), float64(i / 100), float64(i/100) + 1})
	}
	merged := mergeBars(bars, func(x float64) int { return int(x) / 2 }, 0)
	if len(merged) != 50 {
		t.Fatalf("%d bars, want 50", len(merged))
	}
	for _, b := range merged {
		if b.low != 0 || b.high != 1000 {
			t.Errorf("a bar from %v to %v, want 0 to 1000", b.low, b.high)
		}
	}
	apart := []bar{}
	for i := range 600 {
		apart = append(apart, bar{0, float64(i * 10), float64(i*10) + 1})
	}
	if n := len(mergeBars(apart, func(float64) int { return 0 }, 0)); n != 600 {
		t.Errorf("%d bars with gaps between them, want 600", n)
	}
	if n := len(mergeBars(apart, func(float64) int { return 0 }, 9)); n != 1 {
		t.Errorf("%d bars if the gaps are not seen, want 1", n)
	}
}

// A shade of many points is painted as one of few is.
func TestShadesOfManyPointsLookTheSame(t *testing.T) {
	paint := func(n int) *Drawing {
		d := &Drawing{Width: 100, Height: 60, dpi: 72}
		var low, high []vg.Point
		for i := range n + 1 {
			x := vg.Length(10 + 80*float64(i)/float64(n))
			low = append(low, vg.Point{X: x, Y: 10 + x/10})
			high = append(high, vg.Point{X: x, Y: 50.5 - x/8})
		}
		d.shade(rgb(0x0072B2), low, high)
		return d
	}
	few, many := paint(1).raster(32), paint(1000).raster(32)
	for y := range 60 {
		for x := range 100 {
			r1, _, _, _ := few.At(x, y).RGBA()
			r2, _, _, _ := many.At(x, y).RGBA()
			if d := int(r1>>8) - int(r2>>8); d > 12 || d < -12 {
				t.Fatalf("pixel %d, %d: %d and %d", x, y, r1>>8, r2>>8)
			}
		}
	}
}

func TestClipLines(t *testing.T) {
	at := func(v ...float64) (line []vg.Point) {
		for i := 0; i < len(v); i += 2 {
			line = append(line, asPoint(v[i], v[i+1]))
		}
		return line
	}
	got := clipLines([][]vg.Point{at(0, -10, 10, 10, 20, 30, 30, 5), at(0, 1, 5, 2), at(0, 50, 5, 60)}, 0, 20)
	want := [][]vg.Point{at(5, 0, 10, 10, 15, 20), at(24, 20, 30, 5), at(0, 1, 5, 2)}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		for j := range want[i] {
			if got[i][j] != want[i][j] {
				t.Errorf("%v, want %v", got, want)
			}
		}
	}
}

func TestEPS(t *testing.T) {
	d, err := (&Data{Sweep: planeSweep(5, 5)}).Draw(Figure{Kind: "heatmap", Title: `A (b) \λ`, Series: []string{"legit.first_syn_accepted"}, Over: "flood_rate", By: "backlog"}, IEEE())
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.EPS()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"%!PS-Adobe-3.0 EPSF-3.0\n", "%%BoundingBox: 0 0 252 ", "%%Title: (A ?b? ??)", "/ASCII85Decode filter /FlateDecode filter >> image", "~>\n", "\n%%EOF\n"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("no %q", want)
		}
	}
	for i, line := range bytes.Split(out, []byte("\n")) {
		if len(line) > 255 && !bytes.Contains(line, []byte("/Indexed")) {
			t.Errorf("line %d has %d characters; some readers take no more than 255", i, len(line))
		}
		for _, b := range line {
			if b > 126 || b < ' ' {
				t.Fatalf("line %d has byte %d", i, b)
			}
		}
	}
	if opened, closed := bytes.Count(out, []byte("gsave")), bytes.Count(out, []byte("grestore")); opened != closed {
		t.Errorf("%d gsave, %d grestore", opened, closed)
	}
}

func TestTeX(t *testing.T) {
	for text, want := range map[string]string{
		"10⁻⁶ bit/s":       `10$^{-6}$ bit/s`,
		"−5":               `$-$5`,
		"2×10³":            `2$\times$10$^{3}$`,
		`50% of a_b & {c}`: `50\% of a\_b \& \{c\}`,
		"µs, λ·(1 − p)":    `$\mu$s, $\lambda$$\cdot$(1 $-$ p)`,
		`\input{x}`:        `\textbackslash{}input\{x\}`,
	} {
		if got := teXText(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	d, err := Draw(floodResult(), floodFigure(), IEEE())
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.TeX()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	if n := strings.Count(text, `\pgftext[`); n != len(d.labels) {
		t.Errorf("%d texts, want %d", n, len(d.labels))
	}
	if !strings.Contains(text, "rotate=90") || !strings.Contains(text, "backlog 256") {
		t.Error("no turned text, or none of the limit")
	}
	depth := 0
	for _, brace := range regexp.MustCompile(`\\.|[{}]`).FindAllString(text, -1) {
		switch brace {
		case "{":
			depth++
		case "}":
			depth--
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		t.Errorf("braces do not match: %d", depth)
	}
}
