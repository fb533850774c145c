package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// Request is what is asked of a sweep beyond what its scenario says. The zero
// value asks for nothing else. It is kept with the results, in plan.json.
type Request struct {
	// Set are values of parameters that do not vary, as given to spec.Load.
	Set map[string]string `json:"set,omitempty"`
	// Seed is that of all random numbers, of the design too; nil is the
	// scenario's.
	Seed *uint64 `json:"seed,omitempty"`
	// Vary is what varies, in place of what the scenario says.
	Vary Vary `json:"vary,omitzero"`
	// Replications of each point; 0 is as the scenario says.
	Replications int `json:"replications,omitempty"`
	// Streams is common or independent; empty is as the scenario says.
	Streams string `json:"streams,omitempty"`
	// Until, Batches and Compare, if not nil, are in the place of the
	// scenario's.
	Until   *spec.Until   `json:"until,omitempty"`
	Batches *int          `json:"batches,omitempty"`
	Compare *spec.Compare `json:"compare,omitempty"`
	// Metrics are patterns of path.Match for the metrics that the results have;
	// none is as the scenario says.
	Metrics []string `json:"metrics,omitempty"`
}

// Sweep is an experiment: the points of a design, at each of which a scenario is
// run with a number of replications.
type Sweep struct {
	// Scenario has the parameters that do not vary; Spec is what is done with
	// it.
	Scenario *spec.Scenario
	Spec     spec.Sweep
	Design   *Design
	Request  Request
	// Model names the version of the simulator. Results of another one are not
	// used again.
	Model string

	prepare func(values []string) (*point, error)
}

// point is a point that is ready to run.
type point struct {
	key  Key
	seed uint64
	run  func(ctx context.Context, replication uint32, progress func(events uint64)) (*record, error)
}

// New puts a sweep together. sc is a scenario that has been read with the values
// of r.Set. An error is about the input.
func New(sc *spec.Scenario, r Request, model string) (*Sweep, error) {
	s := &Sweep{Scenario: sc, Request: r, Model: model, Spec: spec.Sweep{Replications: 1, Streams: "common"}}
	if sc.Sweep != nil {
		s.Spec = *sc.Sweep
	}
	if r.Seed != nil {
		sc.Seed = *r.Seed
	}
	if err := r.Vary.apply(sc, &s.Spec); err != nil {
		return nil, err
	}
	if len(s.Spec.Params()) == 0 {
		return nil, fmt.Errorf("%s says nothing of what varies (give it a sweep:, or give --vary PARAMETER=VALUE,VALUE)", sc.Name)
	}
	if err := s.override(); err != nil {
		return nil, err
	}
	for _, name := range s.Spec.Params() {
		if _, set := r.Set[name]; set {
			return nil, fmt.Errorf("%s varies and is set to one value, too (leave out --set %s, or give --vary without it)", name, name)
		}
	}
	var err error
	if s.Design, err = NewDesign(sc, &s.Spec); err != nil {
		return nil, err
	}
	s.prepare = s.prepareScenario
	if err := s.try(); err != nil {
		return nil, err
	}
	return s, s.checkNames()
}

// checkNames looks whether the metrics that are asked for are measured, at the
// first point, which it builds. That a point cannot be built is told when it is
// run.
func (s *Sweep) checkNames() error {
	if s.Spec.Until == nil && len(s.Spec.Metrics) == 0 {
		return nil
	}
	set := map[string]string{}
	for i, v := range s.Design.Point(0) {
		set[s.Design.Params[i]] = v
	}
	sc, err := s.Scenario.Variant(set)
	if err != nil {
		return err
	}
	names, err := scenarios.MetricNames(sc)
	if err != nil {
		return nil
	}
	if u := s.Spec.Until; u != nil && !slices.Contains(names, u.Metric) {
		return fmt.Errorf("until: the scenario does not measure %s (tcplab metrics lists what there is)", u.Metric)
	}
	for _, p := range s.Spec.Metrics {
		if !slices.ContainsFunc(names, func(name string) bool { return matches([]string{p}, name) }) {
			return fmt.Errorf("metrics: nothing that the scenario measures is called %s (tcplab metrics lists what there is)", p)
		}
	}
	return nil
}

