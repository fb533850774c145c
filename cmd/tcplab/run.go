package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// runOptions are the flags of run.
type runOptions struct {
	input
	replications int
	out          string
	pcap         hostList
	conns        []int
	json, quiet  bool
	look         look
}

// What is traced if nothing is asked for.
const (
	firstConns  = 3
	firstEvents = 2000
)

// trace says which connections are traced.
func (o *runOptions) trace() (scenarios.Trace, error) {
	for _, n := range o.conns {
		if n < 1 {
			return scenarios.Trace{}, usageError{fmt.Errorf("--conn %d: connections are numbered from 1", n)}
		}
	}
	if len(o.conns) > 0 {
		return scenarios.Trace{Conns: o.conns}, nil
	}
	return scenarios.Trace{First: firstConns, Events: firstEvents}, nil
}

// hostList is the value of --pcap.
type hostList struct {
	given bool
	hosts []string
}

// anyHost is what --pcap alone sets; no host can be called so. Together with
// the type "count" it makes the help read --pcap [=HOST,..].
const anyHost = "+1"

// Set implements pflag.Value.
func (h *hostList) Set(text string) error {
	h.given = true
	if text == anyHost {
		return nil
	}
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return errors.New("the name of a host is missing")
		}
		h.hosts = append(h.hosts, name)
	}
	return nil
}

// String implements pflag.Value.
func (h *hostList) String() string { return strings.Join(h.hosts, ",") }

// Type implements pflag.Value.
func (h *hostList) Type() string { return "count" }

func (a *app) runCommand() *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run FILE|NAME",
		Short: "Run a scenario; leave results and figures in a directory",
		Long: fmt.Sprintf(`Run a scenario, the one in FILE or the one of the library called NAME, print
what came of it, and leave metrics, series, figures and the connections in a
directory. An older result of tcplab there is replaced, anything else refused.

trace/N.csv has all that happened at both ends of connection N, for --conn or the
first %d connections from each host to each address, in their first %d events.

--pcap writes packets.pcapng, too: what passes one host, by default that of the
first server, else the first host; several hosts become one interface each. With
replications it is the first one that is traced and captured.`, firstConns, firstEvents),
		Example: `  tcplab run syn-flood
  tcplab run syn-flood --set syncookies=1 --out results/cookies
  tcplab run lost-syn-ack --pcap=client
  tcplab run my.yaml --replications 20 --json`,
		Args:              needs(1, "one FILE or NAME"),
		ValidArgsFunction: completeScenario,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0], o) },
	}
	flags := cmd.Flags()
	o.addFlags(flags)
	flags.IntVar(&o.replications, "replications", 1, "make `N` runs with random numbers of their own")
	flags.StringVar(&o.out, "out", "", "put the results into `DIR` (default results/NAME)")
	flags.IntSliceVar(&o.conns, "conn", nil, "trace the connections with these `NUMBERS`, separated by commas")
	flags.Var(&o.pcap, "pcap", "capture packets; `[=HOST,..]` says where (default the first server)")
	flags.Lookup("pcap").NoOptDefVal = anyHost
	o.look.addFlags(flags)
	completeLook(cmd)
	flags.BoolVar(&o.json, "json", false, "print summary.json and nothing else")
	flags.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	if err := cmd.RegisterFlagCompletionFunc("set", completeSet); err != nil {
		panic(err)
	}
	return cmd
}

func (a *app) run(cmd *cobra.Command, ref string, o *runOptions) (err error) {
	if o.replications < 1 {
		return usageError{fmt.Errorf("--replications %d: there must be at least 1", o.replications)}
	}
	trace, err := o.trace()
	if err != nil {
		return err
	}
	sc, err := a.load(cmd, ref, &o.input, o.quiet)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	points, err := o.vantage(sc)
	if err != nil {
		return err
	}
	dir := cmp.Or(o.out, filepath.Join("results", sc.Name))
	if sweep.IsSweep(dir) {
		return usageError{fmt.Errorf("%s holds a sweep, which a run does not replace (choose another directory, such as --out %s-run, or remove it)", dir, dir)}
	}
	target, err := scenarios.OpenTarget(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Discard()) }()

	bar := a.newProgress(sc.Name, o.quiet)
	start := time.Now()
	options := scenarios.Options{Replications: o.replications, Progress: bar.update, Trace: trace, Figures: true}
	outcome, err := runCaptured(ctx, sc, options, target, points)
	wall := time.Since(start)
	bar.finish()
	if err != nil {
		return err
	}
	results, err := scenarios.NewResults(sc, outcome)
	if err != nil {
		return err
	}
	results.Manifest.Version, results.Manifest.Go = version(), runtime.Version()
	results.Manifest.WallSeconds, results.Manifest.Captured = wall.Seconds(), points
	a.warnOfConns(o.conns, len(outcome.Connections.Rows))
	drawn, err := a.save(results, target, sc, o.look)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := target.Commit(&results.Manifest); err != nil {
		return err
	}
	s := summary{style: a.styleOf(a.stdout), manifest: &results.Manifest, outcome: outcome, dir: dir, figures: drawn}
	a.show(o, results, sc, &s)
	return drawn.err
}

// vantage returns the hosts at which packets are captured, none without --pcap.
func (o *runOptions) vantage(sc *spec.Scenario) ([]string, error) {
	if !o.pcap.given {
		return nil, nil
	}
	points, err := scenarios.Vantage(sc, o.pcap.hosts)
	if err != nil {
		return nil, usageError{fmt.Errorf("--pcap: %w", err)}
	}
	return points, nil
}

// warnOfConns tells of connections asked for that there are not.
func (a *app) warnOfConns(asked []int, there int) {
	for _, n := range asked {
		if n > there {
			a.note("warning: --conn %d: there are %d connections", n, there)
		}
	}
}

// show prints what the user asked to see of a run.
func (a *app) show(o *runOptions, results *scenarios.Results, sc *spec.Scenario, s *summary) {
	switch {
	case o.json:
		a.print("%s", results.Summary)
	case !o.quiet:
		for i := range sc.Expect {
			s.asked = append(s.asked, sc.Expect[i].Metrics()...)
		}
		s.print(a.out)
	}
}

// runCaptured runs a scenario and captures the packets at hosts, if any, in the
// target.
func runCaptured(ctx context.Context, sc *spec.Scenario, o scenarios.Options, target *scenarios.Target, hosts []string) (*scenarios.Outcome, error) {
	if len(hosts) == 0 {
		return scenarios.Run(ctx, sc, o)
	}
	file, err := target.Create(scenarios.PacketsName)
	if err != nil {
		return nil, err
	}
	o.Capture = &scenarios.Capture{Out: file, Hosts: hosts, Tool: "tcplab " + version()}
	outcome, err := scenarios.Run(ctx, sc, o)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return outcome, err
}

// save writes the results, the figures and the page into the target.
func (a *app) save(results *scenarios.Results, target *scenarios.Target, sc *spec.Scenario, l look) (figures, error) {
	if err := results.Write(target); err != nil {
		return figures{}, err
	}
	for _, s := range results.Outcome.Sequences {
		if s.LeftOut > 0 {
			a.note("warning: the sequence of %s ends after %d events, %d more were not kept", s.Name, len(s.Events), s.LeftOut)
		}
	}
	data := results.Outcome.FigureData()
	drawn, err := a.draw(data, sc, filepath.Join(target.Staging(), scenarios.FiguresDir), l)
	if err != nil {
		return drawn, err
	}
	page, err := runPage(&results.Manifest, data, sc, target.Staging())
	if err != nil {
		return drawn, err
	}
	return drawn, writePage(page, target.Staging())
}
