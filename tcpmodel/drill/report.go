package drill

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"tcplab/des"
)

// Status is how a script ended.
type Status uint8

// The ways for a script to end.
const (
	// Passed: everything came as the script says.
	Passed Status = iota
	// Failed: something did not, or the script is no script.
	Failed
	// Unsupported: the script needs something that the runner or the stack
	// does not have.
	Unsupported
)

var statusNames = [...]string{"passed", "failed", "unsupported"}

// String returns "passed", "failed" or "unsupported".
func (s Status) String() string { return statusNames[s] }

// MarshalText returns what String does.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Result is how one script ended.
type Result struct {
	Script string `json:"script"`
	Status Status `json:"result"`
	// Reason is one line: why the script failed or is unsupported.
	Reason string `json:"reason,omitempty"`
	// Pos is the place of the event that failed, Source its line.
	Pos    Pos    `json:"-"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Source string `json:"source,omitempty"`
	// Expected and Got are what the event wanted and what came, where that
	// can be set side by side.
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
	// Recent are the last packets and calls before the failure, oldest
	// first, with the time since the start of the script in seconds.
	Recent []string `json:"recent,omitempty"`
	// Simulated is the length of the script in simulated time.
	Simulated des.Time `json:"simulated_ns"`
}

// Text returns the result as one line, and for a failure the lines that explain
// it, without a newline at the end.
func (r *Result) Text() string {
	var b strings.Builder
	switch r.Status {
	case Passed:
		fmt.Fprintf(&b, "PASS %s", r.Script)
	case Unsupported:
		fmt.Fprintf(&b, "SKIP %s: unsupported: %s", r.Script, r.where())
	case Failed:
		fmt.Fprintf(&b, "FAIL %s: %s", r.Script, r.where())
		r.detail(&b)
	}
	return b.String()
}

func (r *Result) where() string {
	if r.Line == 0 {
		return r.Reason
	}
	return fmt.Sprintf("line %d: %s", r.Line, r.Reason)
}

func (r *Result) detail(b *strings.Builder) {
	if r.Source != "" {
		fmt.Fprintf(b, "\n    script    %s", r.Source)
	}
	if r.Expected != "" {
		fmt.Fprintf(b, "\n    expected  %s", r.Expected)
	}
	if r.Got != "" {
		fmt.Fprintf(b, "\n    got       %s", r.Got)
	}
	for i, line := range r.Recent {
		head := "          "
		if i == 0 {
			head = "before    "
		}
		fmt.Fprintf(b, "\n    %s%s", head, line)
	}
}

// Counts are how many scripts ended which way.
type Counts struct{ Passed, Failed, Unsupported int }

// Add counts r.
func (c *Counts) Add(r *Result) {
	switch r.Status {
	case Passed:
		c.Passed++
	case Failed:
		c.Failed++
	case Unsupported:
		c.Unsupported++
	}
}

// String returns "N passed, N failed", and ", N skipped" if scripts were
// unsupported.
func (c Counts) String() string {
	s := fmt.Sprintf("%d passed, %d failed", c.Passed, c.Failed)
	if c.Unsupported > 0 {
		s += fmt.Sprintf(", %d skipped", c.Unsupported)
	}
	return s
}

// WriteJSON writes {"passed": n, "failed": n, "unsupported": n, "scripts":
// [...]}.
func WriteJSON(w io.Writer, results []*Result) error {
	report := struct {
		Passed      int       `json:"passed"`
		Failed      int       `json:"failed"`
		Unsupported int       `json:"unsupported"`
		Scripts     []*Result `json:"scripts"`
	}{Scripts: results}
	var c Counts
	for _, r := range results {
		c.Add(r)
	}
	report.Passed, report.Failed, report.Unsupported = c.Passed, c.Failed, c.Unsupported
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(report)
}