// override takes over what the request says.
func (s *Sweep) override() error {
	r, w := &s.Request, &s.Spec
	if r.Replications > 0 {
		w.Replications = r.Replications
	}
	switch r.Streams {
	case "":
	case "common", "independent":
		w.Streams = r.Streams
	default:
		return fmt.Errorf("--streams %s is unknown (have common, independent)", r.Streams)
	}
	if r.Until != nil {
		w.Until = r.Until
	}
	if r.Batches != nil {
		w.Batches = *r.Batches
	}
	if r.Compare != nil {
		w.Compare = r.Compare
	}
	if len(r.Metrics) > 0 {
		w.Metrics = r.Metrics
	}
	for _, p := range w.Metrics {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("metrics: %q is not a pattern (write a name, or one with * such as legit.*)", p)
		}
	}
	switch {
	case w.Batches < 0 || w.Batches == 1 || w.Batches > 1000:
		return fmt.Errorf("%d batches make no interval (write 2 to 1000, or 0 for none)", w.Batches)
	case w.Until != nil && (w.Until.Max < max(2, w.Replications) || !(w.Until.HalfWidth > 0)):
		return fmt.Errorf("until: at most %d replications with a half-width of %v cannot be (write at least as many as the %d of each point, and more than 0)",
			w.Until.Max, w.Until.HalfWidth, max(2, w.Replications))
	case w.Compare != nil && !slices.Contains(w.Params(), w.Compare.Param):
		return fmt.Errorf("compare: %s does not vary (have %s)", w.Compare.Param, strings.Join(w.Params(), ", "))
	case w.Compare != nil:
		return checkCompare(w)
	}
	return nil
}

// mostTried bounds the values that are tried beforehand.
const mostTried = 500

// try reads the scenario with each value of the command line, so that a sweep
// does not fail hours after its start. Those of the file have been tried.
func (s *Sweep) try() error {
	if len(s.Request.Vary.Values) == 0 {
		return nil
	}
	tried := 0
	for _, g := range []spec.Grid{s.Spec.Grid, s.Spec.Zip, s.Spec.OneAtATime} {
		for _, a := range g {
			for _, v := range a.Values {
				if tried++; tried > mostTried {
					return nil
				}
				if _, err := s.Scenario.Variant(map[string]string{a.Param: v}); err != nil {
					return err
				}
			}
		}
	}
	if s.Spec.Sample == nil {
		return nil
	}
	for i := range s.Spec.Sample.From {
		r := &s.Spec.Sample.From[i]
		for _, part := range []float64{0, 0.5, 1} {
			if _, err := s.Scenario.Variant(map[string]string{r.Param: r.At(part)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepareScenario makes a point of the values of the parameters that vary.
func (s *Sweep) prepareScenario(values []string) (*point, error) {
	set := map[string]string{}
	for i, name := range s.Design.Params {
		set[name] = values[i]
	}
	sc, err := s.Scenario.Variant(set)
	if err != nil {
		return nil, err
	}
	if s.Spec.Streams == "independent" {
		sc.Seed = pointSeed(s.Scenario.Seed, s.Design.Params, values)
	}
	p := &point{key: s.key(sc.Digest()), seed: sc.Seed}
	p.run = func(ctx context.Context, replication uint32, progress func(uint64)) (*record, error) {
		out, err := scenarios.Replicate(ctx, sc, replication, s.Spec.Batches, progress)
		if err != nil {
			return nil, err
		}
		return newRecord(p.key, replication, out), nil
	}
	return p, nil
}

func newRecord(key Key, replication uint32, out *scenarios.Replication) *record {
	r := &record{key: key, replication: replication, events: out.Events, packets: out.Packets, batches: out.Batches}
	names, units := make([]string, len(out.Metrics)), make([]string, len(out.Metrics))
	for i, m := range out.Metrics {
		names[i], units[i] = m.Name, m.Unit
		r.values = append(r.values, orNaN(m.Value, !m.Null))
	}
	r.schema = newSchema(names, units)
	return r
}

// key names a point in the store.
func (s *Sweep) key(digest [sha256.Size]byte) Key {
	h := sha256.New()
	h.Write([]byte("tcplab point\n"))
	h.Write(appendText(nil, s.Model))
	h.Write(binary.AppendUvarint(nil, uint64(s.Spec.Batches)))
	h.Write(digest[:])
	return Key(h.Sum(nil)[:len(Key{})])
}

// pointSeed is the seed of a point whose random numbers are its own.
func pointSeed(seed uint64, params, values []string) uint64 {
	h := sha256.New()
	h.Write(binary.LittleEndian.AppendUint64([]byte("tcplab seed\n"), seed))
	for i, name := range params {
		h.Write(appendText(appendText(nil, name), values[i]))
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// most is how many replications a point has at most.
func (s *Sweep) most() int {
	if s.Spec.Until != nil {
		return s.Spec.Until.Max
	}
	return s.Spec.Replications
}
