package plots

import (
	"bytes"
	"encoding/csv"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is written is what a reader of CSV reads.
func TestCSVIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ a",\n\\.]{0,6}`)
		rows := rapid.SliceOfN(rapid.SliceOfN(text, 3, 3), 1, 5).Draw(t, "rows")
		d := Drawing{data: table{header: []string{"a", "b,c", `d"`}, rows: func(add func(...any)) {
			for _, r := range rows {
				add(r[0], r[1], r[2])
			}
		}}}
		out, err := d.CSV()
		if err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatalf("%v: %q", err, out)
		}
		if strings.Join(got[0], "|") != `a|b,c|d"` || len(got) != len(rows)+1 {
			t.Fatalf("%q of %q", got, rows)
		}
		for i, r := range rows {
			if strings.Join(got[i+1], "|") != strings.Join(r, "|") {
				t.Fatalf("%q, want %q", got[i+1], r)
			}
		}
	})
}

func TestCells(t *testing.T) {
	for _, c := range []struct {
		cell any
		want string
	}{
		{math.NaN(), ""}, {math.Inf(1), "inf"}, {math.Inf(-1), "-inf"}, {0.1, "0.1"}, {250000.0, "250000"}, {2.5e21, "2.5e+21"},
		{-3.0, "-3"}, {1e-9, "1e-09"}, {int64(1) << 62, "4611686018427387904"}, {7, "7"}, {"plain", "plain"}, {" x", `" x"`},
	} {
		if got := string(appendCell(nil, c.cell)); got != c.want {
			t.Errorf("%v: %s, want %s", c.cell, got, c.want)
		}
	}
}
