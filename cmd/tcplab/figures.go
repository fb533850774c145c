package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcplab/plots"
	"tcplab/scenarios"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
)

// look is how figures are drawn, as the command line says; the zero value leaves
// it to the scenario.
type look struct {
	style   plots.Style
	formats []string
}

// of fills in what the command line leaves to the scenario, and the scenario to
// what is usual.
func (l look) of(sc *spec.Scenario) (look, error) {
	if l.style == (plots.Style{}) {
		var err error
		if l.style, err = plots.StyleNamed(sc.Style); err != nil {
			return l, err
		}
	}
	if l.formats == nil {
		l.formats = sc.Formats
	}
	if len(l.formats) == 0 {
		l.formats = []string{"pdf", "svg", "png"}
	}
	return l, nil
}

func (l *look) addFlags(flags *pflag.FlagSet) {
	flags.Var((*styleFlag)(l), "style", "draw figures for `ieee`, acm, thesis, slides or screen (default as in the scenario, or ieee)")
	flags.Var((*formatFlag)(l), "format", "write figures as `FORMAT,..`: "+strings.Join(plots.Formats(), ", ")+" (default as in the scenario, or pdf,svg,png)")
}

type (
	styleFlag  look
	formatFlag look
)

// Set implements pflag.Value.
func (l *styleFlag) Set(text string) (err error) {
	l.style, err = plots.StyleNamed(text)
	return err
}

// String implements pflag.Value.
func (l *styleFlag) String() string { return "" }

// Type implements pflag.Value.
func (l *styleFlag) Type() string { return "STYLE" }

// Set implements pflag.Value.
func (l *formatFlag) Set(text string) error {
	l.formats = nil
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(plots.Formats(), name) {
			return fmt.Errorf("no figure format %q (have %s)", name, strings.Join(plots.Formats(), ", "))
		}
		if !slices.Contains(l.formats, name) {
			l.formats = append(l.formats, name)
		}
	}
	return nil
}

// String implements pflag.Value.
func (l *formatFlag) String() string { return "" }

// Type implements pflag.Value.
func (l *formatFlag) Type() string { return "FORMATS" }

// figures is what became of the figures of a result.
type figures struct {
	// files are the names without an extension, formats the extensions.
	files, formats []string
	// err is what is wrong with those that cannot be drawn; the others are.
	err error
}

// laidOut is a figure, or why it cannot be drawn.
type laidOut struct {
	figure  plots.Figure
	drawing *plots.Drawing
	err     error
	// missing is a parameter that the figure asks for and that does not vary.
	missing string
}

// layOut lays out the figures of a scenario, or those that fit the result if it
// declares none.
func layOut(data *scenarios.FigureData, sc *spec.Scenario, style plots.Style) []laidOut {
	var list []laidOut
	for i, f := range figuresOf(data.Result, sc) {
		shown, f := plotData(data, f)
		d, err := shown.Draw(f, style)
		if err != nil && i < len(sc.Figures) && !errors.Is(err, plots.ErrNoData) {
			err = sc.Problem(sc.Figures[i].Pos, "figures: %v", err)
		}
		list = append(list, laidOut{figure: f, drawing: d, err: err})
	}
	return list
}

// draw draws the figures of a scenario into a directory.
func (a *app) draw(data *scenarios.FigureData, sc *spec.Scenario, dir string, l look) (figures, error) {
	l, err := l.of(sc)
	if err != nil {
		return figures{}, err
	}
	list := layOut(data, sc, l.style)
	for _, x := range list {
		a.warnOfFigure(x.figure, data)
	}
	return a.write(list, dir, l)
}

// write writes the figures that could be laid out, and tells of the others.
func (a *app) write(list []laidOut, dir string, l look) (figures, error) {
	out := figures{formats: l.formats}
	var drawings []*plots.Drawing
	for _, x := range list {
		switch {
		case x.missing != "":
			a.note("warning: figure %s is not drawn: %s does not vary", x.figure.Name, x.missing)
		case errors.Is(x.err, plots.ErrNoData):
			a.note("warning: %v", x.err)
		case x.err != nil:
			out.err = errors.Join(out.err, x.err)
		default:
			drawings = append(drawings, x.drawing)
			out.files = append(out.files, x.figure.Name)
		}
	}
	if len(drawings) == 0 {
		return out, nil
	}
	_, err := plots.WriteFormats(dir, l.formats, drawings...)
	return out, err
}

