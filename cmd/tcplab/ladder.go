package main

import (
	"fmt"
	"math"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"tcplab/des"
	"tcplab/plots"
	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

// ladderOptions are the flags of ladder.
type ladderOptions struct {
	input
	conn          int
	from, until   string
	absolute, all bool
	lang          string
	svg, pdf      string
	quiet         bool
}

// ladderEvents bounds what is kept of a connection.
const ladderEvents = 200_000

func (a *app) ladderCommand() *cobra.Command {
	o := &ladderOptions{}
	cmd := &cobra.Command{
		Use:   "ladder FILE|NAME",
		Short: "Draw the exchange of one connection as a ladder",
		Long: `Run a scenario and print the exchange of one of its connections in the manner of
the figures of RFC 9293: the states of both ends after each segment, and what the
segments say. A line bears the time at which its segment leaves; how long it took
stands behind the segment. A segment that crosses another one has two lines, with
an ellipsis where it is under way; XXX marks one that is lost.

Long rows of data and acknowledgements are put into one line, unless --all is
given; --from and --until choose a time. --svg and --pdf draw it besides, with
time to scale.`,
		Example: `  tcplab ladder handshake
  tcplab ladder lost-syn-ack --lang zh --svg ladder.svg
  tcplab ladder shared-bottleneck --conn 2 --from 30s --until 30.1s`,
		Args:              needs(1, "one FILE or NAME"),
		ValidArgsFunction: completeScenario,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.ladder(cmd, args[0], o) },
	}
	f := cmd.Flags()
	o.addFlags(f)
	f.IntVar(&o.conn, "conn", 1, "show connection number `N`")
	f.StringVar(&o.from, "from", "", "leave out segments before the time `T`, such as 30s")
	f.StringVar(&o.until, "until", "", "leave out segments from the time `T` on")
	f.BoolVar(&o.absolute, "absolute", false, "show sequence numbers as they are on the wire")
	f.BoolVar(&o.all, "all", false, "show every line")
	f.StringVar(&o.svg, "svg", "", "draw it into `FILE`, as SVG")
	f.StringVar(&o.pdf, "pdf", "", "draw it into `FILE`, as PDF")
	f.StringVar(&o.lang, "lang", "en", "language of the words, en or zh")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	if err := cmd.RegisterFlagCompletionFunc("set", completeSet); err != nil {
		panic(err)
	}
	if err := cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "zh"}, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
	return cmd
}

// window reads --from and --until.
func (o *ladderOptions) window() (from, until des.Time, err error) {
	until = math.MaxInt64
	for _, x := range []struct {
		flag, text string
		to         *des.Time
	}{{"from", o.from, &from}, {"until", o.until, &until}} {
		if x.text == "" {
			continue
		}
		var d quantity.Duration
		if err := d.UnmarshalText([]byte(x.text)); err != nil {
			return 0, 0, usageError{fmt.Errorf("--%s: %w", x.flag, err)}
		}
		*x.to = des.Time(d)
	}
	if from >= until {
		return 0, 0, usageError{fmt.Errorf("--from %s is not before --until %s", o.from, o.until)}
	}
	return from, until, nil
}

func (a *app) ladder(cmd *cobra.Command, ref string, o *ladderOptions) error {
	if o.conn < 1 {
		return usageError{fmt.Errorf("--conn %d: connections are numbered from 1", o.conn)}
	}
	language, err := measure.LanguageNamed(o.lang)
	if err != nil {
		return usageError{fmt.Errorf("--lang: %w", err)}
	}
	if o.pdf != "" && language != measure.English {
		return usageError{fmt.Errorf("--pdf: %w, which a PDF file must carry (choose --svg, or --lang en)", plots.ErrNoLetters)}
	}
	from, until, err := o.window()
	if err != nil {
		return err
	}
	sc, err := a.load(cmd, ref, &o.input, o.quiet)
	if err != nil {
		return err
	}
	trace := scenarios.Trace{Conns: []int{o.conn}, From: from, Until: until, Events: ladderEvents}
	l, outcome, err := a.runLadder(cmd, sc, trace, o)
	if err != nil {
		return err
	}
	how := measure.LadderOptions{Language: language, Notation: measure.Notation{Absolute: o.absolute},
		Addresses: outcome.Addresses, All: o.all}
	if !o.quiet {
		if err := l.WriteText(a.out, how); err != nil {
			return err
		}
	}
	return drawLadder(l, how, o)
}

// drawLadder draws a ladder into the files that are asked for.
func drawLadder(l *measure.Ladder, how measure.LadderOptions, o *ladderOptions) error {
	style := plots.IEEE()
	if o.svg != "" {
		data, err := plots.LadderSVG(l, how, style)
		if err != nil {
			return usageError{fmt.Errorf("--svg: %w", err)}
		}
		if err := renameio.WriteFile(o.svg, data, 0o644); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	if o.pdf == "" {
		return nil
	}
	d, err := plots.DrawLadder(l, how, style)
	if err != nil {
		return usageError{fmt.Errorf("--pdf: %w", err)}
	}
	data, err := d.PDF()
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(o.pdf, data, 0o644); err != nil {
		return fmt.Errorf("--pdf: %w", err)
	}
	return nil
}

// runLadder runs a scenario and returns the ladder of the chosen connection.
func (a *app) runLadder(cmd *cobra.Command, sc *spec.Scenario, trace scenarios.Trace, o *ladderOptions) (*measure.Ladder, *scenarios.Outcome, error) {
	bar := a.newProgress(sc.Name, o.quiet)
	outcome, err := scenarios.Run(cmd.Context(), sc, scenarios.Options{Progress: bar.update, Trace: trace})
	bar.finish()
	if err != nil {
		return nil, nil, err
	}
	table := outcome.Connections
	if len(table.Rows) == 0 {
		return nil, nil, usageError{fmt.Errorf("%s has no connection to show: nothing was opened, or by a flood, whose SYNs are no connections (tcplab run --pcap has them)", sc.Name)}
	}
	if len(table.Traces) == 0 {
		return nil, nil, usageError{fmt.Errorf("--conn %d: %s has %d connections", o.conn, sc.Name, len(table.Rows))}
	}
	return measure.NewLadder(&table.Traces[0]), outcome, nil
}
