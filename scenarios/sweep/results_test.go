package sweep

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"tcplab/scenarios"
)

// odd has values of all sorts: none, infinite, tiny, and words as parameters.
func odd(values []string, replication uint32, _ *rand.Rand) ([]float64, [][]float64, error) {
	if values[0] == "1/s" {
		return []float64{math.NaN(), math.Inf(1)}, nil, nil
	}
	return []float64{1.0 / 3 * float64(replication+1), 5e-324}, nil, nil
}

// results.csv and results.parquet hold the same table, and the table is what was
// measured.
func TestTablesAgree(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, toy(newSweep(t, `{grid: {rate: [1/s, 30/min], cc: [reno, cubic], request: [1kB]}, replications: 2}`, Request{}), odd), dir, Options{})
	want := [][]string{
		{"point", "replication", "seed", "rate", "cc", "request", "toy.a", "toy.b"},
		{"1", "1", "1", "1", "reno", "1000", "", "inf"}, {"1", "2", "1", "1", "reno", "1000", "", "inf"},
		{"2", "1", "1", "1", "cubic", "1000", "", "inf"}, {"2", "2", "1", "1", "cubic", "1000", "", "inf"},
		{"3", "1", "1", "0.5", "reno", "1000", "0.3333333333333333", "5e-324"}, {"3", "2", "1", "0.5", "reno", "1000", "0.6666666666666666", "5e-324"},
		{"4", "1", "1", "0.5", "cubic", "1000", "0.3333333333333333", "5e-324"}, {"4", "2", "1", "0.5", "cubic", "1000", "0.6666666666666666", "5e-324"},
	}
	rows, err := csv.NewReader(strings.NewReader(final(t, dir)[resultsName])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("results.csv (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, parquetRows(t, filepath.Join(dir, parquetName))); diff != "" {
		t.Errorf("results.parquet (-want +got):\n%s", diff)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Columns[3].Unit != "1/s" || !m.Columns[4].Words || m.Columns[5].Unit != "B" || m.Columns[6].Unit != "s" {
		t.Errorf("columns %+v", m.Columns)
	}
}

// parquetRows reads a file as texts, the names of the columns first.
func parquetRows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range file.Schema().Columns() {
		names = append(names, strings.Join(c, "/"))
	}
	out := [][]string{names}
	for _, group := range file.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, 100)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				var texts []string
				for _, v := range row {
					text := v.String()
					switch {
					case v.IsNull():
						text = ""
					case v.Kind() == parquet.Double && math.IsInf(v.Double(), 1):
						text = "inf"
					case v.Kind() == parquet.Double:
						text = strconv.FormatFloat(v.Double(), 'g', -1, 64)
					}
					texts = append(texts, text)
				}
				out = append(out, texts)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestSummary(t *testing.T) {
	dir := t.TempDir()
	s := toy(newSweep(t, `{grid: {rate: [1/s, 2/s]}, replications: 4}`, Request{}),
		func(values []string, replication uint32, _ *rand.Rand) ([]float64, [][]float64, error) {
			if values[0] == "2/s" && replication > 0 {
				return []float64{math.NaN(), math.NaN()}, nil, nil
			}
			return []float64{[]float64{3, 1, 2, 6}[replication], 7}, nil, nil
		})
	mustRun(t, s, dir, Options{})
	// Mean 3, variance 14/3, Student's t for 3 degrees of freedom 3.182446305.
	half := 3.182446305 * math.Sqrt(14.0/3/4)
	want := []string{
		"point,rate,metric,unit,n,mean,ci95_low,ci95_high,sd,min,q25,median,q75,max,interval",
		fmt.Sprintf("1,1,toy.a,s,4,3,%v,%v,%v,1,1.75,2.5,3.75,6,replications", 3-half, 3+half, math.Sqrt(14.0/3)),
		"1,1,toy.b,ratio,4,7,7,7,0,7,7,7,7,7,replications",
		"2,2,toy.a,s,1,3,,,,,,,,,",
		"2,2,toy.b,ratio,1,7,,,,,,,,,",
		"",
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), final(t, dir)[summaryName]); diff != "" {
		t.Error(diff)
	}
	table, err := s.ReadTable(dir, []string{"toy.a"})
	if err != nil {
		t.Fatal(err)
	}
	if c := table.Rows[0].Cells[0]; len(table.Rows) != 2 || c.N != 4 || c.Mean != 3 || math.Abs(c.High-3-half) > 1e-9 || table.Rows[1].Texts[0] != "2/s" {
		t.Errorf("%+v", table)
	}
}

