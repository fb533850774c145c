package plots

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"tcplab/scenarios/measure"
)

// Figure describes a figure: what is drawn and how it is named. The zero value
// of each field but Kind and Series is a sensible default.
type Figure struct {
	// Name is the name of the files, without an extension. Empty means Kind.
	Name string
	// Kind is one of Kinds.
	Kind string
	// Title is drawn if the style has titles, and kept in the files' metadata.
	Title string
	// Series names what is drawn: series for a timeseries, samples for an ecdf.
	Series []string
	// Panels says which series share a panel: those of one unit ("unit", the
	// default), or none ("series").
	Panels string
	// Events names the bands that are shaded.
	Events []string
	// Limits are horizontal lines at a value of note.
	Limits []Limit
	// X is the horizontal axis, Y the vertical axis of each panel, from the top.
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
	// Log asks for a logarithmic axis (the horizontal one of an ecdf).
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

// kinds is the table of figures. A new one is a file with a drawer, and a line
// here.
var kinds = []struct {
	name string
	draw func(*measure.Result, Figure, Style) (*Drawing, error)
}{
	{"timeseries", drawTimeSeries},
	{"ecdf", drawECDF},
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

// Draw lays the figure out. It fails, naming everything that is wrong, if the
// description does not fit the result; the error has ErrNoData in its chain if
// nothing of what is to be drawn has a value.
func Draw(res *measure.Result, fig Figure, style Style) (*Drawing, error) {
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
		if err := fig.validate(res); err != nil {
			return nil, fmt.Errorf("figure %s: %w", fig.Name, err)
		}
		d, err := k.draw(res, fig, style)
		if err != nil {
			return nil, fmt.Errorf("figure %s: %w", fig.Name, err)
		}
		return d, nil
	}
	return nil, fmt.Errorf("figure %s: %w", fig.Name, unknown("kind", fig.Kind, Kinds()))
}

// validate checks what all kinds have in common.
func (f *Figure) validate(res *measure.Result) error {
	var errs []error
	if !fileName.MatchString(f.Name) {
		errs = append(errs, fmt.Errorf("name %q cannot name a file: use letters, digits, '_', '-' and '.'", f.Name))
	}
	if len(f.Series) == 0 {
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
	if f.Width != "" && f.Width != "column" && f.Width != "wide" {
		errs = append(errs, unknown("width", f.Width, []string{"column", "wide"}))
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

// unknown says that there is no such thing, which one may have been meant, and
// which there are.
func unknown(what, name string, have []string) error {
	if len(have) == 0 {
		return fmt.Errorf("%s: no %q (this run has none)", what, name)
	}
	best, bestDist := "", math.MaxInt
	for _, h := range have {
		if d := distance(name, h); d < bestDist && d <= max(len(name), len(h))/2 {
			best, bestDist = h, d
		}
	}
	hint := ""
	if best != "" {
		hint = fmt.Sprintf("did you mean %q? ", best)
	}
	list := have
	more := ""
	if len(list) > 20 {
		more = fmt.Sprintf(" and %d more", len(list)-20)
		list = list[:20]
	}
	return fmt.Errorf("%s: no %q (%shave %s%s)", what, name, hint, strings.Join(list, ", "), more)
}

// distance is Levenshtein's: how many letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