// warnOfFigure tells of what a figure cannot show because it was not kept.
func (a *app) warnOfFigure(f plots.Figure, data *scenarios.FigureData) {
	if n := data.ConnectionsLeftOut; n > 0 && len(data.Lives) > 0 && (f.Kind == "gantt" || f.Kind == "occupancy" && !namesSeries(f)) {
		a.note("warning: figure %s shows the first connections only: %d came after the table of connections was full", f.Name, n)
	}
}

func namesSeries(f plots.Figure) bool {
	return slices.ContainsFunc(f.Series, func(name string) bool { return strings.Contains(name, ".") })
}

// figuresOf describes the figures of a scenario to package plots.
func figuresOf(result *measure.Result, sc *spec.Scenario) []plots.Figure {
	if len(sc.Figures) == 0 {
		return plots.Automatic(result)
	}
	var list []plots.Figure
	for i := range sc.Figures {
		fig := figureOf(&sc.Figures[i], i)
		if until := sc.Figures[i].Until; until == nil && sc.Figures[i].From != nil {
			fig.X.Max = float64(sc.Duration) / 1e9
		}
		list = append(list, fig)
	}
	return list
}

// figureOf describes figure i of a scenario or of a sweep to package plots.
func figureOf(f *spec.Figure, i int) plots.Figure {
	fig := plots.Figure{Name: scenarios.FigureName(f, i), Kind: f.Kind, Title: f.Title, Series: f.Series, Over: f.X, By: f.By,
		Intervals: f.Intervals, Panels: f.Panels, Events: f.Events, Bins: f.Bins, Width: f.Width,
		X: plots.Axis{Label: f.XLabel, Log: f.XScale == "log"}}
	if f.Y != "" {
		fig.Series = append([]string{f.Y}, f.Series...)
	}
	if f.Theory != "" {
		fig.Theory = []plots.Theory{{Formula: f.Theory}}
	}
	if f.From != nil {
		fig.X.Min = float64(*f.From) / 1e9
	}
	if f.Until != nil {
		fig.X.Max = float64(*f.Until) / 1e9
	}
	for _, l := range f.Limits {
		fig.Limits = append(fig.Limits, plots.Limit{Series: l.Series, Value: l.Value, Label: l.Label})
	}
	for i := range f.Reference {
		fig.References = append(fig.References, plotReference(&f.Reference[i]))
	}
	if f.YLabel != "" || f.YScale == "log" {
		fig.Y = []plots.Axis{{Label: f.YLabel, Log: f.YScale == "log"}}
	}
	return fig
}

func plotReference(r *spec.FigureReference) plots.Reference {
	out := plots.Reference{Label: r.Label, Source: r.Source, Series: r.Series, By: r.By}
	value := func(f *quantity.Found) float64 {
		if f == nil {
			return math.NaN()
		}
		return f.Value
	}
	for _, p := range r.Points {
		over := plots.Value{Text: p.X, Number: math.NaN()}
		if f, ok := quantity.Parse(p.X); ok {
			over.Number = f.Value
		}
		out.Points = append(out.Points, plots.ReferencePoint{Over: over, Mean: p.Y.Value, Low: value(p.Low), High: value(p.High)})
	}
	return out
}

// plotData is what one figure is drawn from, in the words of package plots.
// What names workloads or hosts in the scenario names connections there.
func plotData(data *scenarios.FigureData, f plots.Figure) (*plots.Data, plots.Figure) {
	out := &plots.Data{Result: data.Result}
	switch f.Kind {
	case "sequence":
		for _, s := range data.Sequences {
			out.Sequences = append(out.Sequences, plotSequence(s))
		}
		f.Series = flowNames(f.Series, func(yield func(string)) {
			for _, s := range data.Sequences {
				yield(s.Name)
			}
		})
	case "congestion":
		f.Series = flowNames(f.Series, func(yield func(string)) {
			for _, s := range data.Result.Series {
				if name, ok := strings.CutSuffix(s.Name, ".cwnd"); ok {
					yield(name)
				}
			}
		})
	case "gantt", "occupancy":
		if !namesSeries(f) {
			out.Lifetimes, f.Series = plotLives(data.Lives, f.Series), nil
		}
	}
	complete := func(r *measure.Result) bool {
		return !slices.ContainsFunc(f.Series, func(name string) bool {
			return r.FindSeries(name) == nil && r.FindSeries(name+".cwnd") == nil
		})
	}
	switch {
	case len(data.Replications) < 2:
	case complete(data.Replications[0]):
		out.Replications = data.Replications
	default:
		out.Result = firstReplication(data)
	}
	return out, f
}

