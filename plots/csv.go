package plots

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
)

// A table is the data of a figure: written only if it is asked for, since it
// can be long.
type table struct {
	header []string
	// rows calls add with the cells of each row.
	rows func(add func(cells ...any))
}

// CSV returns the data that the figure shows as comma-separated values with a
// header (RFC 4180, lines end with LF): all of it, before anything is thinned
// for the page, in base units. What has no value is an empty cell.
func (d *Drawing) CSV() ([]byte, error) {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	if err := w.Write(d.data.header); err != nil {
		return nil, err
	}
	var failed error
	row := make([]string, 0, len(d.data.header))
	d.data.rows(func(cells ...any) {
		row = row[:0]
		for _, c := range cells {
			row = append(row, csvCell(c))
		}
		if err := w.Write(row); err != nil && failed == nil {
			failed = err
		}
	})
	w.Flush()
	if failed == nil {
		failed = w.Error()
	}
	return buf.Bytes(), failed
}

func csvCell(c any) string {
	switch v := c.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		switch {
		case math.IsNaN(v):
			return ""
		case math.IsInf(v, 1):
			return "inf"
		case math.IsInf(v, -1):
			return "-inf"
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}
