package spec

import (
	"fmt"

	"tcplab/scenarios/quantity"
)

// Failure is something that befalls a host at a time.
type Failure struct {
	Pos      Pos
	On       quantity.Host      `key:"on" required:"true" example:"server" doc:"The host, or the group of hosts, that it befalls."`
	Kind     string             `key:"kind" required:"true" enum:"crash,unplug,kill" doc:"What happens. crash: the host loses power; all that its stack and its workloads knew is gone, its links are down, and what comes for an old connection after it has booted is answered with RST. unplug: the links of the host are down and nothing else changes. kill: processes end; the kernel closes their sockets, with FIN or, where data have not been read, with RST, and answers SYNs with RST."`
	At       quantity.Duration  `key:"at" required:"true" instant:"true" example:"60s" doc:"When it happens."`
	Back     *quantity.Duration `key:"back" instant:"true" example:"75s" doc:"When the host has booted, the cable is plugged in, or the processes run again. Servers then listen again; idle_connections, request_response and bulk open their connections again; users of clients who came in the meantime are gone. Without it, never."`
	Count    *int               `key:"count" min:"1" example:"3" doc:"How many hosts of a group it befalls, the first ones; without it all."`
	Workload string             `key:"workload" example:"web" doc:"The workload whose process is killed; without it all of the host."`
	Name     string             `key:"name" example:"reboot" doc:"The name under which figures shade the time from at to back (events); without it that of the kind."`
}

// The kinds of failure.
const (
	Crash  = "crash"
	Unplug = "unplug"
	Kill   = "kill"
)

// Validate implements Validator.
func (f *Failure) Validate(report func(field, message string)) {
	if f.Back != nil && *f.Back <= f.At {
		report("back", fmt.Sprintf("%v is not after at (%v)", *f.Back, f.At))
	}
	if f.Workload != "" && f.Kind != "" && f.Kind != Kill {
		report("workload", fmt.Sprintf("a %s befalls the whole host (write kind: kill, or remove it)", f.Kind))
	}
}

// Label is the name under which figures know the failure.
func (f *Failure) Label() string {
	if f.Name == "" {
		return f.Kind
	}
	return f.Name
}

// Disconnects reports whether the links of the host are down meanwhile.
func (f *Failure) Disconnects() bool { return f.Kind != Kill }

// checkFailures checks that the workloads that are killed are where they are
// said to be, and that names of failures are told from those of workloads.
func (d *decoder) checkFailures(root *node) {
	n := root.get("failures")
	if n == nil || n.kind != sequenceNode || len(n.items) != len(d.scenario.Failures) {
		return
	}
	for i := range d.scenario.Failures {
		f := &d.scenario.Failures[i]
		if at := n.items[i].get("name"); at != nil {
			if !quantity.ValidName(f.Name) {
				d.fail(at, "name: %s is not a name for a failure (a name is a small letter, then small letters, digits and _)", quote(f.Name))
			} else if o, taken := d.owners[f.Name]; taken {
				d.fail(at, "the name %s is taken by %s (figures tell them apart: choose another)", quote(f.Name), o.what)
			}
		}
		if h := d.scenario.Host(string(f.On)); f.Count != nil && h != nil && *f.Count > len(h.Members()) {
			d.fail(n.items[i].get("count"), "count: %s stands for %d, fewer than %d", f.On, len(h.Members()), *f.Count)
		}
		d.checkKilled(f, n.items[i])
	}
}

// checkKilled checks that a process that is killed is there.
func (d *decoder) checkKilled(f *Failure, n *node) {
	var names []string
	receives := false
	for _, w := range d.scenario.Workloads {
		if w.On == f.On {
			names = append(names, w.Name)
		}
		p, ok := w.Config.(Provider)
		receives = receives || ok && p.Provides().Host == f.On
	}
	switch {
	case f.Workload != "" && !has(names, f.Workload):
		d.fail(n.get("workload"), "workload: %s runs no workload %s %s", f.On, quote(f.Workload), instead(f.Workload, names))
	case f.Workload == "" && f.Kind == Kill && len(names) == 0 && !receives:
		d.warn(f.Pos, fmt.Sprintf("on: %s runs no workload, so that nothing is killed (write kind: crash or kind: unplug for the host itself)", f.On))
	}
}
