package plots

import (
	"fmt"
	"math"
	"strings"
)

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
