package spec

import (
	"fmt"
	"strconv"
	"strings"

	"tcplab/scenarios/quantity"
)

// Version is the version of the scenario language that this package reads.
const Version = 1

// Scenario is a scenario file that has been read and checked: what it says, with
// parameters resolved and defaults filled in. The field tags are the language;
// schema and reference are made from them.
type Scenario struct {
	// File is the name that problems carry.
	File        string
	Pos         Pos
	Version     int               `key:"version" required:"true" example:"1" doc:"The version of the scenario language: 1."`
	Name        string            `key:"name" required:"true" example:"syn-flood" doc:"A short name, from which results/NAME is made: small letters, digits, - and _."`
	Title       string            `key:"title" example:"What happens" doc:"One line that says what the scenario shows."`
	Topic       string            `key:"topic" example:"Closing a connection" doc:"What the scenario is about, in a few words: tcplab list groups the library by it."`
	Description string            `key:"description" example:"What to look for." doc:"What to look for, in a few sentences."`
	Params      []Param           `key:"params" named:"Name" item:"a parameter" example:"{NAME: {default: VALUE}}" doc:"Parameters: names for values that --set and sweeps change. Elsewhere in the file, $NAME stands for a whole value or for a word between blanks."`
	Duration    quantity.Duration `key:"duration" required:"true" above:"0s" example:"60s" doc:"How long the simulated time is."`
	Seed        uint64            `key:"seed" default:"1" doc:"The seed of all random streams. --seed overrides it."`
	Hosts       []Host            `key:"hosts" required:"true" named:"Name" item:"a host" example:"{client: {}, server: {}}" doc:"The hosts that have a TCP stack."`
	Topology    *Topology         `key:"topology" example:"{kind: dumbbell, left: [client], right: [server], bottleneck: {rate: 10Mbit/s}}" doc:"A short form for links of a usual shape, beside those under links."`
	Links       []Link            `key:"links" item:"a link" example:"[{ends: [client, server], delay: 20ms, rate: 100Mbit/s}]" doc:"The links between hosts and routers. An end that hosts does not declare is a router; it needs two links or more."`
	Middleboxes []Middlebox       `key:"middleboxes" item:"a middlebox" example:"[{name: nat, kind: nat, inside: home, outside: isp}]" doc:"What stands in the path and looks into segments: NATs, firewalls, SYN proxies, rate limiters, paths that die."`
	Workloads   []Workload        `key:"workloads" item:"a workload" example:"[{name: web, kind: server, on: server}]" doc:"What the hosts do."`
	Failures    []Failure         `key:"failures" item:"a failure" example:"[{on: server, kind: crash, at: 60s, back: 75s}]" doc:"What befalls hosts and processes: crashes, pulled cables, killed processes."`
	Measure     Measure           `key:"measure" doc:"How the run is measured."`
	Expect      []Expectation     `key:"expect" item:"an expectation" example:"[legit.connect_success > 0.9]" doc:"What must hold after the run: comparisons of metrics. tcplab check fails if one does not."`
	Figures     []Figure          `key:"figures" item:"a figure" example:"[{kind: timeseries, series: [server.syn_queue]}]" doc:"What is drawn."`
	Style       string            `key:"style" enum:"ieee,acm,thesis,slides,screen" default:"ieee" doc:"For whom figures are drawn: how wide they are and how large their letters. --style overrides it."`
	Formats     []string          `key:"formats" enum:"pdf,svg,png,eps,tex,csv" doc:"The formats of the figures, such as [pdf, csv]; without the key [pdf, svg, png]. csv is the data of a figure. --format overrides it."`
	Sweep       *Sweep            `key:"sweep" example:"{grid: {PARAMETER: [VALUE, VALUE]}, replications: 10}" doc:"The points of tcplab sweep."`

	// Routers are the ends of links that are no hosts, in the order of the
	// file.
	Routers []string
	// Warnings are what is worth a look but not wrong.
	Warnings []Problem

	root   *node
	source *source
	files  []*File
}