// firstReplication has the series of the first replication, for a figure with one
// that others do not have: a mean beside it would be of something else.
func firstReplication(data *scenarios.FigureData) *measure.Result {
	out := *data.Result
	out.Series = slices.Clone(out.Series)
	for i := range out.Series {
		if one := data.Replications[0].FindSeries(out.Series[i].Name); one != nil {
			out.Series[i] = *one
		}
	}
	return &out
}

// flowNames are the connections of workloads that a figure names; without a
// name, all that there are.
func flowNames(asked []string, each func(yield func(string))) []string {
	var have, out []string
	each(func(name string) { have = append(have, name) })
	if len(asked) == 0 {
		return have
	}
	for _, name := range asked {
		found := false
		for _, h := range have {
			number, several := strings.CutPrefix(h, name+"_")
			if h == name || several && strings.Trim(number, "0123456789") == "" {
				out, found = append(out, h), true
			}
		}
		if !found {
			out = append(out, name) // an error that says what there is
		}
	}
	return out
}

var sequenceKinds = map[measure.SequenceKind]plots.SequenceKind{
	measure.SequenceSent: plots.SegmentSent, measure.SequenceResent: plots.SegmentResent, measure.SequenceLost: plots.SegmentLost,
	measure.SequenceAcked: plots.AckArrived, measure.SequenceSACKed: plots.SackArrived, measure.SequenceWindow: plots.WindowEdge,
}

func plotSequence(s measure.Sequence) plots.Sequence {
	out := plots.Sequence{Name: s.Name, Events: make([]plots.SequenceEvent, len(s.Events))}
	for i, e := range s.Events {
		out.Events[i] = plots.SequenceEvent{Time: e.Time, Kind: sequenceKinds[e.Kind], From: e.From, To: e.To}
	}
	return out
}

// plotLives are the connections at some hosts, or those at the hosts that opened
// them. A row is named after the end that opened it.
func plotLives(lives []scenarios.Life, hosts []string) []plots.Lifetime {
	var out []plots.Lifetime
	for _, l := range lives {
		if len(hosts) == 0 && l.Passive || len(hosts) > 0 && !slices.Contains(hosts, l.Host) {
			continue
		}
		name := l.Host + ":" + l.Port
		if l.Passive {
			name = "from " + cmp.Or(l.Peer, "?") + ":" + l.PeerPort
		}
		if len(hosts) > 1 && l.Passive {
			name = l.Host + " " + name
		}
		one := plots.Lifetime{Name: name}
		for _, s := range l.States {
			one.States = append(one.States, plots.StateSpan{State: s.State.String(), From: s.From, Until: s.Until})
		}
		out = append(out, one)
	}
	return out
}

// figureLine says where figures are, in as few words as possible.
func figureLine(dir string, drawn figures) string {
	path := filepath.Join(dir, scenarios.FiguresDir)
	list := strings.Join(drawn.files, ",")
	ext := "." + strings.Join(drawn.formats, ",")
	if len(drawn.formats) > 1 {
		ext = ".{" + strings.Join(drawn.formats, ",") + "}"
	}
	switch {
	case len(drawn.files) == 1:
		return filepath.Join(path, list) + ext
	case len("figures  /{}")+len(ext)+len(path)+len(list) <= terminalWidth:
		return filepath.Join(path, "{"+list+"}") + ext
	default:
		return fmt.Sprintf("%s (%d figures as %s)", path+string(filepath.Separator), len(drawn.files), enumerate(drawn.formats))
	}
}

// enumerate writes "pdf, svg and png".
func enumerate(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// completeLook completes the values of the flags of figures.
func completeLook(cmd *cobra.Command) {
	complete := func(flag string, words []string) {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err)
		}
	}
	complete("style", []string{"ieee", "acm", "thesis", "slides", "screen"})
	complete("format", plots.Formats())
}
