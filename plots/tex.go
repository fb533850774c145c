package plots

import (
	"bytes"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
)

// TeX returns the figure as a pgfpicture for \input in a LaTeX document that
// loads the package pgf. Text is set by LaTeX in the font of the document, in
// the sizes of the style; all else is where it is in the other formats.
func (d *Drawing) TeX() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("% Needs \\usepackage{pgf} in the preamble.\n")
	if d.Title != "" {
		fmt.Fprintf(&out, "%% %s\n", strings.ReplaceAll(d.Title, "\n", " "))
	}
	// A font that is wider than the one of the layout is set narrower.
	out.WriteString("\\begingroup\n\\def\\tcplabtext#1#2{\\setbox0\\hbox{#2}\\ifdim\\wd0>#1\\resizebox{#1}{!}{\\box0}\\else\\box0\\fi}\n\\begin{pgfpicture}\n")
	fmt.Fprintf(&out, "\\pgfpathrectangle{\\pgfpointorigin}{\\pgfqpoint{%sbp}{%sbp}}\n\\pgfusepath{use as bounding box}\n\\pgfsetroundjoin\n",
		number(d.Width), number(d.Height))
	last := mark{}
	for i, m := range d.marks {
		if m.picture != nil {
			cells(&out, m)
			last = mark{}
			continue
		}
		if i == 0 || m.color != last.color || last.path == nil {
			fmt.Fprintf(&out, "\\definecolor{tcplab}{RGB}{%d,%d,%d}\\color{tcplab}\n", m.color.R, m.color.G, m.color.B)
		}
		last = m
		if m.text != nil {
			setTeX(&out, m.text)
			continue
		}
		tracePGF(&out, m.path)
		if m.stroke == 0 {
			out.WriteString("\\pgfusepathqfill\n")
			continue
		}
		fmt.Fprintf(&out, "\\pgfsetlinewidth{%sbp}\\pgfsetdash{", number(m.stroke.Points()))
		for _, v := range m.dashes {
			fmt.Fprintf(&out, "{%sbp}", number(v.Points()))
		}
		out.WriteString("}{0bp}\\pgfusepathqstroke\n")
	}
	out.WriteString("\\end{pgfpicture}\n\\endgroup\n")
	return out.Bytes(), nil
}

func number(v float64) string { return strings.TrimSpace(string(appendCoordinate(nil, vg.Length(v)))) }

func qpoint(p vg.Point) string {
	return "\\pgfqpoint{" + number(p.X.Points()) + "bp}{" + number(p.Y.Points()) + "bp}"
}

func tracePGF(out *bytes.Buffer, p vg.Path) {
	for _, c := range cubic(p) {
		switch c.Type {
		case vg.MoveComp:
			fmt.Fprintf(out, "\\pgfpathmoveto{%s}\n", qpoint(c.Pos))
		case vg.LineComp:
			fmt.Fprintf(out, "\\pgfpathlineto{%s}\n", qpoint(c.Pos))
		case vg.CurveComp:
			fmt.Fprintf(out, "\\pgfpathcurveto{%s}{%s}{%s}\n", qpoint(c.Control[0]), qpoint(c.Control[1]), qpoint(c.Pos))
		case vg.CloseComp:
			out.WriteString("\\pgfpathclose\n")
		}
	}
}

// setTeX writes a text, which LaTeX sets.
func setTeX(out *bytes.Buffer, t *setting) {
	options := "at={" + qpoint(t.at) + "},base" // the place before the rotation
	switch {
	case t.style.align < 0.25:
		options += ",left"
	case t.style.align > 0.75:
		options += ",right"
	}
	if t.style.up {
		options += ",rotate=90"
	}
	fmt.Fprintf(out, "\\pgftext[%s]{\\fontsize{%s}{%s}\\selectfont\\tcplabtext{%sbp}{%s}}\n", options,
		number(t.style.size), number(t.style.size*lineHeight), number(t.width), teXText(t.text))
}

// teXLetters are the characters that LaTeX does not set as they are.
var teXLetters = map[rune]string{
	'\\': `\textbackslash{}`, '{': `\{`, '}': `\}`, '$': `\$`, '&': `\&`, '#': `\#`, '_': `\_`, '%': `\%`,
	'~': `\textasciitilde{}`, '^': `\textasciicircum{}`, '<': `\textless{}`, '>': `\textgreater{}`,
	'−': `$-$`, '×': `$\times$`, '·': `$\cdot$`, '±': `$\pm$`, '≤': `$\le$`, '≥': `$\ge$`, '≈': `$\approx$`, '→': `$\to$`, '√': `$\surd$`,
	'µ': `$\mu$`, 'α': `$\alpha$`, 'β': `$\beta$`, 'γ': `$\gamma$`, 'δ': `$\delta$`, 'λ': `$\lambda$`, 'μ': `$\mu$`,
	'ρ': `$\rho$`, 'σ': `$\sigma$`, 'τ': `$\tau$`, 'Δ': `$\Delta$`, 'Σ': `$\Sigma$`, 'π': `$\pi$`, 'θ': `$\theta$`,
	'∞': `$\infty$`, '°': `$^\circ$`, '–': `--`, '…': `\dots{}`,
}

// teXText escapes a text for LaTeX.
func teXText(text string) string {
	var out strings.Builder
	raised := false
	for _, r := range text {
		base, up := superscripts[r]
		if up != raised {
			out.WriteString(map[bool]string{true: "$^{", false: "}$"}[up])
			raised = up
		}
		special, known := teXLetters[r]
		switch {
		case base == '−':
			out.WriteByte('-')
		case up:
			out.WriteRune(base)
		case known:
			out.WriteString(special)
		default:
			out.WriteRune(r)
		}
	}
	if raised {
		out.WriteString("}$")
	}
	return out.String()
}

// cells draws an image as rectangles, one for each stretch of one colour in
// rows that are the same. Each reaches a little under its neighbours, so that
// no gap shows.
func cells(out *bytes.Buffer, m mark) {
	b := m.picture.Bounds()
	row := func(y int) []byte { return m.picture.Pix[m.picture.PixOffset(b.Min.X, y):][:b.Dx()] }
	dx := (m.box.Max.X - m.box.Min.X) / vg.Length(b.Dx())
	dy := (m.box.Max.Y - m.box.Min.Y) / vg.Length(b.Dy())
	for y := b.Min.Y; y < b.Max.Y; {
		end := y + 1
		for end < b.Max.Y && bytes.Equal(row(end), row(y)) {
			end++
		}
		pix := row(y)
		top := m.box.Max.Y - vg.Length(y-b.Min.Y)*dy
		bottom := max(m.box.Max.Y-vg.Length(end-b.Min.Y)*dy-0.3, m.box.Min.Y)
		for x := 0; x < len(pix); {
			to := x + 1
			for to < len(pix) && pix[to] == pix[x] {
				to++
			}
			red, green, blue, _ := m.picture.Palette[pix[x]].RGBA()
			from := vg.Point{X: m.box.Min.X + vg.Length(x)*dx, Y: bottom}
			size := vg.Point{X: min(vg.Length(to-x)*dx+0.3, m.box.Max.X-from.X), Y: top - bottom}
			fmt.Fprintf(out, "\\definecolor{tcplab}{RGB}{%d,%d,%d}\\color{tcplab}\\pgfpathrectangle{%s}{%s}\\pgfusepathqfill\n",
				red>>8, green>>8, blue>>8, qpoint(from), qpoint(size))
			x = to
		}
		y = end
	}
}