// Host is a host with a TCP stack.
type Host struct {
	Pos     Pos
	Name    string
	Profile string   `key:"profile" enum:"@profiles" doc:"The stack that the host has."`
	Count   *int     `key:"count" min:"1" max:"10000" example:"100" doc:"How many hosts of this kind there are: NAME1, NAME2 and so on. NAME stands for all of them: a link is one for each, a workload runs on each, and metrics are of all together. Where a workload names two groups, the first host of one works with the first of the other."`
	Sysctl  Settings `key:"sysctl" example:"{tcp_syn_retries: 1}" doc:"Settings of the stack that differ from its profile, under their Linux names."`
}

// Settings are the values of knobs, in the order of the file.
type Settings []Setting

// Setting is the value of one knob.
type Setting struct {
	Pos  Pos
	Name string
	// Value is what Knob.Parse returned.
	Value any
	// Text is the value as written.
	Text string
}

// Measure is how a run is measured.
type Measure struct {
	Interval quantity.Duration `key:"interval" default:"1s" above:"0s" doc:"The length of the intervals of time series."`
	Warmup   quantity.Duration `key:"warmup" default:"0s" instant:"true" doc:"The time at the start that metrics leave out."`
}

// Figure is a picture of results. What the fields mean depends on the kind.
type Figure struct {
	Pos    Pos
	Kind   string   `key:"kind" required:"true" enum:"@figures" example:"timeseries" doc:"The kind of figure."`
	Name   string   `key:"name" example:"backlog" doc:"The name of the files. Without it the figure is named after its kind and place."`
	Title  string   `key:"title" example:"Half-open connections" doc:"A line above the figure. Without it there is none, as papers want it."`
	Series []string `key:"series" item:"a series" example:"[server.syn_queue]" doc:"What is drawn: series or distributions, as OWNER.NAME; of a sweep, metrics, in a panel each; for congestion and sequence, bulk workloads, or one of several connections as WORKLOAD_2 (without the key all of them); for congestion also clients, users and request_response, whose second connection is WORKLOAD_2, seen from the end that sends more (WORKLOAD alone is the first four); for gantt and occupancy, hosts whose connections are shown (without the key those that opened them)."`
	Events []string `key:"events" item:"a workload" example:"[flood]" doc:"The workloads, middleboxes and failures whose time is shaded."`

	X         string             `key:"x" example:"flood_rate" doc:"Of a sweep: the parameter on the horizontal axis."`
	Y         string             `key:"y" example:"legit.connect_success" doc:"Of a sweep: the metric on the vertical axis, or that of the colours of a heatmap."`
	By        string             `key:"by" example:"backlog" doc:"Of a sweep: the parameter that tells the lines apart, or the one on the vertical axis of a heatmap."`
	Theory    string             `key:"theory" example:"erlang_b" doc:"The closed form that is drawn beside the results of a sweep."`
	Intervals string             `key:"intervals" enum:"bars,bands,none" default:"bars" doc:"How lines show confidence intervals."`
	XScale    string             `key:"x_scale" enum:"auto,linear,log" default:"auto" doc:"The scale of the horizontal axis."`
	YScale    string             `key:"y_scale" enum:"auto,linear,log" default:"auto" doc:"The scale of the vertical axis, of the first panel if there are several."`
	XLabel    string             `key:"x_label" example:"Flood rate (1/s)" doc:"The label of the horizontal axis, if the usual one does not serve."`
	YLabel    string             `key:"y_label" example:"Success ratio" doc:"The label of the vertical axis, if the usual one does not serve."`
	From      *quantity.Duration `key:"from" instant:"true" example:"10s" doc:"Where a time axis begins."`
	Until     *quantity.Duration `key:"until" instant:"true" example:"12s" doc:"Where a time axis ends."`
	Panels    string             `key:"panels" enum:"unit,series" default:"unit" doc:"Which series share a panel: those of a unit, or none."`
	Points    string             `key:"points" enum:"interval,ack" default:"interval" doc:"When a congestion figure has a point: at each measurement interval, or at each ACK and retransmission (of the first replication)."`
	Limits    []Limit            `key:"limits" item:"a limit" example:"[{series: server.syn_queue, value: 97, label: full}]" doc:"Horizontal lines at values of note."`
	Reference []FigureReference  `key:"reference" item:"a reference" example:"[{label: Linux 6.18, points: [[1%, 2.1Mbit/s]]}]" doc:"Of lines of a sweep: values from elsewhere, such as measurements or a published figure, drawn as open markers."`
	Bins      int                `key:"bins" default:"0" min:"0" max:"1000" doc:"How many bins a histogram has; 0 is as many as suit the data."`
	Width     string             `key:"width" enum:"column,wide" default:"column" doc:"Whether the figure is as wide as a column or as the page."`
}

