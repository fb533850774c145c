package sweep

import (
	"math"
	"path"
	"slices"
	"strings"

	"tcplab/scenarios/quantity"
)

// Column is a column of results.csv and results.parquet.
type Column struct {
	Name string `json:"name"`
	// Unit is that of the numbers: "s", "bit/s", "1/s", "B", "packets", ...;
	// empty for plain numbers and words.
	Unit string `json:"unit"`
	// Role is "key", "parameter" or "metric".
	Role string `json:"role"`
	// Words is true for a parameter whose values are not all numbers; then the
	// column has them as the scenario has them.
	Words bool `json:"words,omitempty"`
}

// The columns that tell rows apart.
const (
	pointColumn       = "point"
	replicationColumn = "replication"
	seedColumn        = "seed"
)

// paramColumns describes the parameters that vary: numbers in base units if all
// values are quantities of one kind.
func (s *Sweep) paramColumns() []Column {
	dims := make([]quantity.Dimension, len(s.Design.Params))
	words := make([]bool, len(dims))
	seen := make([]map[string]bool, len(dims))
	for i := range s.Design.Points() {
		for k, text := range s.Design.Point(i) {
			if seen[k][text] || words[k] {
				continue
			}
			if seen[k] == nil || len(seen[k]) > 1000 {
				seen[k] = map[string]bool{}
			}
			f, ok := quantity.Parse(text)
			if f.Dim == quantity.Share {
				f.Dim = quantity.Number
			}
			if !ok || i > 0 && f.Dim != dims[k] {
				words[k] = true
			}
			dims[k], seen[k][text] = f.Dim, true
		}
	}
	var out []Column
	for k, name := range s.Design.Params {
		c := Column{Name: name, Role: "parameter", Words: words[k]}
		if slices.Contains([]string{pointColumn, replicationColumn, seedColumn}, name) {
			c.Name = "param." + name
		}
		if !words[k] {
			c.Unit = dims[k].BaseUnit()
			if strings.HasSuffix(s.Design.Point(0)[k], "%") {
				c.Unit = "ratio"
			}
		}
		out = append(out, c)
	}
	return out
}

// number is the value of a parameter in the unit of its column, NaN of a word.
func (c *Column) number(text string) float64 {
	if f, ok := quantity.Parse(text); ok && !c.Words {
		return f.Value
	}
	return math.NaN()
}

// metricColumns are the metrics of schemas in their order, each once.
type metricColumns struct {
	columns []Column
	byName  map[string]int
	places  map[*schema][]int // of each metric of a schema
}

// add adds the metrics of a schema whose names one of the patterns matches, all
// if there is no pattern.
func (m *metricColumns) add(x *schema, patterns []string) {
	if m.places[x] != nil {
		return
	}
	if m.places == nil {
		m.places, m.byName = map[*schema][]int{}, map[string]int{}
	}
	places := []int{}
	for i, name := range x.names {
		if !matches(patterns, name) {
			places = append(places, -1)
			continue
		}
		at, known := m.byName[name]
		if !known {
			at = len(m.columns)
			m.byName[name] = at
			m.columns = append(m.columns, Column{Name: name, Unit: x.units[i], Role: "metric"})
		}
		places = append(places, at)
	}
	m.places[x] = places
}

// row puts values of a schema into the columns; the others are NaN.
func (m *metricColumns) row(x *schema, values, out []float64) []float64 {
	out = out[:0]
	for range m.columns {
		out = append(out, math.NaN())
	}
	for i, at := range m.places[x] {
		if at >= 0 {
			out[at] = values[i]
		}
	}
	return out
}

func matches(patterns []string, name string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}
