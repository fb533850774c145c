package plots

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/google/renameio/v2"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// formats are the file formats of a figure, by extension.
var formats = []struct {
	ext    string
	encode func(*Drawing) ([]byte, error)
}{
	{"pdf", (*Drawing).PDF},
	{"svg", (*Drawing).SVG},
	{"png", (*Drawing).PNG},
}

// Write writes NAME.pdf, NAME.svg and NAME.png of each drawing into dir, which
// is made if it is missing, and returns the paths. Each file is written under a
// temporary name and renamed, so that a reader never finds half a figure.
func Write(dir string, drawings ...*Drawing) ([]string, error) {
	seen := make(map[string]bool)
	for _, d := range drawings {
		if seen[d.Name] {
			return nil, fmt.Errorf("two figures are named %q: give each its own name", d.Name)
		}
		seen[d.Name] = true
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	var paths []string
	for _, d := range drawings {
		for _, f := range formats {
			data, err := f.encode(d)
			if err != nil {
				return paths, fmt.Errorf("figure %s as %s: %w", d.Name, f.ext, err)
			}
			path := filepath.Join(dir, d.Name+"."+f.ext)
			if err := renameio.WriteFile(path, data, 0o644); err != nil {
				return paths, fmt.Errorf("figure %s: %w", d.Name, err)
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// PNG returns the figure as an image with the style's resolution, which the
// file states, so that it has its size on paper.
func (d *Drawing) PNG() ([]byte, error) {
	var buf bytes.Buffer
	if err := png.Encode(&buf, d.raster(32)); err != nil {
		return nil, err
	}
	return withResolution(buf.Bytes(), d.dpi)
}

// raster paints the figure on an image, with long lines in pieces.
func (d *Drawing) raster(piece int) image.Image {
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(d.Width), vg.Length(d.Height)), vgimg.UseDPI(d.dpi))
	d.paint(c, piece)
	return c.Image()
}

// withResolution inserts the pHYs chunk (PNG specification, 11.3.4.3) behind
// the header.
func withResolution(file []byte, dpi int) ([]byte, error) {
	const header = 8 + 25 // signature and IHDR chunk
	if len(file) < header {
		return nil, errors.New("png: no header")
	}
	perMetre := uint32(math.Round(float64(dpi) / 0.0254))
	chunk := binary.BigEndian.AppendUint32(nil, 9)
	chunk = append(chunk, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	out := append([]byte(nil), file[:header]...)
	out = append(out, chunk...)
	return append(out, file[header:]...), nil
}

// SVG returns the figure as a scalable drawing without any outside reference.
func (d *Drawing) SVG() ([]byte, error) {
	c := vgsvg.New(vg.Length(d.Width), vg.Length(d.Height))
	c.SetColor(white)
	c.Fill(vg.Rectangle{Max: vg.Point{X: vg.Length(d.Width), Y: vg.Length(d.Height)}}.Path())
	d.paint(c, 0)
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return nil, err
	}
	// Round joins: pointed ones reach beyond the extremes of a noisy line.
	out := bytes.Replace(buf.Bytes(), []byte("<svg "), []byte(`<svg role="img" stroke-linejoin="round" `), 1)
	if d.Title != "" {
		var title bytes.Buffer
		if err := xml.EscapeText(&title, []byte(d.Title)); err != nil {
			return nil, err
		}
		out = bytes.Replace(out, []byte("<g "), []byte("<title>"+title.String()+"</title>\n<g "), 1)
	}
	return out, nil
}

// paint draws the marks on one of gonum's canvases, long lines in pieces of that
// many points (0: whole).
func (d *Drawing) paint(c vg.Canvas, piece int) {
	for _, m := range d.marks {
		c.SetColor(m.color)
		if m.stroke == 0 {
			c.Fill(m.path)
			continue
		}
		c.SetLineWidth(m.stroke)
		if piece == 0 || len(m.path) <= piece {
			c.SetLineDash(m.dashes, 0)
			c.Stroke(m.path)
			continue
		}
		strokePieces(c, m, piece)
	}
}

// strokePieces strokes a line piece by piece, since the time that the rasterizer
// takes grows with the square of a line's length. Each piece begins one segment
// early, so that the corner between two has its round join.
func strokePieces(c vg.Canvas, m mark, piece int) {
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
	for _, m := range d.marks {
		r, g, b := int(m.color.R), int(m.color.G), int(m.color.B)
		d.tracePDF(doc, m.path)
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

// tracePDF writes the operators of a path (ISO 32000-1, 8.5.2), to a thousandth
// of a point.
func (d *Drawing) tracePDF(doc *fpdf.Fpdf, p vg.Path) {
	var out []byte
	op := func(name byte, points ...vg.Point) {
		for _, q := range points {
			for _, v := range [2]vg.Length{q.X, q.Y} {
				out = strconv.AppendFloat(out, math.Round(v.Points()*1000)/1000, 'f', -1, 64)
				out = append(out, ' ')
			}
		}
		out = append(out, name, '\n')
	}
	var pen vg.Point
	for _, c := range p {
		switch c.Type {
		case vg.MoveComp:
			op('m', c.Pos)
		case vg.LineComp:
			op('l', c.Pos)
		case vg.CurveComp:
			c1, c2 := c.Control[0], c.Control[len(c.Control)-1]
			if len(c.Control) == 1 { // PDF has cubic curves only
				c1 = pen.Add(c1.Sub(pen).Scale(2.0 / 3))
				c2 = c.Pos.Add(c2.Sub(c.Pos).Scale(2.0 / 3))
			}
			op('c', c1, c2, c.Pos)
		case vg.CloseComp:
			op('h')
		}
		pen = c.Pos
	}
	doc.RawWriteStr(string(out))
}