// Limit is a line at a value of a series.
type Limit struct {
	Pos    Pos
	Series string  `key:"series" required:"true" example:"server.syn_queue" doc:"The series in whose panel it is."`
	Value  float64 `key:"value" required:"true" example:"97" doc:"The value, in the unit of the series (s, bit/s, ...)."`
	Label  string  `key:"label" example:"backlog" doc:"What it is called."`
}

// Workload is something that a host does.
type Workload struct {
	Pos  Pos
	Name string        `key:"name" required:"true" example:"web" doc:"The name under which its metrics appear: a small letter, then small letters, digits and _."`
	Kind string        `key:"kind" required:"true" example:"server" doc:"What kind of workload it is."`
	On   quantity.Host `key:"on" required:"true" example:"server" doc:"The host that does it, a group of hosts, or one of a group by its name and number, as user3."`
	// Config is what the New of the kind returned, filled in.
	Config any

	node *node
}

// At returns where a key of the workload is written, or where the workload
// begins if it is not.
func (w *Workload) At(key string) Pos {
	if n := w.node.get(key); n != nil {
		return n.Pos
	}
	return w.Pos
}

// FlowName is the name under which figures show connection i of a workload, from
// 0: that of the workload, if there is but one, else with a number behind it.
func (w *Workload) FlowName(i int) string {
	if f, ok := w.Config.(Flows); ok {
		if n, _ := f.Flows(); n == 1 {
			return w.Name
		}
	}
	return w.Name + "_" + strconv.Itoa(i+1)
}

// FlowIndex is the number from 0 of the connection with a name.
func (w *Workload) FlowIndex(name string) (i int, ok bool) {
	f, ok := w.Config.(Flows)
	if !ok {
		return 0, false
	}
	n, _ := f.Flows()
	if n == 1 {
		return 0, name == w.Name
	}
	number, err := strconv.Atoi(strings.TrimPrefix(name, w.Name+"_"))
	return number - 1, err == nil && number >= 1 && number <= n && name == w.FlowName(number-1)
}

// flow reports whether a name is that of a connection, or of all.
func (w *Workload) flow(name string) bool {
	_, ok := w.Config.(Flows)
	_, one := w.FlowIndex(name)
	return one || ok && name == w.Name
}

// Host returns the host with that name, nil if there is none.
func (s *Scenario) Host(name string) *Host {
	for i := range s.Hosts {
		if s.Hosts[i].Name == name {
			return &s.Hosts[i]
		}
	}
	return nil
}

// Workload returns the workload with that name, nil if there is none.
func (s *Scenario) Workload(name string) *Workload {
	for i := range s.Workloads {
		if s.Workloads[i].Name == name {
			return &s.Workloads[i]
		}
	}
	return nil
}

// Problem makes an error of the usual form about a place in the file, for those
// who find out later that it cannot be built.
func (s *Scenario) Problem(at Pos, format string, args ...any) error {
	return Errors{{s.File, at, fmt.Sprintf(format, args...)}}
}

// ParamsText lists the parameters for `tcplab params`: name, value, doc, one per
// line.
func (s *Scenario) ParamsText() string {
	names, values := len("PARAMETER"), len("DEFAULT")
	for _, p := range s.Params {
		names, values = max(names, len(p.Name)), max(values, len(p.Default))
	}
	var out strings.Builder
	line := func(name, value, doc string) {
		out.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %-*s  %s", names, name, values, value, doc), " ") + "\n")
	}
	if len(s.Params) == 0 {
		return "no parameters\n"
	}
	line("PARAMETER", "DEFAULT", "MEANING")
	for _, p := range s.Params {
		doc := p.Doc
		if p.Set {
			doc = strings.TrimSpace(doc + " [set to " + p.Value + "]")
		}
		line(p.Name, p.Default, doc)
	}
	return out.String()
}
