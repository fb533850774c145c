package plots

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A binder finds the arguments of a formula that is named without them.
type binder struct {
	over   Column          // on the horizontal axis
	metric Column          // on the vertical axis
	vars   map[string]bool // parameters and constants that are numbers

	constants map[string]float64
}

// accepts is in the names of metrics that count what is not blocked.
var accepts = regexp.MustCompile(`accept|success`)

// bindings are names under which parameters are known, and a value that is
// usual if there is none.
var bindings = map[string]struct {
	names []string
	usual string
}{
	"slots":   {[]string{"backlog", "slots", "listen_backlog", "somaxconn", "tcp_max_syn_backlog"}, ""},
	"retries": {[]string{"synack_retries", "tcp_synack_retries"}, "5"},
	"initial": {[]string{"initial_rto", "init_rto"}, "1s"},
	"p":       {[]string{"p", "loss", "loss_rate", "loss_ratio"}, ""},
	"rtt":     {[]string{"rtt", "base_rtt"}, ""},
	"rto":     {[]string{"rto", "rto_min"}, "1s"},
	"t0":      {[]string{"t0", "rto", "rto_min"}, "1s"},
	"b":       {[]string{"b", "ack_every"}, "1"},
	"wmax":    {[]string{"wmax", "window"}, "inf"},
	"size":    {[]string{"mss", "segment_size"}, "1460B"},
	"c":       {nil, "0.4"},
	"beta":    {nil, "0.7"},
}

// find is how an argument is written: the name of a parameter, or the usual
// value.
func (b *binder) find(arg string) (string, error) {
	if arg == "p" && b.over.Unit == "ratio" {
		return b.over.Name, nil
	}
	known := bindings[arg]
	for _, name := range known.names {
		if b.vars[name] {
			return name, nil
		}
	}
	if known.usual != "" {
		return known.usual, nil
	}
	return "", fmt.Errorf("no parameter gives %s (looked for %s): write the formula with its arguments", arg, strings.Join(known.names, ", "))
}

// load is the Erlang load: an arrival rate times the lifetime of an entry.
func (b *binder) load() (string, error) {
	rate := ""
	if b.over.Unit == "1/s" {
		rate = b.over.Name
	}
	for _, name := range []string{"flood_rate", "syn_rate", "arrival_rate", "rate"} {
		if rate == "" && b.vars[name] {
			rate = name
		}
	}
	if rate == "" {
		return "", fmt.Errorf("no parameter gives the rate of arrivals (unit 1/s on the horizontal axis, or flood_rate): write erlang_b(rate * lifetime, slots)")
	}
	for _, name := range []string{"lifetime", "holding_time"} {
		if b.vars[name] {
			return rate + " * " + name, nil
		}
	}
	initial, err := b.find("initial")
	if err != nil {
		return "", err
	}
	retries, err := b.find("retries")
	return fmt.Sprintf("%s * half_open_lifetime(%s, %s)", rate, initial, retries), err
}

// arguments writes a formula out, for the metric: the share that is accepted
// where the formula has the share that is blocked, a rate where it has a window.
func (b *binder) arguments(f Formula) (string, error) {
	var args []string
	for _, a := range f.Args {
		find := b.find
		if a == "load" {
			find = func(string) (string, error) { return b.load() }
		}
		text, err := find(a)
		if err != nil {
			return "", err
		}
		args = append(args, text)
	}
	call := f.Name + "(" + strings.Join(args, ", ") + ")"
	if f.Name == "erlang_b" {
		if accepts.MatchString(b.metric.Name) {
			return "1 - " + call, nil
		}
		return call, nil
	}
	if f.Name == "tfrc" && b.metric.Unit == "bit/s" {
		return "8 * " + call, nil
	}
	windows := slices.Contains([]string{"mathis", "ott", "cubic", "highspeed"}, f.Name)
	if !windows && !strings.HasPrefix(f.Name, "pftk") {
		return call, nil
	}
	return b.convert(call, windows)
}

// convert turns segments, or segments per second, into the unit of the metric.
func (b *binder) convert(call string, window bool) (string, error) {
	factor := map[string]string{"bit/s": "8", "B/s": "1", "B": "1"}[b.metric.Unit]
	perSecond := strings.HasSuffix(b.metric.Unit, "/s")
	if window && perSecond {
		rtt, err := b.find("rtt")
		if err != nil {
			return "", err
		}
		call += " / " + rtt
	}
	if factor == "" {
		return call, nil
	}
	size, err := b.find("size")
	if err != nil {
		return "", err
	}
	return call + " * " + size + " * " + factor, nil
}
