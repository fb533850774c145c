package plots

import (
	"bytes"
	"image/png"
	"math"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/vg"
)

// PDF returns the figure as a page without fonts, since text is in outlines,
// and without a date, so that equal figures are equal files. It is written
// without gonum's PDF canvas, which has neither round joins nor a date per
// document.
func (d *Drawing) PDF() ([]byte, error) {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: d.Width, Ht: d.Height}})
	epoch := time.Unix(0, 0).UTC()
	doc.SetCreationDate(epoch)
	doc.SetModificationDate(epoch)
	doc.SetCatalogSort(true)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.SetCreator("tcplab", true)
	doc.SetTitle(d.Title, true)
	doc.AddPage()
	doc.SetLineJoinStyle("round")
	for i, m := range d.marks {
		if m.picture != nil {
			var buf bytes.Buffer
			if err := png.Encode(&buf, m.picture); err != nil {
				return nil, err
			}
			name, opt := "raster"+strconv.Itoa(i), fpdf.ImageOptions{ImageType: "PNG"}
			doc.RegisterImageOptionsReader(name, opt, &buf)
			w, h := m.box.Max.X-m.box.Min.X, m.box.Max.Y-m.box.Min.Y
			doc.ImageOptions(name, float64(m.box.Min.X), d.Height-float64(m.box.Max.Y), float64(w), float64(h), false, opt, 0, "")
			continue
		}
		r, g, b := int(m.color.R), int(m.color.G), int(m.color.B)
		doc.RawWriteStr(string(pathOperators(m.path)))
		if m.stroke == 0 {
			doc.SetFillColor(r, g, b)
			doc.DrawPath("F")
			continue
		}
		doc.SetDrawColor(r, g, b)
		doc.SetLineWidth(m.stroke.Points())
		dashes := make([]float64, len(m.dashes))
		for i, v := range m.dashes {
			dashes[i] = v.Points()
		}
		doc.SetDashPattern(dashes, 0)
		doc.DrawPath("D")
	}
	var buf bytes.Buffer
	if err := doc.Output(&buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// pathOperators are the operators of a path as PDF has them (ISO 32000-1, 8.5.2),
// to a thousandth of a point: m, l, c and h.
func pathOperators(p vg.Path) []byte {
	var out []byte
	op := func(name byte, points ...vg.Point) {
		for _, q := range points {
			out = appendCoordinate(out, q.X)
			out = appendCoordinate(out, q.Y)
		}
		out = append(out, name, '\n')
	}
	for _, c := range cubic(p) {
		switch c.Type {
		case vg.MoveComp:
			op('m', c.Pos)
		case vg.LineComp:
			op('l', c.Pos)
		case vg.CurveComp:
			op('c', c.Control[0], c.Control[1], c.Pos)
		case vg.CloseComp:
			op('h')
		}
	}
	return out
}

func appendCoordinate(out []byte, v vg.Length) []byte {
	rounded := math.Round(v.Points()*1000) / 1000
	if rounded == 0 {
		rounded = 0 // no negative zero
	}
	return append(strconv.AppendFloat(out, rounded, 'f', -1, 64), ' ')
}

// cubic replaces quadratic curves, which neither PDF nor PostScript has.
func cubic(p vg.Path) vg.Path {
	out := make(vg.Path, 0, len(p))
	var pen vg.Point
	for _, c := range p {
		if c.Type == vg.CurveComp && len(c.Control) == 1 {
			c1, c2 := c.Control[0], c.Control[0]
			c.Control = []vg.Point{
				pen.Add(c1.Sub(pen).Scale(2.0 / 3)),
				c.Pos.Add(c2.Sub(c.Pos).Scale(2.0 / 3)),
			}
		}
		out = append(out, c)
		pen = c.Pos
	}
	return out
}
