package plots

import (
	"fmt"
	"image/color"
	"strings"
)

// Style holds the sizes of a figure. The presets are starting points: copy one
// and change what a journal asks for.
type Style struct {
	Name string
	// Column and Wide are the widths of a figure in inches: of one column, and
	// of the whole page.
	Column, Wide float64
	// Panel is the height of one panel of several in inches, without its axis; a
	// panel of its own has twice that.
	Panel float64
	// Label and Small are font sizes in points: of axis labels, and of tick
	// labels, legends and remarks.
	Label, Small float64
	// Line and Rule are line widths in points: of data, and of axes.
	Line, Rule float64
	// DPI is the resolution of PNG files.
	DPI int
	// Titles is true if a figure's title is drawn. In a paper the caption says
	// it, so there it is kept in the file's metadata only.
	Titles bool
	// FontFile is an OpenType file to use in place of Liberation Sans, for
	// labels in scripts that it does not have.
	FontFile string
}

// IEEE is the preset for IEEE journals and conferences: columns of 3.5 in,
// 7.16 in across both, and Helvetica-like letters of 7 to 8 points ("Preparation
// of Papers for IEEE Transactions", figures).
func IEEE() Style {
	return Style{
		Name: "ieee", Column: 3.5, Wide: 7.16, Panel: 0.86,
		Label: 7.5, Small: 7, Line: 0.8, Rule: 0.5, DPI: 600,
	}
}

// ACM is the preset for the two columns of ACM proceedings (acmart, sigconf):
// columns of 240 pt and a text width of 506 pt.
func ACM() Style {
	return Style{
		Name: "acm", Column: 3.33, Wide: 7, Panel: 0.86,
		Label: 8, Small: 7, Line: 0.8, Rule: 0.5, DPI: 600,
	}
}

// Thesis is the preset for a thesis on A4: the width of a text of 150 mm, and,
// wide, of a page turned sideways.
func Thesis() Style {
	return Style{
		Name: "thesis", Column: 5.9, Wide: 9.3, Panel: 1.25,
		Label: 10, Small: 9, Line: 1.1, Rule: 0.6, DPI: 600,
	}
}

// Slides is the preset for a projected page of 16 to 9.
func Slides() Style {
	return Style{
		Name: "slides", Column: 8, Wide: 12, Panel: 1.6,
		Label: 16, Small: 14, Line: 2.2, Rule: 1, DPI: 300, Titles: true,
	}
}

// Screen is the preset for a page that is read in a browser.
func Screen() Style {
	return Style{
		Name: "screen", Column: 6.5, Wide: 10, Panel: 1.3,
		Label: 10, Small: 9, Line: 1.3, Rule: 0.6, DPI: 300, Titles: true,
	}
}

// StyleNamed returns the preset with that name.
func StyleNamed(name string) (Style, error) {
	var have []string
	for _, preset := range []func() Style{IEEE, ACM, Thesis, Slides, Screen} {
		s := preset()
		if s.Name == name {
			return s, nil
		}
		have = append(have, s.Name)
	}
	return Style{}, fmt.Errorf("no figure style %q (have %s)", name, strings.Join(have, ", "))
}

func (s Style) validate() error {
	for _, v := range []struct {
		name string
		v    float64
	}{
		{"Column", s.Column}, {"Wide", s.Wide}, {"Panel", s.Panel}, {"Label", s.Label},
		{"Small", s.Small}, {"Line", s.Line}, {"Rule", s.Rule}, {"DPI", float64(s.DPI)},
	} {
		if !(v.v > 0 && v.v < 1e4) {
			return fmt.Errorf("style %q: %s is %v; it must be positive (start from a preset such as plots.IEEE())", s.Name, v.name, v.v)
		}
	}
	return nil
}

// A look tells the curves of one panel apart: by colour, and without colour by
// lightness and dashes. Dashes are in multiples of the line width.
type look struct {
	color  color.NRGBA
	dashes []float64
}

// looks are Okabe and Ito's colours ("Color Universal Design", 2008) without
// the yellow, which is too faint for a line on white, in an order that
// alternates dark and light.
var looks = []look{
	{rgb(0x0072B2), nil},
	{rgb(0xD55E00), []float64{5, 1.8}},
	{rgb(0x000000), []float64{1.4, 1.6}},
	{rgb(0xE69F00), []float64{7, 1.8, 1.4, 1.8}},
	{rgb(0x009E73), []float64{6, 1.5, 1.2, 1.5, 1.2, 1.5}},
	{rgb(0xCC79A7), []float64{3, 1.5}},
	{rgb(0x56B4E9), []float64{8, 2, 3, 2}},
}

// limitLook is that of the lines of limits.
var limitLook = look{rgb(0x404040), []float64{6, 3}}

var (
	black = rgb(0x000000)
	white = rgb(0xFFFFFF)
	dark  = rgb(0x404040)
)

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}

// bandShade is the grey of a stretch over which depth bands lie.
func bandShade(depth int) color.NRGBA {
	v := uint8(max(0xEA-0x10*(depth-1), 0xB0))
	return color.NRGBA{R: v, G: v, B: v, A: 0xFF}
}

// tint mixes a colour with white: 1 is the colour, 0 is white. Shades are
// opaque, since not every format has transparency.
func tint(c color.NRGBA, part float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(255 - part*float64(255-v) + 0.5) }
	return color.NRGBA{R: mix(c.R), G: mix(c.G), B: mix(c.B), A: 0xFF}
}
