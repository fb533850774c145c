package plots

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"tcplab/scenarios/measure"
)

// Figure describes a figure: what is drawn and how it is named. The zero value
// of each field but Kind is a sensible default; Series must be given where the
// kind has no other way to know what to draw.
type Figure struct {
	// Name is the name of the files, without an extension. Empty means Kind.
	Name string
	// Kind is one of Kinds.
	Kind string
	// Title is drawn if the style has titles, and kept in the files' metadata.
	Title string
	// Series names what is drawn: series for a timeseries, congestion, queue or
	// occupancy, samples for an ecdf, ccdf, histogram or boxplot, metrics for
	// lines and heatmap, connections for a gantt and a sequence.
	Series []string
	// Over is the parameter of a sweep on the horizontal axis. By is the one
	// that tells lines apart, or that is on the vertical axis of a heatmap.
	Over, By string
	// Theory are closed forms drawn with lines: see Theory.
	Theory []Theory
	// References are values from elsewhere that lines show beside their own.
	References []Reference
	// Intervals says how lines show confidence intervals: "bars" (the default),
	// "bands" or "none".
	Intervals string
	// Panels says which series share a panel: those of one unit ("unit", the
	// default), or none ("series").
	Panels string
	// Events names the bands that are shaded.
	Events []string
	// Limits are horizontal lines at a value of note.
	Limits []Limit
	// Bins is the number of bins of a histogram; 0 means by the data.
	Bins int
	// X is the horizontal axis, Y the vertical axis of each panel, from the top.
	// Of a heatmap, Y[1] is the colour.
	X Axis
	Y []Axis
	// Width is "column" (the default) or "wide"; the style says how much that is.
	Width string
	// Height is that of the whole figure in inches; 0 means as needed.
	Height float64
}

// Axis overrides what is chosen for an axis.
type Axis struct {
	// Label replaces the label, unit included.
	Label string
	// Min and Max are the range, in the unit of the values; both 0 means that
	// of the values.
	Min, Max float64
	// Log asks for a logarithmic axis; that of time cannot be.
	Log bool
}

// Limit is a horizontal line such as a backlog limit, in the panel of a series.
type Limit struct {
	Series string
	Value  float64
	Label  string
}

// ErrNoData is in the chain of the error that Draw returns if there is no value
// to draw at all.
var ErrNoData = errors.New("no value to draw")

// A kind is a way to draw data.
type kind struct {
	name string
	draw func(*Data, Figure, Style) (*Drawing, error)
	// all is true if no series means all there are.
	all bool
}

// kinds is the table of figures. A new one is a file with a drawer, and a line
// here.
var kinds = []kind{
	{"timeseries", drawTimeSeries, false},
	{"ecdf", drawECDF, false},
	{"ccdf", drawCCDF, false},
	{"histogram", drawHistogram, false},
	{"boxplot", drawBoxPlot, false},
	{"lines", drawLines, false},
	{"heatmap", drawHeatMap, false},
	{"sequence", drawSequence, true},
	{"congestion", drawCongestion, false},
	{"queue", drawQueue, false},
	{"occupancy", drawOccupancy, true},
	{"gantt", drawGantt, true},
}

// Kinds returns the kinds of figures that can be drawn.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// Draw lays out a figure of one result: see Data.Draw.
func Draw(res *measure.Result, fig Figure, style Style) (*Drawing, error) {
	return (&Data{Result: res}).Draw(fig, style)
}

// Draw lays the figure out. It fails, naming everything that is wrong, if the
// description does not fit the data; the error has ErrNoData in its chain if
// nothing of what is to be drawn has a value.
func (data *Data) Draw(fig Figure, style Style) (*Drawing, error) {
	if fig.Name == "" {
		fig.Name = fig.Kind
	}
	if err := style.validate(); err != nil {
		return nil, fmt.Errorf("figure %s: %w", fig.Name, err)
	}
	for _, k := range kinds {
		if k.name != fig.Kind {
			continue
		}
		whole := *data
		if whole.Result == nil {
			whole.Result = &measure.Result{}
			if len(data.Replications) > 0 {
				whole.Result = data.Replications[0]
			}
		}
		if err := fig.validate(whole.Result, k.all); err != nil {
			return nil, fmt.Errorf("figure %s: %w", fig.Name, err)
		}
		d, err := k.draw(&whole, fig, style)
		if err != nil {
			return nil, fmt.Errorf("figure %s: %w", fig.Name, err)
		}
		return d, nil
	}
	return nil, fmt.Errorf("figure %s: %w", fig.Name, unknown("kind", fig.Kind, Kinds()))
}

// validate checks what all kinds have in common.
func (f *Figure) validate(res *measure.Result, all bool) error {
	var errs []error
	if !fileName.MatchString(f.Name) {
		errs = append(errs, fmt.Errorf("name %q cannot name a file: use letters, digits, '_', '-' and '.'", f.Name))
	}
	if len(f.Series) == 0 && !all {
		errs = append(errs, errors.New("series: name at least one"))
	}
	for i, name := range f.Series {
		if slices.Contains(f.Series[:i], name) {
			errs = append(errs, fmt.Errorf("series: %q is named twice", name))
		}
	}
	if f.Panels != "" && f.Panels != "unit" && f.Panels != "series" {
		errs = append(errs, unknown("panels", f.Panels, []string{"unit", "series"}))
	}
	if in := f.Intervals; in != "" && in != "bars" && in != "bands" && in != "none" {
		errs = append(errs, unknown("intervals", in, []string{"bars", "bands", "none"}))
	}
	if f.Bins < 0 || f.Bins > 1000 {
		errs = append(errs, fmt.Errorf("bins: %d is not a number of bins (0 for an automatic choice, at most 1000)", f.Bins))
	}
	if f.Width != "" && f.Width != "column" && f.Width != "wide" {
		errs = append(errs, unknown("width", f.Width, []string{"column", "wide"}))
	}
	if len(f.References) > 0 && f.Kind != "lines" {
		errs = append(errs, fmt.Errorf("references: a figure of kind %s does not show them", f.Kind))
	}
	for _, name := range f.Events {
		if findBand(res, name) == nil {
			errs = append(errs, unknown("event", name, bandNames(res)))
		}
	}
	for _, l := range f.Limits {
		if !slices.Contains(f.Series, l.Series) {
			errs = append(errs, fmt.Errorf("limits: %w", unknown("series", l.Series, f.Series)))
		}
	}
	for _, a := range append([]Axis{f.X}, f.Y...) {
		if a.Log && a.Min <= 0 && a.Min != a.Max {
			errs = append(errs, fmt.Errorf("axis range from %v: a logarithmic axis begins above 0", a.Min))
		}
		if !(a.Min < a.Max) && !(a.Min == 0 && a.Max == 0) || math.IsInf(a.Max-a.Min, 0) {
			errs = append(errs, fmt.Errorf("axis range from %v to %v: both must be finite, and the maximum must be greater", a.Min, a.Max))
		}
	}
	return errors.Join(errs...)
}

func (f *Figure) width(style Style) float64 {
	if f.Width == "wide" {
		return style.Wide
	}
	return style.Column
}

func findBand(res *measure.Result, name string) *measure.Band {
	for i := range res.Bands {
		if res.Bands[i].Name == name {
			return &res.Bands[i]
		}
	}
	return nil
}

func bandNames(res *measure.Result) []string {
	var names []string
	for _, b := range res.Bands {
		names = append(names, b.Name)
	}
	return names
}
