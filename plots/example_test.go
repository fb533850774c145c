package plots_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"tcplab/plots"
	"tcplab/scenarios/measure"
)

func Example() {
	res := &measure.Result{
		Series: []measure.Series{{
			Name: "server.syn_queue", Unit: "entries", Label: "half-open connections",
			Time:  []float64{0, 30, 31, 32, 120, 160, 180},
			Value: []float64{0, 0, 90, 128, 128, 20, 0},
		}},
		Bands: []measure.Band{{Name: "flood", From: 30, Until: 120}},
	}
	drawing, err := plots.Draw(res, plots.Figure{
		Name:   "backlog",
		Kind:   "timeseries",
		Series: []string{"server.syn_queue"},
		Events: []string{"flood"},
		Limits: []plots.Limit{{Series: "server.syn_queue", Value: 128, Label: "backlog 128"}},
	}, plots.IEEE())
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "figures")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	paths, err := plots.Write(dir, drawing)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f in wide\n", drawing.Width/72)
	for _, p := range paths {
		fmt.Println(filepath.Base(p))
	}
	// Output:
	// 3.50 in wide
	// backlog.pdf
	// backlog.svg
	// backlog.png
}
