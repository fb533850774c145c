package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tcplab/scenarios/quantity"
)

var scenarioName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Listener is implemented by the config of a workload to which others connect.
type Listener interface {
	// ListenPort is the port on which it accepts connections.
	ListenPort() uint16
}

// Provider is implemented by the config of a workload that listens by itself at
// an address of another host if nobody else does.
type Provider interface {
	// Provides is that address.
	Provides() quantity.Address
}

// Flows is implemented by the config of a workload whose connections figures
// may name.
type Flows interface {
	// Flows is how many it opens at most, and whether figures that name none
	// show them.
	Flows() (n int, shown bool)
}

// check looks at what concerns several parts of a scenario, after decoding.
func (d *decoder) check(root *node) {
	s := d.scenario
	if n := root.get("name"); n != nil && s.Name != "" && !scenarioName.MatchString(s.Name) {
		d.fail(n, "name: %s is not a name (small letters, digits, - and _, for example syn-flood)", quote(s.Name))
	}
	if n := root.get("measure").get("warmup"); n != nil && s.Duration > 0 && s.Measure.Warmup >= s.Duration {
		d.fail(n, "warmup: %v leaves nothing of the run to measure (less than duration: %v)", s.Measure.Warmup, s.Duration)
	}
	for i := range s.Links {
		if l := &s.Links[i]; l.Name == "" {
			l.Name = l.Ends[0] + "_" + l.Ends[1]
		}
	}
	if check := d.registry.CheckLink; check != nil && len(d.problems) == 0 {
		for i := range s.Links {
			if err := check(&s.Links[i]); err != nil {
				d.report(s.Links[i].Pos, fmt.Sprintf("link %s: %s", s.Links[i].Name, strings.ReplaceAll(err.Error(), "\n", "; ")))
			}
		}
	}
	d.checkGroups()
	d.checkMiddleboxes()
	d.checkFailures(root)
	d.checkHosts(root)
	d.checkPorts()
	d.checkFigures(root.get("figures"), s.Figures, false)
	if s.Sweep != nil {
		d.checkFigures(root.get("sweep").get("figures"), s.Sweep.Figures, true)
		d.checkSweep(root.get("sweep"))
	}
}

func (d *decoder) checkHosts(root *node) {
	if n := root.get("hosts"); n != nil && n.kind == mappingNode && len(n.items) == 0 || n != nil && n.null {
		d.fail(n, "hosts: there is none (write hosts: {client: {}, server: {}})")
	}
	for _, h := range d.scenario.Hosts {
		if len(d.reach.links[h.Name]) == 0 && !d.reach.broken {
			d.warn(h.Pos, fmt.Sprintf("the host %s has no link (add one to links, or remove the host)", h.Name))
		}
	}
}

// checkPorts warns of workloads that address a port where nothing listens, which
// is right only for those who want to see a reset.
func (d *decoder) checkPorts() {
	listening := map[string]bool{}
	var all []string
	for _, w := range d.scenario.Workloads {
		if l, ok := w.Config.(Listener); ok {
			at := fmt.Sprintf("%s:%d", w.On, l.ListenPort())
			if l.ListenPort() == 0 {
				continue
			}
			if listening[at] {
				d.report(w.At("on"), fmt.Sprintf("on: another workload listens on %s already (give one another port)", at))
			}
			listening[at] = true
			all = append(all, at)
		}
	}
	for _, w := range d.scenario.Workloads {
		if p, ok := w.Config.(Provider); ok {
			listening[p.Provides().String()] = true
		}
	}
	for _, a := range d.addresses {
		if text := a.at.text(); len(all) > 0 && !listening[strings.TrimSpace(text)] {
			d.warn(a.at.Pos, fmt.Sprintf("%s: nothing listens on %s, which answers with a reset (listening: %s)", a.key, text, join(all)))
		}
	}
}

