package plots

import (
	"math"
	"strconv"
	"strings"
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
	var buf []byte
	for i, name := range d.data.header {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendText(buf, name)
	}
	buf = append(buf, '\n')
	d.data.rows(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = appendCell(buf, c)
		}
		buf = append(buf, '\n')
	})
	return buf, nil
}

func appendCell(b []byte, c any) []byte {
	switch v := c.(type) {
	case string:
		return appendText(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		switch {
		case math.IsNaN(v):
			return b
		case math.IsInf(v, 1):
			return append(b, "inf"...)
		case math.IsInf(v, -1):
			return append(b, "-inf"...)
		case v == math.Trunc(v) && math.Abs(v) < 1e6: // many are counts
			return strconv.AppendInt(b, int64(v), 10)
		}
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	return b
}

// appendText quotes a text if it would not be one cell otherwise.
func appendText(b []byte, text string) []byte {
	if text == "" || !strings.ContainsAny(text, "\",\r\n") && text[0] != ' ' && text != `\.` {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}
