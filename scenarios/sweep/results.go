package sweep

import (
	"bufio"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"tcplab/scenarios/measure"
)

// The files of a sweep.
const (
	manifestName    = "manifest.json"
	scenarioName    = "scenario.yaml"
	planName        = "plan.json"
	resultsName     = "results.csv"
	parquetName     = "results.parquet"
	summaryName     = "summary.csv"
	differencesName = "differences.csv"
)

// results writes the tables of a sweep from its store. What it writes depends
// on the sweep and the records of its points alone.
type results struct {
	sweep   *Sweep
	store   *store
	keys    []Key
	failed  map[int]bool // by point
	params  []Column
	metrics metricColumns

	progress func(Progress)

	replications, events, packets uint64
}

// tableFile is a file of lines that appears under its name when it is whole.
type tableFile struct {
	*bufio.Writer
	pending *renameio.PendingFile
	line    []byte
	prefix  []byte
}

func newTableFile(dir, name string) (*tableFile, error) {
	p, err := renameio.NewPendingFile(filepath.Join(dir, name), renameio.WithTempDir(dir), renameio.WithPermissions(0o644))
	if err != nil {
		return nil, err
	}
	return &tableFile{Writer: bufio.NewWriterSize(p, 1<<18), pending: p}, nil
}

func (t *tableFile) text(s string) {
	if strings.ContainsAny(s, ",\"\r\n") {
		s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	t.line = append(append(t.line, s...), ',')
}

func (t *tableFile) whole(n uint64) { t.line = append(strconv.AppendUint(t.line, n, 10), ',') }

// number writes the fewest digits that are read back as v, nothing for NaN.
func (t *tableFile) number(v float64) {
	switch {
	case math.IsInf(v, 1):
		t.line = append(t.line, "inf"...)
	case math.IsInf(v, -1):
		t.line = append(t.line, "-inf"...)
	case !math.IsNaN(v):
		t.line = strconv.AppendFloat(t.line, v, 'g', -1, 64)
	}
	t.line = append(t.line, ',')
}

// keep notes the beginning of a line, which again repeats.
func (t *tableFile) keep() { t.prefix = append(t.prefix[:0], t.line...) }

// again begins a line as keep has it.
func (t *tableFile) again() { t.line = append(t.line[:0], t.prefix...) }

func (t *tableFile) endLine() error {
	t.line[len(t.line)-1] = '\n'
	_, err := t.Write(t.line)
	t.line = t.line[:0]
	return err
}

func (t *tableFile) header(names ...string) error {
	for _, name := range names {
		t.text(name)
	}
	return t.endLine()
}

// param writes a value of a parameter as its column has it.
func (t *tableFile) param(c *Column, text string) {
	if c.Words {
		t.text(text)
	} else {
		t.number(c.number(text))
	}
}

// commit gives the file its name.
func (t *tableFile) commit() error {
	if err := t.Flush(); err != nil {
		return err
	}
	return t.pending.CloseAtomicallyReplace()
}

func (t *tableFile) discard() error { return t.pending.Cleanup() }

// columns finds out what the columns of the tables are.
func (r *results) columns() []Column {
	r.params = r.sweep.paramColumns()
	for i, key := range r.keys {
		if r.failed[i] {
			continue
		}
		for _, e := range r.store.find(key) {
			r.metrics.add(r.store.schemas[e.schema], r.sweep.Spec.Metrics)
		}
	}
	keys := []Column{{Name: pointColumn, Role: "key"}, {Name: replicationColumn, Role: "key"}, {Name: seedColumn, Role: "key"}}
	return slices.Concat(keys, r.params, r.metrics.columns)
}

// write writes all tables into dir and returns their columns.
func (r *results) write(dir string) (columns []Column, err error) {
	columns = r.columns()
	var files []*tableFile
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.discard())
		}
	}()
	for _, name := range []string{resultsName, parquetName, summaryName} {
		f, err := newTableFile(dir, name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	csv, summary := files[0], files[2]
	table := newParquetTable(files[1], columns)
	if err := csv.header(names(columns)...); err != nil {
		return nil, err
	}
	if err := summary.header(slices.Concat([]string{pointColumn}, names(r.params), summaryColumns)...); err != nil {
		return nil, err
	}
	for i := range r.keys {
		if r.progress != nil && i%512 == 0 {
			r.progress(Progress{Points: i, Total: len(r.keys), Writing: true, Left: -1})
		}
		if r.failed[i] {
			continue
		}
		if err := r.point(i, csv, table, summary); err != nil {
			return nil, err
		}
	}
	if err := table.close(); err != nil {
		return nil, err
	}
	if r.sweep.Spec.Compare != nil {
		f, err := newTableFile(dir, differencesName)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
		if err := r.differences(f); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		if err := f.commit(); err != nil {
			return nil, err
		}
	}
	return columns, nil
}

func names(columns []Column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return out
}

// records returns the replications of a point that count, in their order.
func (r *results) records(point int) ([]*record, error) {
	stop := newStopping(&r.sweep.Spec)
	var out []*record
	for _, e := range r.store.find(r.keys[point]) {
		if stop.enough > 0 && len(out) >= stop.enough {
			break
		}
		if int(e.replication) != len(out) {
			return nil, errors.New("a replication has gone from the store while the results were written (give the command again)")
		}
		rec, err := r.store.read(e)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
		stop.add(rec)
	}
	return out, nil
}

// point writes what the tables have of a point.
func (r *results) point(i int, csv *tableFile, table *parquetTable, summary *tableFile) error {
	records, err := r.records(i)
	if err != nil {
		return err
	}
	texts := r.sweep.Design.Point(i)
	seed := r.sweep.Scenario.Seed
	if r.sweep.Spec.Streams == "independent" {
		seed = pointSeed(seed, r.sweep.Design.Params, texts)
	}
	params := make([]float64, len(texts))
	for k := range params {
		params[k] = r.params[k].number(texts[k])
	}
	values := make([][]float64, len(r.metrics.columns))
	var row []float64
	for n, rec := range records {
		r.replications++
		r.events += rec.events
		r.packets += rec.packets
		row = r.metrics.row(rec.schema, rec.values, row)
		for k, v := range row {
			if !math.IsNaN(v) {
				values[k] = append(values[k], v)
			}
		}
		csv.whole(uint64(i + 1))
		csv.whole(uint64(n + 1))
		csv.whole(seed)
		r.texts(csv, texts)
		for _, v := range row {
			csv.number(v)
		}
		if err := csv.endLine(); err != nil {
			return err
		}
		if err := table.add(i+1, n+1, seed, texts, params, row); err != nil {
			return err
		}
	}
	return r.summarize(i, texts, values, records, summary)
}

func (r *results) texts(t *tableFile, texts []string) {
	for k := range texts {
		t.param(&r.params[k], texts[k])
	}
}

// summaryColumns are those behind point and parameters. The interval is that of
// the mean over replications or, where there is one replication, of batches. Of a
// single value there are no quantiles.
var summaryColumns = []string{"metric", "unit", "n", "mean", "ci95_low", "ci95_high", "sd", "min", "q25", "median", "q75", "max", "interval"}

// summarize writes the lines of a point: one for each metric that has a value
// there.
func (r *results) summarize(i int, texts []string, values [][]float64, records []*record, t *tableFile) error {
	var batches [][]float64
	if len(records) == 1 && r.sweep.Spec.Batches > 0 {
		batches = r.batches(records[0])
	}
	t.whole(uint64(i + 1))
	r.texts(t, texts)
	t.keep()
	for k, c := range r.metrics.columns {
		v := values[k]
		t.again()
		t.text(c.Name)
		t.text(c.Unit)
		t.whole(uint64(len(v)))
		mean := measure.Mean(v)
		t.number(mean)
		half, kind := measure.HalfWidth(v), "replications"
		if batches != nil {
			half, kind = measure.HalfWidth(batches[k]), "batches"
		}
		t.number(mean - half)
		t.number(mean + half)
		t.number(measure.Deviation(v, mean))
		if len(v) < 2 {
			v = nil
		}
		slices.Sort(v)
		for _, p := range []float64{0, 0.25, 0.5, 0.75, 1} {
			t.number(measure.Quantile(v, p))
		}
		if math.IsNaN(half) {
			kind = ""
		}
		t.text(kind)
		if err := t.endLine(); err != nil {
			return err
		}
	}
	return nil
}

// batches returns the values of each metric column in the stretches of a run
// that have one.
func (r *results) batches(rec *record) [][]float64 {
	out := make([][]float64, len(r.metrics.columns))
	var row []float64
	for _, batch := range rec.batches {
		row = r.metrics.row(rec.schema, batch, row)
		for k, v := range row {
			if !math.IsNaN(v) {
				out[k] = append(out[k], v)
			}
		}
	}
	return out
}
