package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Drawing is a figure laid out on its page: paths to fill or stroke, in the
// order in which they are painted. All formats paint the same paths.
type Drawing struct {
	// Name and Title are those of the figure.
	Name, Title string
	// Width and Height are the size of the page in points.
	Width, Height float64

	dpi    int
	face   *typeface
	marks  []mark
	labels []placedText
	data   table
	err    error
	stack  *stack // of a figure with axes
}

// A mark is one path, filled if stroke is 0, or a picture.
type mark struct {
	path   vg.Path
	color  color.NRGBA
	stroke vg.Length
	dashes []vg.Length
	// text is what a filled path writes, for formats that set it themselves.
	text *setting
	// low and high are the borders that a path runs between, from left to right.
	low, high []vg.Point
	// picture fills the box.
	picture *image.Paletted
	box     vg.Rectangle
}

// A setting is a text with its place.
type setting struct {
	text  string
	style textStyle
	at    vg.Point
	width float64
}

// A placedText is a piece of text on the page, for checks that none is cut or
// covered.
type placedText struct {
	text string
	box  vg.Rectangle
}

func (d *Drawing) fill(c color.NRGBA, p vg.Path) {
	d.marks = append(d.marks, mark{path: p, color: c})
}

func (d *Drawing) rect(c color.NRGBA, r vg.Rectangle) {
	d.fill(c, r.Path())
}

// picture fills a box with an image.
func (d *Drawing) picture(img *image.Paletted, box vg.Rectangle) {
	d.marks = append(d.marks, mark{picture: img, box: box})
}

// line strokes the points in order. Dashes are in multiples of the width.
func (d *Drawing) line(c color.NRGBA, width float64, dashes []float64, pts ...vg.Point) {
	if len(pts) < 2 {
		return
	}
	p := make(vg.Path, 0, len(pts))
	p.Move(pts[0])
	for _, q := range pts[1:] {
		p.Line(q)
	}
	m := mark{path: p, color: c, stroke: vg.Length(width)}
	for _, v := range dashes {
		m.dashes = append(m.dashes, vg.Length(v*width))
	}
	d.marks = append(d.marks, m)
}

// shade fills the area between two lines that run from left to right.
func (d *Drawing) shade(c color.NRGBA, low, high []vg.Point) {
	if len(low) < 2 || len(high) < 2 {
		return
	}
	d.marks = append(d.marks, mark{path: between(low, high), color: c, low: low, high: high})
}

// between is the outline of the area between two lines.
func between(low, high []vg.Point) vg.Path {
	p := make(vg.Path, 0, len(low)+len(high)+1)
	p.Move(low[0])
	for _, q := range low[1:] {
		p.Line(q)
	}
	for i := len(high) - 1; i >= 0; i-- {
		p.Line(high[i])
	}
	p.Close()
	return p
}

// stroke strokes a path.
func (d *Drawing) stroke(c color.NRGBA, width float64, p vg.Path) {
	d.marks = append(d.marks, mark{path: p, color: c, stroke: vg.Length(width)})
}

// dot fills a circle: what is left of a line of a single point.
func (d *Drawing) dot(c color.NRGBA, radius float64, at vg.Point) {
	d.fill(c, circlePath(at, radius))
}

func circlePath(at vg.Point, radius float64) vg.Path {
	const k = 0.5522847498 // control points of a quarter of a circle
	r, h := vg.Length(radius), vg.Length(radius*k)
	p := vg.Path{}
	p.Move(at.Add(vg.Point{X: r}))
	for _, q := range [4][3]vg.Point{
		{{X: r, Y: h}, {X: h, Y: r}, {Y: r}},
		{{X: -h, Y: r}, {X: -r, Y: h}, {X: -r}},
		{{X: -r, Y: -h}, {X: -h, Y: -r}, {Y: -r}},
		{{X: h, Y: -r}, {X: r, Y: -h}, {X: r}},
	} {
		p.CubeTo(at.Add(q[0]), at.Add(q[1]), at.Add(q[2]))
	}
	p.Close()
	return p
}

// A textStyle says how a text lies at its point: Align 0 starts there, 0.5 is
// centred and 1 ends there. The point is on the base line. Up turns the text a
// quarter to the left.
type textStyle struct {
	size  float64
	align float64
	up    bool
	color color.NRGBA
}

// textWidth is the width of a line of text in points. Text that the font cannot
// set makes the drawing fail.
func (d *Drawing) textWidth(text string, size float64) float64 {
	_, w, err := d.face.set(text)
	d.fail(err)
	return w * size
}

func (d *Drawing) text(text string, st textStyle, at vg.Point) {
	p, box := d.setText(text, st, at)
	if len(p) == 0 {
		return
	}
	d.labels = append(d.labels, placedText{text, box})
	d.marks = append(d.marks, mark{path: p, color: st.color, text: &setting{text, st, at, d.textWidth(text, st.size)}})
}

// setText returns the outlines of a text and the box around them.
func (d *Drawing) setText(text string, st textStyle, at vg.Point) (vg.Path, vg.Rectangle) {
	p, w, err := d.face.outline(text)
	d.fail(err)
	start := vg.Length(-st.align * w)
	size := vg.Length(st.size)
	move := func(q vg.Point) vg.Point {
		q = vg.Point{X: (q.X + start) * size, Y: q.Y * size}
		if st.up {
			q = vg.Point{X: -q.Y, Y: q.X}
		}
		return at.Add(q)
	}
	inf := vg.Length(math.Inf(1))
	box := vg.Rectangle{Min: vg.Point{X: inf, Y: inf}, Max: vg.Point{X: -inf, Y: -inf}}
	for i := range p {
		c := &p[i]
		for j := range c.Control {
			c.Control[j] = move(c.Control[j])
		}
		if c.Type == vg.CloseComp {
			continue
		}
		c.Pos = move(c.Pos)
		box.Min = vg.Point{X: min(box.Min.X, c.Pos.X), Y: min(box.Min.Y, c.Pos.Y)}
		box.Max = vg.Point{X: max(box.Max.X, c.Pos.X), Y: max(box.Max.Y, c.Pos.Y)}
	}
	return p, box
}

// fail keeps the first error.
func (d *Drawing) fail(err error) {
	if d.err == nil && err != nil {
		d.err = err
	}
}

func newDrawing(fig Figure, style Style) (*Drawing, error) {
	face, err := openTypeface(style.FontFile)
	if err != nil {
		return nil, err
	}
	w := fig.width(style) * 72
	return &Drawing{Name: fig.Name, Title: fig.Title, Width: w, dpi: style.DPI, face: face}, nil
}

// finish checks that the page can be what was asked for.
func (d *Drawing) finish() (*Drawing, error) {
	if d.err != nil {
		return nil, d.err
	}
	const most = 14400 // points; PDF readers take no larger pages
	if !(d.Height > 0 && d.Height <= most && d.Width <= most) {
		return nil, fmt.Errorf("a page of %.0f by %.0f points is too large (at most %d)", d.Width, d.Height, most)
	}
	d.face = nil
	return d, nil
}
