package plots

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"fmt"
	"image"
	"math"
	"strings"
	"unicode"
)

// EPS returns the figure as Encapsulated PostScript (EPSF 3.0, level 2) without
// fonts and without a date.
func (d *Drawing) EPS() ([]byte, error) {
	var out bytes.Buffer
	title := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || r < ' ' || strings.ContainsRune(`()\`, r) {
			return '?'
		}
		return r
	}, d.Title)
	fmt.Fprintf(&out, "%%!PS-Adobe-3.0 EPSF-3.0\n%%%%BoundingBox: 0 0 %.0f %.0f\n%%%%HiResBoundingBox: 0 0 %.3f %.3f\n",
		math.Ceil(d.Width), math.Ceil(d.Height), d.Width, d.Height)
	fmt.Fprintf(&out, "%%%%Title: (%s)\n%%%%Creator: tcplab\n%%%%LanguageLevel: 2\n%%%%Pages: 1\n%%%%EndComments\n", title)
	out.WriteString("%%Page: 1 1\ngsave 20 dict begin\n" +
		"/m {moveto} bind def /l {lineto} bind def /c {curveto} bind def /h {closepath} bind def\n" +
		"/f {setrgbcolor fill} bind def /s {setrgbcolor setlinewidth 0 setdash stroke} bind def\n1 setlinejoin\n")
	for _, m := range d.marks {
		if m.picture != nil {
			if err := writePicture(&out, m); err != nil {
				return nil, err
			}
			continue
		}
		out.WriteString("newpath\n")
		out.Write(pathOperators(m.path))
		if m.stroke == 0 {
			fmt.Fprintf(&out, "%s f\n", unitColor(m))
			continue
		}
		out.WriteByte('[')
		for _, v := range m.dashes {
			out.Write(appendCoordinate(nil, v))
		}
		fmt.Fprintf(&out, "] %s%s s\n", appendCoordinate(nil, m.stroke), unitColor(m))
	}
	out.WriteString("end grestore\nshowpage\n%%EOF\n")
	return out.Bytes(), nil
}

func unitColor(m mark) string {
	return fmt.Sprintf("%.4g %.4g %.4g", float64(m.color.R)/255, float64(m.color.G)/255, float64(m.color.B)/255)
}

// writePicture writes an image with its colour table (PostScript Language
// Reference, 4.10.5), compressed.
func writePicture(out *bytes.Buffer, m mark) error {
	b := m.picture.Bounds()
	fmt.Fprintf(out, "gsave %.3f %.3f translate %.3f %.3f scale\n", float64(m.box.Min.X), float64(m.box.Min.Y),
		float64(m.box.Max.X-m.box.Min.X), float64(m.box.Max.Y-m.box.Min.Y))
	fmt.Fprintf(out, "[/Indexed /DeviceRGB %d <", len(m.picture.Palette)-1)
	for _, c := range m.picture.Palette {
		r, g, b, _ := c.RGBA()
		fmt.Fprintf(out, "%02x%02x%02x", r>>8, g>>8, b>>8)
	}
	fmt.Fprintf(out, ">] setcolorspace\n<< /ImageType 1 /Width %d /Height %d /BitsPerComponent 8 /Decode [0 255] /Interpolate false\n", b.Dx(), b.Dy())
	fmt.Fprintf(out, "/ImageMatrix [%d 0 0 %d 0 %d] /DataSource currentfile /ASCII85Decode filter /FlateDecode filter >> image\n", b.Dx(), -b.Dy(), b.Dy())
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(pixels(m.picture)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	text := make([]byte, ascii85.MaxEncodedLen(packed.Len()))
	text = text[:ascii85.Encode(text, packed.Bytes())]
	for len(text) > 0 {
		n := min(len(text), 76)
		if text[0] == '%' { // a line that begins so could be taken for a comment
			out.WriteByte(' ')
		}
		out.Write(text[:n])
		out.WriteByte('\n')
		text = text[n:]
	}
	out.WriteString("~>\ngrestore\n")
	return nil
}

// pixels are the rows of an image without gaps.
func pixels(p *image.Paletted) []byte {
	b := p.Bounds()
	out := make([]byte, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		i := p.PixOffset(b.Min.X, y)
		out = append(out, p.Pix[i:i+b.Dx()]...)
	}
	return out
}
