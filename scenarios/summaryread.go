package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tcplab/scenarios/measure"
)

// Summary is what summary.json says.
type Summary struct {
	Expectations []Verdict `json:"expectations"`
	// Metrics are in the order of the file, without Doc and Key.
	Metrics orderedMetrics `json:"metrics"`
}

// Verdict is what became of an expectation.
type Verdict struct {
	Text    string `json:"text"`
	Passed  bool   `json:"passed"`
	Message string `json:"message"`
}

// ReadSummary reads the summary of a results directory.
func ReadSummary(dir string) (*Summary, error) {
	path := filepath.Join(dir, summaryName)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := new(Summary)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s is not a summary that this version reads: %w", path, err)
	}
	return s, nil
}

// orderedMetrics are the members of a JSON object in their order.
type orderedMetrics []measure.Metric

// UnmarshalJSON implements json.Unmarshaler.
func (m *orderedMetrics) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.Join(err, errors.New("metrics: not an object"))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var cell struct {
			Value *float64    `json:"value"`
			Unit  string      `json:"unit"`
			CI95  *[2]float64 `json:"ci95"`
		}
		if err := d.Decode(&cell); err != nil {
			return err
		}
		x := measure.Metric{Name: fmt.Sprint(name), Unit: cell.Unit, CI95: cell.CI95, Null: cell.Value == nil}
		if cell.Value != nil {
			x.Value = *cell.Value
		}
		*m = append(*m, x)
	}
	return nil
}
