package tcpmodel

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ValidationRow is a row of a table of the validation set: what is simulated,
// what is measured, what has to come out.
type ValidationRow struct {
	ID, Metric, Expected, TolKind, Tol string
	Scenario                           map[string]string
}

// ValidationTable says how the rows of a table are measured: by the function
// whose key begins their id, or not, for the reason given; the longest key
// counts.
type ValidationTable struct {
	File    string
	Measure map[string]func(t *testing.T, r ValidationRow)
	LeftOut map[string]string
	// FullOnly begins the ids of rows that take too long for a short run.
	FullOnly []string
}

// FullValidation reports whether rows are measured at their full length.
func FullValidation() bool { return *fullValidation }

// Run measures all rows of the table. A row without a key fails, and so does a
// key without rows.
func (v ValidationTable) Run(t *testing.T) {
	used := map[string]bool{}
	for _, r := range ValidationRows(t, v.File) {
		key, reason := "", ""
		for k := range v.Measure {
			if strings.HasPrefix(r.ID, k) && len(k) > len(key) {
				key = k
			}
		}
		for k, why := range v.LeftOut {
			if strings.HasPrefix(r.ID, k) && len(k) > len(key) {
				key, reason = k, why
			}
		}
		used[key] = true
		if reason == "" && !FullValidation() && slices.ContainsFunc(v.FullOnly, func(k string) bool { return strings.HasPrefix(r.ID, k) }) {
			reason = "too long: measured with -validation.full"
		}
		switch {
		case key == "":
			t.Errorf("%s: nothing measures it, and no reason is given to leave it out", r.ID)
		case reason != "":
			t.Logf("left out: %s: %s", r.ID, reason)
		default:
			t.Run(r.ID, func(t *testing.T) {
				t.Parallel()
				v.Measure[key](t, r)
			})
		}
	}
	for k := range v.Measure {
		if !used[k] {
			t.Errorf("no row of %s begins with %s", v.File, k)
		}
	}
	for k := range v.LeftOut {
		if !used[k] {
			t.Errorf("no row of %s begins with %s", v.File, k)
		}
	}
}

// ValidationRows returns the rows of a table.
func ValidationRows(t testing.TB, file string) []ValidationRow {
	t.Helper()
	var rows []ValidationRow
	for _, r := range readTable(t, file) {
		row := ValidationRow{ID: r["id"], Metric: r["metric"], Expected: r["expected"], TolKind: r["tol_kind"], Tol: r["tol"], Scenario: map[string]string{}}
		for kv := range strings.SplitSeq(r["scenario"], ";") {
			k, v, _ := strings.Cut(kv, "=")
			row.Scenario[k] = v
		}
		rows = append(rows, row)
	}
	return rows
}

// Number returns the number that begins the value of key in the scenario.
func (r ValidationRow) Number(t testing.TB, key string) float64 {
	t.Helper()
	v, _, _ := strings.Cut(r.Scenario[key], " ")
	return r.parse(t, v)
}

func (r ValidationRow) parse(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		t.Fatalf("%s: %v", r.ID, err)
	}
	return v
}

// Check compares x with what the row expects. stderr is the standard error of x:
// a run that is shorter than the row asks for may be off by 3.3 of them more.
func (r ValidationRow) Check(t testing.TB, x, stderr float64) {
	t.Helper()
	r.check(t, x, stderr, r.Expected, r.Tol)
}

// CheckList compares several results with the parts of the expectation that
// sep separates.
func (r ValidationRow) CheckList(t testing.TB, sep string, x ...float64) {
	t.Helper()
	parts := strings.Split(r.Expected, sep)
	if len(parts) != len(x) {
		t.Fatalf("%s: measured %v, expected %s", r.ID, x, r.Expected)
	}
	for i, want := range parts {
		r.check(t, x[i], 0, want, r.Tol)
	}
}

func (r ValidationRow) check(t testing.TB, x, stderr float64, expected, tol string) {
	t.Helper()
	if FullValidation() {
		stderr = 0
	}
	slack := 3.3 * stderr
	low, high := 0.0, 0.0
	tol, _, _ = strings.Cut(tol, " ")
	lo, hi, _ := strings.Cut(tol, ":")
	switch r.TolKind {
	case "band":
		low, high = r.parse(t, lo), r.parse(t, hi)
	case "ratio_band":
		want := r.parse(t, expected)
		low, high = want*r.parse(t, lo), want*r.parse(t, hi)
	case "rel":
		want := r.parse(t, expected)
		low, high = want*(1-r.parse(t, tol)), want*(1+r.parse(t, tol))
	case "abs", "exact":
		want, off := r.parse(t, expected), r.parse(t, tol)
		low, high = want-off, want+off
	default:
		t.Fatalf("%s: unknown tolerance %q", r.ID, r.TolKind)
	}
	verdict := "held"
	// A billionth for what decimal fractions lose.
	if tiny := 1e-9 * math.Abs(x); x < low-slack-tiny || x > high+slack+tiny {
		verdict = "FAILED"
		t.Errorf("%s: %s is %.7g, outside %.7g to %.7g", r.ID, r.Metric, x, low-slack, high+slack)
	}
	t.Logf("| %s | %s | %s | %.6g | %s %s | %.4g | %s |", r.ID, r.Metric, expected, x, r.TolKind, tol, slack, verdict)
}