// The shards of a sweep, merged, are the sweep.
func TestMerge(t *testing.T) {
	whole, merged := t.TempDir(), t.TempDir()
	mustRun(t, newSweep(t, grid, Request{}), whole, Options{})
	var shards []string
	for i := range 3 {
		shards = append(shards, t.TempDir())
		out := mustRun(t, newSweep(t, grid, Request{}), shards[i], Options{Shard: i + 1, Shards: 3})
		if out.Points < 2 || out.Points > 3 {
			t.Errorf("shard %d has %d points", i+1, out.Points)
		}
	}
	merge := func(dirs ...string) (*Outcome, error) {
		return Merge(context.Background(), merged, dirs, "v", "go", scenarios.Registry())
	}
	if _, err := merge(shards[:2]...); err == nil || !strings.Contains(err.Error(), "2 of 8 points are not finished, 6 replications are missing") {
		t.Errorf("error %v without a shard", err)
	}
	out, err := merge(shards...)
	if err != nil || out.Points != 8 {
		t.Fatal(err, out)
	}
	sameFiles(t, "merged", final(t, whole), final(t, merged))
	st, err := Look(context.Background(), merged, scenarios.Registry())
	if err != nil || !st.Complete || st.Running || st.Points != 8 || st.Replications != 24 || st.MissingReplications != 0 {
		t.Errorf("%+v, %v", st, err)
	}
	other := t.TempDir()
	mustRun(t, newSweep(t, grid, Request{Replications: 2}), other, Options{})
	if _, err := merge(shards[0], other); err == nil || !strings.Contains(err.Error(), "not of one sweep") {
		t.Errorf("error %v of shards that do not belong together", err)
	}
}

// sojourn returns the times in system of customers of an M/M/1 queue that
// starts empty, at load 0.5 and service rate 1, by Lindley's recursion. Their
// mean in the long run is 2.
func sojourn(stream *rand.Rand, n int, each func(i int, time float64)) {
	wait := 0.0
	for i := range n {
		service := stream.ExpFloat64()
		each(i, wait+service)
		wait = max(0, wait+service-2*stream.ExpFloat64())
	}
}

// The 95 % intervals of a sweep cover the true mean of an M/M/1 queue in 95 % of
// the repetitions, within 3.3 standard errors of the binomial distribution; so
// do those of batch means, which are somewhat narrow, since batches of finite
// length are not quite independent.
func TestCoverage(t *testing.T) {
	const warmup, customers, batches = 500, 4000, 10
	replicated := func(_ []string, _ uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
		sum := 0.0
		sojourn(stream, warmup+customers, func(i int, v float64) {
			if i >= warmup {
				sum += v
			}
		})
		return []float64{sum / customers, 0}, nil, nil
	}
	batched := func(_ []string, _ uint32, stream *rand.Rand) ([]float64, [][]float64, error) {
		means, all := make([][]float64, batches), 0.0
		for i := range means {
			means[i] = make([]float64, 2)
		}
		sojourn(stream, warmup+batches*customers, func(i int, v float64) {
			if i >= warmup {
				means[(i-warmup)/customers][0] += v / customers
				all += v / customers / batches
			}
		})
		return []float64{all, 0}, means, nil
	}
	const modelError = 0.01
	for _, c := range []struct {
		name         string
		f            experiment
		replications int
		batches      int
	}{{"replications", replicated, 10, 0}, {"batches", batched, 1, batches}} {
		s := toy(newSweep(t, "", Request{Vary: Vary{Values: []string{fmt.Sprintf("request=lin:1B..%dB:%d", *repetitions, *repetitions)}},
			Streams: "independent", Replications: c.replications, Batches: &c.batches}), c.f)
		dir := t.TempDir()
		mustRun(t, s, dir, Options{})
		table, err := s.ReadTable(dir, []string{"toy.a"})
		if err != nil {
			t.Fatal(err)
		}
		covered := 0
		for _, row := range table.Rows {
			if cell := row.Cells[0]; cell.Low <= 2 && 2 <= cell.High {
				covered++
			}
		}
		n := float64(*repetitions)
		share := float64(covered) / n
		t.Logf("%s: the intervals cover the mean in %.3f of %d repetitions", c.name, share, *repetitions)
		if tolerance := 3.3*math.Sqrt(0.95*0.05/n) + modelError; math.Abs(share-0.95) > tolerance || len(table.Rows) != *repetitions {
			t.Errorf("%s: %.3f is not 0.95 within %.3f", c.name, share, tolerance)
		}
	}
}

// The batches of a scenario are its metrics in equal stretches of time.
func TestBatchesOfScenario(t *testing.T) {
	n := 5
	s := newSweep(t, "", Request{Vary: Vary{Values: []string{"rate=20/s"}}, Batches: &n})
	p, err := s.prepare([]string{"20/s"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.run(context.Background(), 0, func(uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.batches) != n {
		t.Fatalf("%d batches", len(r.batches))
	}
	at := 0
	for i, name := range r.schema.names {
		if name == "legit.attempts" {
			at = i
		}
	}
	sum := 0.0
	for _, b := range r.batches {
		sum += b[at]
	}
	if r.schema.names[at] != "legit.attempts" || sum != r.values[at] || sum == 0 {
		t.Errorf("%s: %v in all, %v in the batches together", r.schema.names[at], r.values[at], sum)
	}
}
