package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"tcplab/plots"
	"tcplab/scenarios/measure"
)

// FigurePoints is about how many points a figure has on the page.
const FigurePoints = 8_000

// Page is what a page shows. What is empty is left out.
type Page struct {
	Name, Title string
	// Question is what the scenario's opening comment or its description says.
	Question string
	// Kind is "run" or "sweep".
	Kind         string
	Parameters   []Parameter
	Expectations []Expectation
	Figures      []Figure
	// Traces are shown in slow motion.
	Traces  []measure.Trace
	Metrics []Metric
	Sweep   *Sweep
	Files   []Files
	// Facts say where the results come from.
	Facts []Fact
	// Commands make them again.
	Commands []Command
	// Remarks are what a reader should know of the results, such as what was
	// left out.
	Remarks []string
}

// Parameter is a parameter of the scenario. Default is the value that the
// scenario has for it, "" if that is its value.
type Parameter struct{ Name, Value, Default, Meaning string }

// Expectation is what must hold. Message says what became of it.
type Expectation struct {
	Text, Message string
	Passed        bool
}

// Figure is one figure and the files that it is in, beside the page.
type Figure struct {
	Chart *plots.Chart
	Files []File
}

// File is a link to a file, relative to the page.
type File struct{ Path, Label string }

// Files are files of one kind. Many of them are folded away.
type Files struct {
	Label, Meaning string
	List           []File
}

// Metric is a measured value as text in handy units. Low and High are its 95 %
// confidence interval, if it has one. Key metrics are shown first.
type Metric struct {
	Name, Value, Unit, Low, High, Meaning string
	Key                                   bool
}

// Fact is a line of provenance.
type Fact struct {
	Name, Value string
	Code        bool
}

// Command is a command line and what it does.
type Command struct{ Line, Meaning string }

// Sweep is the points of a sweep.
type Sweep struct {
	// Params and Metrics name the columns, with their units.
	Params, Metrics []string
	Points          []Point
	// LeftOut is how many points there are beyond those.
	LeftOut int
	// Spreads are all metrics over the points.
	Spreads []Spread
	Failed  []Failure
	// Replications are the least and the most at a point.
	Replications [2]int
}

// Point is a point of a sweep.
type Point struct {
	Number int
	Params []string
	Cells  []Estimate
}

// Estimate is a mean over N replications with its interval, if it has one.
type Estimate struct {
	N               int
	Mean, Low, High string
}

// Spread is a metric over all points of a sweep: its least and its greatest mean
// and where they are, and how far the widest interval reaches to each side.
type Spread struct {
	Name, Unit, Least, LeastAt, Greatest, GreatestAt, Widest string
	// Points is how many points have a value.
	Points int
	Key    bool
}

// Failure is a point that could not be run.
type Failure struct {
	Point  int
	Params string
	Text   string
}

var (
	//go:embed page.html
	pageHTML string
	//go:embed style.css
	style string
	//go:embed chart.js
	chartScript string
	//go:embed ladder.js
	ladderScript string
	//go:embed page.js
	pageScript string
)

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"paragraphs": paragraphs, "count": count, "failed": failed, "changed": changed, "interval": interval,
}).Parse(pageHTML))

// data is what the script of the page reads.
type data struct {
	Charts  []*plots.Chart `json:"charts"`
	Ladders []ladder       `json:"ladders"`
	// States are the colours of states.
	States map[string]string `json:"states"`
}

// content is what the template reads.
type content struct {
	*Page
	Policy  string
	Style   template.CSS
	Script  template.JS
	Data    template.JS
	Ladders []ladder
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	script := "(() => {\n'use strict';\n" + chartScript + ladderScript + pageScript + "})();\n"
	c := content{Page: p, Style: template.CSS(style), Script: template.JS(script), Ladders: ladders(p.Traces)}
	c.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(style), digest(script))
	d := data{Charts: []*plots.Chart{}, Ladders: c.Ladders, States: plots.StateColors()}
	for _, f := range p.Figures {
		d.Charts = append(d.Charts, f.Chart)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	c.Data = template.JS(text) // encoding/json escapes <, > and &
	return page.Execute(w, c)
}

// digest is how a Content-Security-Policy names what is in the page.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// A block is a paragraph of a text, or lines that are to stay as they are.
type block struct {
	Text string
	Code bool
}

// paragraphs takes a comment apart. Lines that are indented, such as commands to
// try, stay as they are.
func paragraphs(text string) (out []block) {
	flow := func(line string, code bool) {
		if n := len(out); n > 0 && out[n-1].Code == code && out[n-1].Text != "" {
			sep := " "
			if code {
				sep = "\n"
			}
			out[n-1].Text += sep + line
			return
		}
		out = append(out, block{line, code})
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			out = append(out, block{})
		case strings.HasPrefix(line, "  "):
			flow(line[2:], true)
		default:
			flow(line, false)
		}
	}
	kept := out[:0]
	for _, b := range out {
		if b.Text != "" {
			kept = append(kept, b)
		}
	}
	return kept
}

// count writes a number with groups of three digits.
func count(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

func failed(list []Expectation) (n int) {
	for _, e := range list {
		if !e.Passed {
			n++
		}
	}
	return n
}

func changed(list []Parameter) (n int) {
	for _, p := range list {
		if p.Default != "" {
			n++
		}
	}
	return n
}

// interval reports whether any of the metrics has an interval.
func interval(list []Metric) bool {
	for _, m := range list {
		if m.Low != "" {
			return true
		}
	}
	return false
}
