package spec_test

import (
	"fmt"

	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

type clients struct {
	To       quantity.Address  `key:"to" required:"true" doc:"The server."`
	Arrivals quantity.Arrivals `key:"arrivals" required:"true" doc:"When connections are opened."`
	Timeout  quantity.Duration `key:"timeout" default:"3s" above:"0s" doc:"When the application gives up."`
}

var registry = &spec.Registry{
	Profiles: []string{"linux"},
	Kinds: []spec.Kind{{
		Name: "clients", Doc: "Open connections, ask and close.",
		New:     func() any { return new(clients) },
		Metrics: []spec.Metric{{Name: "connect_success", Unit: "ratio", Doc: "Attempts that connected in time."}},
	}},
}

const file = `version: 1
name: example
params:
  rate: {default: 20/s, doc: how often clients come}
duration: 60s
hosts: {client: {}, server: {}}
links:
  - {ends: [client, server], delay: 20ms}
workloads:
  - {name: legit, kind: clients, on: client, to: server:80, arrivals: poisson $rate}
expect:
  - legit.connect_success.after(5s) > 90%
`

func ExampleLoad() {
	s, err := spec.Load("example.yaml", []byte(file), map[string]string{"rate": "5/min"}, registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := s.Workload("legit").Config.(*clients)
	fmt.Println(config.To, config.Arrivals, config.Timeout)
	_, err = spec.Load("example.yaml", []byte(file), map[string]string{"rate": "5"}, registry)
	fmt.Println(err)
	// Output:
	// server:80 poisson 0.08333333333333333/s 3s
	// example.yaml:10:71: arrivals: "5" has no unit (write 5/s or 5/min) [from --set rate=5]
}

func ExampleEval() {
	s, err := spec.Load("example.yaml", []byte(file), nil, registry)
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := spec.Eval(&s.Expect[0], func(name string, during *[2]float64) (float64, bool, error) {
		fmt.Println(name, "in", *during)
		return 0.31, false, nil
	})
	fmt.Println(outcome.Passed, outcome.Message, err)
	// Output:
	// legit.connect_success in [5 60]
	// false legit.connect_success.after(5s) > 90%: is 31% <nil>
}
