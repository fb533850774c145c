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
	"slices"

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
	{"eps", (*Drawing).EPS},
	{"tex", (*Drawing).TeX},
	{"csv", (*Drawing).CSV},
}

// usual are the formats that Write writes.
var usual = []string{"pdf", "svg", "png"}

// Formats returns the formats that WriteFormats knows, which are the extensions
// of the files: pdf, svg, png, eps, tex, and csv for the data.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.ext)
	}
	return names
}

// Write writes NAME.pdf, NAME.svg and NAME.png of each drawing into dir, which
// is made if it is missing, and returns the paths. Each file is written under a
// temporary name and renamed, so that a reader never finds half a figure.
func Write(dir string, drawings ...*Drawing) ([]string, error) {
	return WriteFormats(dir, usual, drawings...)
}

// WriteFormats is Write with a choice of formats.
func WriteFormats(dir string, exts []string, drawings ...*Drawing) ([]string, error) {
	for _, ext := range exts {
		if !slices.Contains(Formats(), ext) {
			return nil, unknown("format", ext, Formats())
		}
	}
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
			if !slices.Contains(exts, f.ext) {
				continue
			}
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
	out = bytes.ReplaceAll(out, []byte("data:image/jpg;"), []byte("data:image/png;"))
	out = bytes.ReplaceAll(out, []byte("<image "), []byte(`<image preserveAspectRatio="none" image-rendering="pixelated" `))
	if d.Title != "" {
		var title bytes.Buffer
		if err := xml.EscapeText(&title, []byte(d.Title)); err != nil {
			return nil, err
		}
		out = bytes.Replace(out, []byte("<g "), []byte("<title>"+title.String()+"</title>\n<g "), 1)
	}
	return out, nil
}
