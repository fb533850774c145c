package sweep

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcplab/des"
	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

var (
	kills       = flag.Int("kills", 1, "how often the sweep of the kill test is killed with each number of workers")
	repetitions = flag.Int("repetitions", 200, "how often the experiments of the coverage tests are repeated")
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// text is a scenario whose runs take a millisecond.
const text = `version: 1
name: tiny
title: A tiny sweep
params:
  rate:    {default: 20/s, doc: x}
  request: {default: 100B, doc: x}
  cc:      {default: reno, doc: x}
duration: 3s
hosts: {client: {}, server: {sysctl: {tcp_congestion_control: $cc}}}
links: [{ends: [client, server], delay: 5ms, rate: 10Mbit/s, loss: 1%}]
workloads:
  - {name: web, kind: server, on: server, port: 80, response: 2kB}
  - {name: legit, kind: clients, on: client, to: server:80, arrivals: poisson $rate, request: $request}
measure: {interval: 500ms, warmup: 500ms}
`

// load reads the tiny scenario with a sweep of its own.
func load(t testing.TB, sweep string) *spec.Scenario {
	t.Helper()
	all := text
	if sweep != "" {
		all += "sweep: " + sweep + "\n"
	}
	sc, err := spec.Load("tiny.yaml", []byte(all), nil, scenarios.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func newSweep(t testing.TB, sweep string, r Request) *Sweep {
	t.Helper()
	s, err := New(load(t, sweep), r, "test")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// experiment is what a toy sweep does in place of a scenario: the values of the
// metrics a and b, which may be random by the stream that it is given.
type experiment func(values []string, replication uint32, stream *rand.Rand) (metrics []float64, batches [][]float64, err error)

// toy puts an experiment in the place of the scenario.
func toy(s *Sweep, f experiment) *Sweep {
	metrics := newSchema([]string{"toy.a", "toy.b"}, []string{"s", "ratio"})
	s.prepare = func(values []string) (*point, error) {
		p := &point{key: s.key(sha256.Sum256([]byte(strings.Join(values, "\x00"))))}
		name := "toy"
		if s.Spec.Streams == "independent" {
			name += fmt.Sprint(values)
		}
		p.run = func(_ context.Context, replication uint32, progress func(uint64)) (*record, error) {
			m, batches, err := f(values, replication, des.New(s.Scenario.Seed, replication).Stream(name))
			progress(3)
			return &record{key: p.key, replication: replication, schema: metrics, events: 3, values: m, batches: batches}, err
		}
		return p, nil
	}
	return s
}

func mustRun(t testing.TB, s *Sweep, dir string, o Options) *Outcome {
	t.Helper()
	out, err := s.Run(context.Background(), dir, "v", "go", o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// final returns the files that must not depend on how they came to be.
func final(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{resultsName, parquetName, summaryName, differencesName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			if name == differencesName && os.IsNotExist(err) {
				continue
			}
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

func sameFiles(t testing.TB, what string, want, got map[string]string) {
	t.Helper()
	if len(want) != len(got) || len(want) < 3 {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
	for name := range want {
		if want[name] != got[name] {
			t.Errorf("%s: %s differs (%d and %d bytes)", what, name, len(want[name]), len(got[name]))
		}
	}
}