func (d *decoder) checkFigures(n *node, figures []Figure, sweep bool) {
	if n == nil || n.kind != sequenceNode || len(n.items) != len(figures) {
		return
	}
	for i, f := range figures {
		at := n.items[i]
		for j, name := range f.Series {
			if sweep {
				d.metricName(at.get("series").items[j], "series", name, wantValue)
				continue
			}
			d.figureName(at.get("series").items[j], d.registry.Shows[f.Kind], name)
		}
		for j, name := range f.Events {
			if names := d.eventNames(); !has(names, name) {
				d.fail(at.get("events").items[j], "events: there is no workload, middlebox or failure %s %s", quote(name), instead(name, names))
			}
		}
		if n := at.get("name"); n != nil && f.Name != "" && !scenarioName.MatchString(f.Name) {
			d.fail(n, "name: %s is not a name for files (small letters, digits, - and _)", quote(f.Name))
		}
		d.checkReferences(at, &figures[i], sweep)
		for _, axis := range []struct{ key, name string }{{"x", f.X}, {"y", f.Y}, {"by", f.By}} {
			if axis.name == "" {
				continue
			}
			if strings.Contains(axis.name, ".") {
				d.metricName(at.get(axis.key), axis.key, axis.name, wantAny)
			} else if sweep {
				d.sweptParam(at.get(axis.key), axis.key, axis.name)
			}
		}
	}
}

// eventNames are the names of what has a time that figures may shade.
func (d *decoder) eventNames() []string {
	var names []string
	for _, w := range d.scenario.Workloads {
		names = append(names, w.Name)
	}
	for _, m := range d.scenario.Middleboxes {
		names = append(names, m.Name)
	}
	for i := range d.scenario.Failures {
		if name := d.scenario.Failures[i].Label(); name != "" && !has(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// figureName checks one of the names of a figure.
func (d *decoder) figureName(n *node, shows Shows, name string) {
	switch {
	case shows == ShowsSeries || strings.Contains(name, "."):
		d.metricName(n, "series", name, wantSeries)
	case shows == ShowsHosts && !has(d.hosts, name):
		d.fail(n, "series: there is no host %s %s", quote(name), instead(name, d.hosts))
	case shows == ShowsFlows && !slices.ContainsFunc(d.scenario.Workloads, func(w Workload) bool { return w.flow(name) }):
		var names []string
		for _, w := range d.scenario.Workloads {
			if _, ok := w.Config.(Flows); ok {
				names = append(names, w.Name)
			}
		}
		d.fail(n, "series: there is no workload %s with a connection to look at %s", quote(name), instead(name, names))
	}
}

func (d *decoder) sweptParam(n *node, key, name string) {
	swept := d.scenario.Sweep.Params()
	if !has(swept, name) {
		d.fail(n, "%s: %s is neither a parameter of the sweep nor a metric such as legit.connect_success %s", key, quote(name), instead(name, swept))
	}
}

type want uint8

const (
	wantAny want = iota
	wantSeries
	wantValue
)

// metricName checks owner.quantity and returns the catalogue entry, with an
// empty name if there is no catalogue.
func (d *decoder) metricName(n *node, key, name string, w want) Metric {
	m, problem := d.findMetric(name, w)
	if problem != "" {
		d.fail(n, "%s: %s", key, problem)
	}
	return m
}

func (d *decoder) findMetric(name string, w want) (Metric, string) {
	first, rest, ok := strings.Cut(name, ".")
	if !ok || strings.Contains(rest, ".") || first == "" || rest == "" {
		return Metric{}, fmt.Sprintf("%s is not a metric (write OWNER.NAME, such as server.syn_queue)", quote(name))
	}
	o, ok := d.owners[d.group(first)]
	if !ok {
		return Metric{}, fmt.Sprintf("nothing is called %s %s", quote(first), instead(first, d.names))
	}
	if o.metrics == nil {
		return Metric{}, ""
	}
	names := o.names(w)
	for _, m := range o.metrics {
		switch {
		case m.Name != rest:
		case has(names, rest):
			return m, ""
		case w == wantSeries:
			return m, fmt.Sprintf("%s is a single value, and a series is drawn %s", name, instead(rest, names))
		default:
			return m, fmt.Sprintf("%s has a course in time and no single value %s", name, instead(rest, names))
		}
	}
	return Metric{}, fmt.Sprintf("%s %s has no %s %s", o.what[strings.Index(o.what, " ")+1:], first, quote(rest), instead(rest, names))
}

// names lists the metrics of an owner that serve.
func (o owner) names(w want) []string {
	var names []string
	for _, m := range o.metrics {
		both := m.Series == m.Value
		if w == wantAny || both || w == wantSeries && m.Series || w == wantValue && m.Value {
			names = append(names, m.Name)
		}
	}
	return names
}
