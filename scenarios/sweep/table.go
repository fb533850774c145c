package sweep

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Table is what a sweep found, for those who draw it.
type Table struct {
	Params, Metrics []Column
	Rows            []TableRow
}

// TableRow is a point that is among the results.
type TableRow struct {
	// Point counts from 1.
	Point int
	// Texts are the values of the parameters as the scenario has them, Numbers
	// the same in the units of the columns, NaN for words.
	Texts   []string
	Numbers []float64
	// Cells are the metrics.
	Cells []Cell
}

// Cell is a metric at a point: the mean over N replications with its 95 %
// confidence interval. What does not exist is NaN.
type Cell struct {
	N               int
	Mean, Low, High float64
}

// ReadTable reads metrics of a finished sweep from the summary in its directory.
func (s *Sweep) ReadTable(dir string, metrics []string) (*Table, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	t := &Table{}
	for _, c := range m.Columns {
		switch {
		case c.Role == "parameter":
			t.Params = append(t.Params, c)
		case c.Role == "metric" && slices.Contains(metrics, c.Name):
			t.Metrics = append(t.Metrics, c)
		}
	}
	for i, name := range s.Design.Params {
		if i < len(t.Params) {
			t.Params[i].Name = name
		}
	}
	if len(t.Params) != len(s.Design.Params) {
		return nil, fmt.Errorf("%s: its columns are not those of the sweep (give the command again)", filepath.Join(dir, manifestName))
	}
	file, err := os.Open(filepath.Join(dir, summaryName))
	if err != nil {
		return nil, explain(err)
	}
	defer file.Close()
	if err := t.read(csv.NewReader(file), s); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, summaryName), err)
	}
	return t, nil
}

func (t *Table) read(in *csv.Reader, s *Sweep) error {
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return err
	}
	first := 1 + len(t.Params)
	if len(header) != first+len(summaryColumns) || header[first] != summaryColumns[0] {
		return errors.New("its columns are not those of a summary")
	}
	point := 0
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at := slices.IndexFunc(t.Metrics, func(c Column) bool { return c.Name == row[first] })
		number, err := strconv.Atoi(row[0])
		if err != nil || number < 1 || number > s.Design.Points() {
			return fmt.Errorf("there is no point %q", row[0])
		}
		if at < 0 {
			continue
		}
		if number != point {
			point = number
			t.Rows = append(t.Rows, t.row(number, s.Design.Point(number-1)))
		}
		n, err := strconv.Atoi(row[first+2])
		if err != nil {
			return err
		}
		t.Rows[len(t.Rows)-1].Cells[at] = Cell{n, float(row[first+3]), float(row[first+4]), float(row[first+5])}
	}
}

func (t *Table) row(point int, texts []string) TableRow {
	r := TableRow{Point: point, Texts: texts, Cells: make([]Cell, len(t.Metrics))}
	for i := range texts {
		r.Numbers = append(r.Numbers, t.Params[i].number(texts[i]))
	}
	for i := range r.Cells {
		r.Cells[i] = Cell{0, math.NaN(), math.NaN(), math.NaN()}
	}
	return r
}

// float reads a cell, NaN if it is empty.
func float(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
