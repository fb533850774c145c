package scenarios

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"tcplab/scenarios/measure"
	"tcplab/scenarios/spec"
)

// toolName marks a manifest as one of ours.
const toolName = "tcplab"

// Manifest says what a results directory holds and where it comes from. Only
// here are figures that differ between two runs of the same scenario.
type Manifest struct {
	// Tool is "tcplab"; Version and Go are what it was built from and with.
	Tool    string `json:"tool"`
	Version string `json:"version"`
	Go      string `json:"go"`

	Scenario string `json:"scenario"`
	Title    string `json:"title"`
	// SHA256 is that of scenario.yaml.
	SHA256     string     `json:"scenario_sha256"`
	Parameters Parameters `json:"parameters"`
	// Defaults are the values that the scenario has for the parameters that were
	// set, Meanings what it says of all parameters, Question its opening comment.
	Defaults     Parameters `json:"defaults,omitempty"`
	Meanings     Parameters `json:"parameter_meanings,omitempty"`
	Question     string     `json:"question,omitempty"`
	Seed         uint64     `json:"seed"`
	Replications int        `json:"replications"`

	// Events, Packets and SimulatedSeconds are sums over the replications.
	Events           uint64  `json:"events"`
	Packets          uint64  `json:"packets"`
	SimulatedSeconds float64 `json:"simulated_seconds"`
	WallSeconds      float64 `json:"wall_seconds"`

	// Captured are the hosts whose packets of the first replication are in
	// packets.pcapng.
	Captured []string `json:"captured,omitempty"`

	// ConnectionsLeftOut is how many connections connections.csv does not have,
	// since it is bounded.
	ConnectionsLeftOut int `json:"connections_left_out,omitempty"`

	// Traced are the connections that trace/ has.
	Traced []Traced `json:"traced,omitempty"`

	Series  []Column       `json:"series"`
	Samples []Column       `json:"samples"`
	Bands   []measure.Band `json:"bands"`
}

// Parameters are the parameters of a scenario, in its order, with their values
// in the run. In JSON they are an object.
type Parameters []Parameter

// Parameter is one of them.
type Parameter struct{ Name, Value string }

// MarshalJSON writes an object whose members are in order.
func (p Parameters) MarshalJSON() ([]byte, error) {
	out := []byte("{")
	for i, x := range p {
		if i > 0 {
			out = append(out, ',')
		}
		name, err1 := marshal(x.Name)
		value, err2 := marshal(x.Value)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Parameters) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.Join(err, errors.New("parameters: not an object"))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		x := Parameter{Name: fmt.Sprint(name)}
		if err := d.Decode(&x.Value); err != nil {
			return err
		}
		*p = append(*p, x)
	}
	return nil
}

// marshal is json.Marshal for files that people read: < and > stay as they are.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimRight(out.Bytes(), "\n"), err
}

// Column describes the file of a series or of a sample, NAME.csv.
type Column struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	Label string `json:"label"`
	// Steps is true for a series whose values are those of intervals.
	Steps bool `json:"steps,omitempty"`
}

// Results is what a run leaves in its directory.
type Results struct {
	Manifest Manifest
	// Scenario is the text of the scenario as run.
	Scenario []byte
	Summary  []byte
	Outcome  *Outcome
}

// NewResults prepares what a run leaves. Version, Go and WallSeconds of the
// manifest are left to the caller.
func NewResults(sc *spec.Scenario, out *Outcome) (*Results, error) {
	resolved, err := sc.Resolved()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(resolved)
	r := &Results{Scenario: resolved, Outcome: out, Manifest: Manifest{
		Tool: toolName, Scenario: sc.Name, Title: sc.Title, SHA256: hex.EncodeToString(sum[:]), Parameters: Parameters{},
		Question: sc.OpeningComment(), Seed: sc.Seed, Replications: out.Replications, Traced: tracedOf(out.Connections.Traces),
		Events: out.Events, Packets: out.Packets, SimulatedSeconds: out.Simulated.Seconds(),
		ConnectionsLeftOut: out.Connections.LeftOut, Series: []Column{}, Samples: []Column{}, Bands: out.Result.Bands,
	}}
	m := &r.Manifest
	for _, p := range sc.Params {
		m.Parameters = append(m.Parameters, Parameter{p.Name, p.Value})
		if p.Set {
			m.Defaults = append(m.Defaults, Parameter{p.Name, p.Default})
		}
		if p.Doc != "" {
			m.Meanings = append(m.Meanings, Parameter{p.Name, p.Doc})
		}
	}
	for _, s := range out.Result.Series {
		m.Series = append(m.Series, Column{s.Name, s.Unit, s.Label, s.Step})
	}
	for _, s := range out.Result.Samples {
		m.Samples = append(m.Samples, Column{Name: s.Name, Unit: s.Unit, Label: s.Label})
	}
	r.Summary, err = summary(m, out)
	return r, err
}

