package plots

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// paint draws the marks on one of gonum's canvases, long lines in pieces of that
// many points (0: whole).
func (d *Drawing) paint(c vg.Canvas, piece int) {
	for _, m := range d.marks {
		if m.picture != nil {
			d.paintPicture(c, m)
			continue
		}
		c.SetColor(m.color)
		if m.stroke == 0 {
			if to, ok := canvasImage(c); ok && piece > 0 && len(m.path) > 4*piece && m.low != nil {
				d.paintShade(to, m)
			} else {
				c.Fill(m.path)
			}
			continue
		}
		c.SetLineWidth(m.stroke)
		if piece == 0 || len(m.path) <= piece {
			c.SetLineDash(m.dashes, 0)
			c.Stroke(m.path)
			continue
		}
		for _, sub := range subpaths(m.path) {
			part := m
			part.path = sub
			strokePieces(c, part, piece)
		}
	}
}

// canvasImage is what a raster canvas paints on.
func canvasImage(c vg.Canvas) (*image.RGBA, bool) {
	raster, ok := c.(*vgimg.Canvas)
	if !ok {
		return nil, false
	}
	to, ok := raster.Image().(*image.RGBA)
	return to, ok
}

// subpaths divides a path where the pen is lifted.
func subpaths(p vg.Path) []vg.Path {
	var out []vg.Path
	for i, c := range p {
		if i == 0 || c.Type == vg.MoveComp {
			out = append(out, nil)
		}
		last := len(out) - 1
		out[last] = append(out[last], c)
	}
	return out
}

// paintPicture copies a raster image pixel by pixel on a raster canvas, without
// the blur of a scaled one.
func (d *Drawing) paintPicture(c vg.Canvas, m mark) {
	to, ok := canvasImage(c)
	if !ok {
		c.DrawImage(m.box, m.picture)
		return
	}
	dots := func(v vg.Length) int { return int(math.Round(v.Points() * float64(d.dpi) / 72)) }
	left, right := dots(m.box.Min.X), dots(m.box.Max.X)
	top, bottom := dots(vg.Length(d.Height)-m.box.Max.Y), dots(vg.Length(d.Height)-m.box.Min.Y)
	from := m.picture.Bounds()
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			u := from.Min.X + (2*(x-left)+1)*from.Dx()/(2*(right-left))
			v := from.Min.Y + (2*(y-top)+1)*from.Dy()/(2*(bottom-top))
			to.Set(x, y, m.picture.At(u, v))
		}
	}
}

// paintShade fills a shade column by column, for the same reason as
// strokePieces: four samples across each pixel, exact in height.
func (d *Drawing) paintShade(to *image.RGBA, m mark) {
	const samples = 4
	perPoint := float64(d.dpi) / 72
	bounds := to.Bounds()
	low, high := follower{line: m.low}, follower{line: m.high}
	from := max(int(math.Floor(float64(max(m.low[0].X, m.high[0].X))*perPoint)), bounds.Min.X)
	until := min(int(math.Ceil(float64(min(m.low[len(m.low)-1].X, m.high[len(m.high)-1].X))*perPoint)), bounds.Max.X)
	cover := make([]float64, bounds.Dy()+1)
	for x := from; x < until; x++ {
		clear(cover)
		first, last := len(cover), 0
		for k := range samples {
			at := vg.Length((float64(x) + (float64(k)+0.5)/samples) / perPoint)
			a, okA := low.at(at)
			b, okB := high.at(at)
			if !okA || !okB {
				continue
			}
			top := (d.Height - float64(max(a, b))) * perPoint
			bottom := (d.Height - float64(min(a, b))) * perPoint
			for y := max(int(top), 0); y < min(int(math.Ceil(bottom)), bounds.Dy()); y++ {
				cover[y] += (math.Min(bottom, float64(y+1)) - math.Max(top, float64(y))) / samples
				first, last = min(first, y), max(last, y+1)
			}
		}
		for y := first; y < last; y++ {
			blend(to, x, y, m.color, cover[y])
		}
	}
}

// blend paints a part of a pixel.
func blend(to *image.RGBA, x, y int, c color.NRGBA, part float64) {
	pix := to.Pix[to.PixOffset(x, y):][:4]
	for i, v := range [4]uint8{c.R, c.G, c.B, 0xFF} {
		pix[i] = uint8(float64(pix[i]) + float64(part*(float64(v)-float64(pix[i]))) + 0.5)
	}
}

// A follower evaluates a line that runs from left to right, for places that do
// too.
type follower struct {
	line []vg.Point
	i    int
}

func (f *follower) at(x vg.Length) (vg.Length, bool) {
	for f.i+1 < len(f.line) && f.line[f.i+1].X < x {
		f.i++
	}
	if f.i+1 >= len(f.line) || x < f.line[f.i].X {
		return 0, false
	}
	a, b := f.line[f.i], f.line[f.i+1]
	return a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X), true
}

// strokePieces strokes a line piece by piece, since the time that the rasterizer
// takes grows with the square of a line's length. Each piece begins one segment
// early, so that the corner between two has its round join.
func strokePieces(c vg.Canvas, m mark, piece int) {
	if len(m.path) <= piece {
		c.SetLineDash(m.dashes, 0)
		c.Stroke(m.path)
		return
	}
	along := make([]vg.Length, len(m.path)) // where on the line each point is
	for i := 1; i < len(along); i++ {
		by := m.path[i].Pos.Sub(m.path[i-1].Pos)
		along[i] = along[i-1] + vg.Length(math.Hypot(float64(by.X), float64(by.Y)))
	}
	for from := 0; from < len(m.path)-1; from += piece {
		first := max(from-1, 0)
		p := append(vg.Path(nil), m.path[first:min(from+piece+1, len(m.path))]...)
		p[0].Type = vg.MoveComp
		c.SetLineDash(m.dashes, along[first])
		c.Stroke(p)
	}
}
