package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// Stored is a results directory that has been read.
type Stored struct {
	Dir      string
	Manifest Manifest
	Scenario *spec.Scenario
	// Result has the series, samples and bands; its metrics are not read.
	Result *measure.Result

	runs []*measure.Result
	lock *flock.Flock
}

// FigureData reads what else figures are drawn from.
func (s *Stored) FigureData() (*FigureData, error) {
	d := &FigureData{Result: s.Result, Replications: s.runs, ConnectionsLeftOut: s.Manifest.ConnectionsLeftOut}
	var err error
	if d.Sequences, err = readSequences(s.Dir); err != nil {
		return nil, err
	}
	d.Lives, err = readLives(filepath.Join(s.Dir, connectionsName))
	return d, err
}

// Open reads complete results and keeps runs out of the directory until Close.
func Open(dir string, reg *spec.Registry) (*Stored, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	s := &Stored{Dir: dir, Manifest: *m, Result: &measure.Result{Bands: m.Bands}}
	if s.lock, err = lockDir(dir); err != nil {
		return nil, explain(err)
	}
	if err := s.read(reg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close lets go of the directory.
func (s *Stored) Close() error {
	return unlockDir(s.Dir, s.lock)
}

// unlockDir lets go of the lock of a directory.
func unlockDir(dir string, lock *flock.Flock) error {
	return errors.Join(os.Remove(filepath.Join(dir, lockName)), lock.Close())
}

// readManifest reads the manifest of complete results.
func readManifest(dir string) (*Manifest, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%s does not exist and is %w (tcplab run SCENARIO --out %s makes one)", dir, ErrForeign, dir)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file, %w", dir, ErrForeign)
	}
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no %s and is %w", dir, manifestName, ErrForeign)
	}
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s is not a manifest that this version reads: %w", filepath.Join(dir, manifestName), err)
	}
	if m.Tool != toolName {
		return nil, fmt.Errorf("%s names %q as its tool: %s is %w", filepath.Join(dir, manifestName), m.Tool, dir, ErrForeign)
	}
	return m, nil
}

func (s *Stored) read(reg *spec.Registry) error {
	var err error
	if s.Scenario, err = spec.LoadFile(filepath.Join(s.Dir, scenarioName), nil, reg); err != nil {
		return err
	}
	for _, c := range s.Manifest.Series {
		columns, err := readCSV(filepath.Join(s.Dir, seriesDir, c.Name+".csv"))
		if err != nil {
			return err
		}
		if len(columns) < 2 {
			return fmt.Errorf("%s: there is no column of values", filepath.Join(s.Dir, seriesDir, c.Name+".csv"))
		}
		one := measure.Series{Name: c.Name, Unit: c.Unit, Label: c.Label, Step: c.Steps, Time: columns[0], Value: columns[1]}
		s.Result.Series = append(s.Result.Series, one)
		for i, values := range columns[2:] {
			if i == len(s.runs) {
				s.runs = append(s.runs, &measure.Result{Bands: s.Result.Bands})
			}
			one.Value = values
			s.runs[i].Series = append(s.runs[i].Series, one)
		}
	}
	for _, c := range s.Manifest.Samples {
		columns, err := readCSV(filepath.Join(s.Dir, samplesDir, c.Name+".csv"))
		if err != nil {
			return err
		}
		s.Result.Samples = append(s.Result.Samples, measure.Sample{Name: c.Name, Unit: c.Unit, Label: c.Label, Values: columns[0]})
	}
	return nil
}

// readCSV reads a file of numbers below one line of names, by column. An empty
// cell is NaN.
func readCSV(path string) ([][]float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	names, rest, _ := bytes.Cut(text, []byte("\n"))
	width := bytes.Count(names, []byte(",")) + 1
	columns := make([][]float64, width)
	number := 1
	for line := range bytes.Lines(rest) {
		number++
		cells := strings.Split(strings.TrimRight(string(line), "\r\n"), ",")
		if len(cells) != width {
			return nil, fmt.Errorf("%s:%d: %d cells, not %d", path, number, len(cells), width)
		}
		for i, cell := range cells {
			v := math.NaN()
			if cell != "" {
				if v, err = strconv.ParseFloat(cell, 64); err != nil {
					return nil, fmt.Errorf("%s:%d: %q is not a number", path, number, cell)
				}
			}
			columns[i] = append(columns[i], v)
		}
	}
	return columns, nil
}
