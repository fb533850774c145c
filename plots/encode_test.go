package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/cmpimg"

	"tcplab/scenarios/measure"
)

func latencyFigure() Figure {
	return Figure{Name: "connect-latency", Kind: "ecdf", Series: []string{"legit.connect_latency"}, X: Axis{Log: true}}
}

func queuesFigure() Figure {
	return Figure{
		Name: "queues", Kind: "timeseries", Title: "Queues", Width: "wide",
		Series: []string{"server.syn_queue", "server.accept_queue", "legit.connect_success"},
		Events: []string{"flood"},
		Limits: []Limit{{"server.syn_queue", 256, "backlog"}},
	}
}

// Run with -regen after looking at what changed.
func TestGolden(t *testing.T) {
	style := IEEE()
	style.DPI = 150
	for _, show := range gallery() {
		d, err := show.data.Draw(show.fig, style)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := d.PNG()
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", show.fig.Name+".png")
		if *cmpimg.GenerateTestData {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Error(err)
			continue
		}
		if ok, err := cmpimg.EqualApprox("png", got, want, 0.1); !ok || err != nil {
			out := filepath.Join(os.TempDir(), show.fig.Name+"_got.png")
			if err := os.WriteFile(out, got, 0o644); err != nil {
				t.Error(err)
			}
			t.Errorf("%s differs from %s (error %v): see %s", show.fig.Name, golden, err, out)
		}
	}
}

// The comparison of golden images must be able to fail.
func TestGoldenSeesOneValue(t *testing.T) {
	style := IEEE()
	style.DPI = 150
	for _, fig := range []Figure{floodFigure(), queuesFigure()} {
		res := floodResult()
		res.Series[0].Value[150] = 0
		other, err := Draw(res, fig, style)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := other.PNG()
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("testdata", fig.Name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := cmpimg.EqualApprox("png", changed, want, 0.1); ok {
			t.Errorf("%s: one changed value goes unnoticed", fig.Name)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	style := Slides()
	style.DPI = 60
	for i, show := range gallery() {
		d, err := show.data.Draw(show.fig, style)
		if err != nil {
			t.Error(err)
			continue
		}
		again, err := gallery()[i].data.Draw(show.fig, style)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, f := range formats {
			var files [3][]byte
			for k, from := range []*Drawing{d, d, again} {
				if files[k], err = f.encode(from); err != nil {
					t.Fatalf("%s.%s: %v", show.fig.Name, f.ext, err)
				}
			}
			if !bytes.Equal(files[0], files[1]) {
				t.Errorf("%s.%s: a drawing encoded twice differs", show.fig.Name, f.ext)
			}
			if !bytes.Equal(files[0], files[2]) {
				t.Errorf("%s.%s: two drawings of the same data differ", show.fig.Name, f.ext)
			}
		}
	}
}

func TestFormatsAreWellFormed(t *testing.T) {
	fig := floodFigure()
	fig.Title = `Flood & "λ < μ"`
	d, err := Draw(floodResult(), fig, IEEE())
	if err != nil {
		t.Fatal(err)
	}
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(svg, []byte(`stroke-linejoin="round"`)) || !bytes.Contains(svg, []byte("λ &lt; μ")) {
		t.Error("svg: no round joins or no title")
	}
	if bytes.Contains(svg, []byte("<text")) {
		t.Error("svg: text depends on the reader's fonts")
	}
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("svg: %v", err)
		}
	}
	pdf, err := d.PDF()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"%PDF-1.", "/CreationDate (D:19700101", "/MediaBox [0 0 252.00 "} {
		if !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("pdf: no %q", want)
		}
	}
	if bytes.Contains(pdf, []byte("/FontFile")) || len(pdf) > 100_000 {
		t.Errorf("pdf: %d bytes, with fonts: %v; want outlines only", len(pdf), bytes.Contains(pdf, []byte("/FontFile")))
	}
	raster, err := d.PNG()
	if err != nil {
		t.Fatal(err)
	}
	conf, err := png.DecodeConfig(bytes.NewReader(raster))
	if err != nil {
		t.Fatal(err)
	}
	if conf.Width != 2100 {
		t.Errorf("png: %d pixels wide, want 3.5 in at 600 dpi", conf.Width)
	}
	// pHYs: 600 dpi are 23622 pixels per metre.
	if at := bytes.Index(raster, []byte("pHYs\x00\x00\x5c\x46\x00\x00\x5c\x46\x01")); at != 37 {
		t.Errorf("png: no resolution behind the header (found at %d)", at)
	}
}

// Long lines are rasterized in pieces, which must look as if they were not.
func TestPiecesLookLikeTheWhole(t *testing.T) {
	res := &measure.Result{Series: []measure.Series{
		sine("a.x", "s", "", false, 600, 10, 1, 1),
		sine("a.y", "s", "", false, 600, 9, 1, 0.4),
	}}
	style := IEEE()
	style.DPI = 200
	d, err := Draw(res, Figure{Kind: "timeseries", Series: []string{"a.x", "a.y"}}, style)
	if err != nil {
		t.Fatal(err)
	}
	whole, pieces := d.raster(0), d.raster(32)
	differ, dark := 0, 0
	b := whole.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r1, g1, b1, _ := whole.At(x, y).RGBA()
			r2, g2, b2, _ := pieces.At(x, y).RGBA()
			if r1+g1+b1 < 0x20000 {
				dark++
			}
			if diff := int(r1+g1+b1) - int(r2+g2+b2); diff > 0x9000 || diff < -0x9000 {
				differ++
			}
		}
	}
	if dark < 1000 || differ > dark/200 {
		t.Errorf("%d of %d dark pixels differ", differ, dark)
	}
}

// A level line must not vanish in the image.
func TestLevelLineIsVisible(t *testing.T) {
	s := measure.Series{Name: "a.level", Unit: "packets"}
	for i := range 100_000 {
		s.Time = append(s.Time, float64(i))
		s.Value = append(s.Value, 7)
	}
	style := IEEE()
	style.DPI = 100
	d, err := Draw(&measure.Result{Series: []measure.Series{s}}, Figure{Kind: "timeseries", Series: []string{s.Name}}, style)
	if err != nil {
		t.Fatal(err)
	}
	img := d.raster(32)
	for x := 100; x < 300; x++ {
		if !hasBlue(img, x) {
			t.Fatalf("no line in pixel column %d", x)
		}
	}
}

func hasBlue(img image.Image, x int) bool {
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		if r, _, b, _ := img.At(x, y).RGBA(); b > r+0x4000 {
			return true
		}
	}
	return false
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results", "figures")
	d, err := Draw(floodResult(), latencyFigure(), IEEE())
	if err != nil {
		t.Fatal(err)
	}
	paths, err := Write(dir, d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, d); err != nil {
		t.Errorf("writing again: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"connect-latency.pdf", "connect-latency.png", "connect-latency.svg"}; !slices.Equal(names, want) || len(paths) != 3 {
		t.Errorf("files %v, want %v", names, want)
	}
	if _, err := Write(dir, d, d); err == nil || !strings.Contains(err.Error(), `two figures are named "connect-latency"`) {
		t.Errorf("two figures of one name: %v", err)
	}
	file := filepath.Join(dir, "connect-latency.pdf")
	if _, err := Write(file, d); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as directory: %v", err)
	}
}
