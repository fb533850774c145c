package spec

import (
	"fmt"
	"strings"
)

// maxCandidates bounds the work for a file with very many names.
const maxCandidates = 300

// nearest returns the candidate that s was probably meant to be, "" if none is
// near: at most one edit in three characters, or the start of it.
func nearest(s string, candidates []string) string {
	best, least := "", 1+max(1, min(len(s)/3, 4))
	candidates = candidates[:min(len(candidates), maxCandidates)]
	for _, c := range candidates {
		if len(c)-len(s) >= least || len(s)-len(c) >= least {
			continue
		}
		if d := distance(strings.ToLower(s), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	for _, c := range candidates {
		if best == "" && len(s) >= 3 && strings.HasPrefix(c, s) {
			best = c
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var rows [3][65]int
	before, last, next := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}

// instead is the bracket of a message about a word that is none of the
// candidates: the one that was probably meant, else all of them.
func instead(s string, candidates []string) string {
	if len(candidates) == 0 {
		return "(there is none)"
	}
	if c := nearest(s, candidates); c != "" {
		return fmt.Sprintf("(did you mean %s?)", c)
	}
	const most = 24
	if len(candidates) > most {
		return fmt.Sprintf("(have %s, and %d more)", strings.Join(candidates[:most], ", "), len(candidates)-most)
	}
	return fmt.Sprintf("(have %s)", strings.Join(candidates, ", "))
}