// Write writes everything but figures and manifest into a target.
func (r *Results) Write(t *Target) error {
	files := []struct {
		name string
		data []byte
	}{
		{scenarioName, r.Scenario},
		{summaryName, r.Summary},
		{connectionsName, connectionsCSV(r.Outcome.Connections, r.Outcome.Addresses)},
	}
	for _, s := range r.Outcome.Result.Series {
		files = append(files, struct {
			name string
			data []byte
		}{seriesDir + "/" + s.Name + ".csv", seriesCSV(s, r.Outcome.Runs)})
	}
	for _, s := range r.Outcome.Result.Samples {
		files = append(files, struct {
			name string
			data []byte
		}{samplesDir + "/" + s.Name + ".csv", sampleCSV(s)})
	}
	for i := range r.Outcome.Sequences {
		s := &r.Outcome.Sequences[i]
		files = append(files, struct {
			name string
			data []byte
		}{sequencesDir + "/" + s.Name + ".csv", sequenceCSV(s)})
	}
	for i := range r.Outcome.Connections.Traces {
		trace := &r.Outcome.Connections.Traces[i]
		text, err := traceCSV(trace)
		if err != nil {
			return err
		}
		files = append(files, struct {
			name string
			data []byte
		}{traceDir + "/" + strconv.Itoa(trace.Number) + ".csv", text})
	}
	for _, f := range files {
		if err := t.Write(f.name, f.data); err != nil {
			return err
		}
	}
	return nil
}

// summary writes summary.json. The metrics keep their order, which a Go map
// would lose.
func summary(m *Manifest, out *Outcome) ([]byte, error) {
	type expectation struct {
		Text    string   `json:"text"`
		Passed  bool     `json:"passed"`
		Left    *float64 `json:"left"`
		Right   *float64 `json:"right"`
		Message string   `json:"message"`
	}
	expectations := lines{}
	for _, e := range out.Expectations {
		x := expectation{Text: e.Text, Passed: e.Passed, Message: e.Message}
		if !e.Null {
			x.Left, x.Right = finite(e.Left), finite(e.Right)
		}
		expectations = append(expectations, x)
	}
	metrics := ordered{}
	for _, x := range out.Result.Metrics {
		value := struct {
			Value *float64    `json:"value"`
			Unit  string      `json:"unit"`
			CI95  *[2]float64 `json:"ci95"`
		}{nil, x.Unit, x.CI95}
		if !x.Null {
			value.Value = finite(x.Value)
		}
		metrics = append(metrics, member{x.Name, value})
	}
	text, err := ordered{
		{"scenario", m.Scenario}, {"parameters", m.Parameters}, {"seed", m.Seed}, {"replications", m.Replications},
		{"expectations", expectations}, {"metrics", metrics},
	}.text(0)
	return append(text, '\n'), err
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// lines is a JSON array, one element a line.
type lines []any

func (l lines) text(depth int) ([]byte, error) {
	return block('[', ']', len(l), depth, func(i int) (any, string) { return l[i], "" })
}

// ordered is a JSON object whose members keep their order, one a line.
type ordered []member

type member struct {
	name  string
	value any
}

func (o ordered) text(depth int) ([]byte, error) {
	return block('{', '}', len(o), depth, func(i int) (any, string) { return o[i].value, strconv.Quote(o[i].name) + ": " })
}

// block writes n values, each on a line of its own behind its name.
func block(left, right byte, n, depth int, at func(i int) (value any, name string)) ([]byte, error) {
	out := []byte{left}
	for i := range n {
		if i > 0 {
			out = append(out, ',')
		}
		value, name := at(i)
		out = append(append(append(out, '\n'), strings.Repeat("  ", depth+1)...), name...)
		var text []byte
		var err error
		if inner, ok := value.(interface{ text(int) ([]byte, error) }); ok {
			text, err = inner.text(depth + 1)
		} else {
			text, err = marshal(value)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	if n > 0 {
		out = append(append(out, '\n'), strings.Repeat("  ", depth)...)
	}
	return append(out, right), nil
}

// FigureName returns the name of the files of figure i (from 0) of a scenario.
func FigureName(f *spec.Figure, i int) string {
	return cmp.Or(f.Name, f.Kind+"-"+strconv.Itoa(i+1))
}
