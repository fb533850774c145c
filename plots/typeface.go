package plots

import (
	"fmt"
	"os"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
)

// A typeface sets text as outlines, so that a figure looks the same everywhere
// whatever fonts a reader has, in any script that the font has.
type typeface struct {
	name string
	font *sfnt.Font
	em   fixed.Int26_6
	buf  sfnt.Buffer
}

var liberation = sync.OnceValues(func() (*sfnt.Font, error) {
	return sfnt.Parse(liberationsansregular.TTF)
})

// openTypeface returns the font of a file, or Liberation Sans if the name is
// empty. A typeface serves one goroutine.
func openTypeface(file string) (*typeface, error) {
	if file == "" {
		f, err := liberation()
		if err != nil {
			return nil, err
		}
		return &typeface{name: "Liberation Sans", font: f, em: fixed.Int26_6(f.UnitsPerEm())}, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	c, err := sfnt.ParseCollection(raw)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w (it must be an OpenType file: .ttf, .otf or .ttc)", file, err)
	}
	f, err := c.Font(0)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", file, err)
	}
	return &typeface{name: file, font: f, em: fixed.Int26_6(f.UnitsPerEm())}, nil
}

// superscripts are composed of smaller, raised letters, since many fonts lack
// some of them.
var superscripts = map[rune]rune{
	'⁰': '0', '¹': '1', '²': '2', '³': '3', '⁴': '4', '⁵': '5',
	'⁶': '6', '⁷': '7', '⁸': '8', '⁹': '9', '⁻': '−',
}

const (
	superSize  = 0.68
	superRaise = 0.36
)

// A placedGlyph is a glyph with its place, in ems right of and above the start.
type placedGlyph struct {
	index sfnt.GlyphIndex
	x, y  float64
	size  float64
}

// set places the glyphs of a line and returns its width, in ems.
func (t *typeface) set(text string) (glyphs []placedGlyph, width float64, err error) {
	perEm := 1 / float64(t.em)
	var last sfnt.GlyphIndex
	lastDigit := false
	for i, r := range text {
		g := placedGlyph{size: 1}
		if base, ok := superscripts[r]; ok {
			r, g.size, g.y = base, superSize, superRaise
		}
		g.index, err = t.font.GlyphIndex(&t.buf, r)
		if err != nil {
			return nil, 0, err
		}
		if g.index == 0 {
			return nil, 0, fmt.Errorf("text %q: %s has no letter %q (set FontFile in the style to a font that has it)", text, t.name, r)
		}
		digit := r >= '0' && r <= '9'
		if i > 0 && !(digit && lastDigit) { // figures are kept at equal widths
			if kern, err := t.font.Kern(&t.buf, last, g.index, t.em, font.HintingNone); err == nil {
				width += float64(kern) * perEm * g.size
			}
		}
		advance, err := t.font.GlyphAdvance(&t.buf, g.index, t.em, font.HintingNone)
		if err != nil {
			return nil, 0, err
		}
		g.x = width
		glyphs = append(glyphs, g)
		width += float64(advance) * perEm * g.size
		last, lastDigit = g.index, digit
	}
	return glyphs, width, nil
}

// outline returns the filled path of a line of text and its width, in ems from
// the start of the base line.
func (t *typeface) outline(text string) (p vg.Path, width float64, err error) {
	glyphs, width, err := t.set(text)
	if err != nil {
		return nil, 0, err
	}
	for _, g := range glyphs {
		segments, err := t.font.LoadGlyph(&t.buf, g.index, t.em, nil)
		if err != nil {
			return nil, 0, fmt.Errorf("text %q: %w", text, err)
		}
		scale := g.size / float64(t.em)
		at := func(q fixed.Point26_6) vg.Point { // fonts have y downwards here
			return vg.Point{
				X: vg.Length(g.x + float64(q.X)*scale),
				Y: vg.Length(g.y - float64(q.Y)*scale),
			}
		}
		p = appendGlyph(p, segments, at)
	}
	return p, width, nil
}

func appendGlyph(p vg.Path, segments sfnt.Segments, at func(fixed.Point26_6) vg.Point) vg.Path {
	open := false
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if open {
				p.Close()
			}
			open = true
			p.Move(at(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			p.Line(at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			p.QuadTo(at(s.Args[0]), at(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			p.CubeTo(at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
		}
	}
	if open {
		p.Close()
	}
	return p
}
