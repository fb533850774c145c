package quantity

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestParseSizes(t *testing.T) {
	pattern := regexp.MustCompile(Sizes{}.Syntax().Pattern)
	for text, want := range map[string]Distribution{
		"0B":                    {},
		" 1.5KiB":               {A: 1536},
		"exponential  10kB":     {Law: Exponential, A: 10_000},
		"uniform 1kB 2kB":       {Law: Uniform, A: 1000, B: 2000},
		"pareto 1.2 4kB":        {Law: Pareto, Shape: 1.2, A: 4000},
		"pareto 1.2 4kB 10MB":   {Law: Pareto, Shape: 1.2, A: 4000, B: 10_000_000},
		"lognormal 10kB 1.5":    {Law: Lognormal, Shape: 1.5, A: 10_000},
		"choice 3 1kB 1 100kB":  {Law: Choice, Choices: []Weighted{{1000, 3}, {100_000, 1}}},
		"file web/sizes-1.txt ": {Law: Empirical, File: "web/sizes-1.txt"},
	} {
		got, err := ParseSizes(text)
		want.Text = strings.Join(strings.Fields(text), " ")
		if err != nil || !reflect.DeepEqual(Distribution(got), want) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
		if again, err := ParseSizes(got.String()); err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%q prints as %q, which reads as %+v, %v", text, got, again, err)
		}
		if !pattern.MatchString(got.String()) {
			t.Errorf("%q does not match the pattern", got)
		}
	}
	if d, err := ParseDurations("exponential 20ms"); err != nil || d.A != 20e6 {
		t.Errorf("exponential 20ms: %+v, %v", d, err)
	}
}

func TestParseSizesErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "no value",
		"10":                     "has no unit",
		"-1kB":                   "is negative",
		"gaussian 10kB":          `unknown distribution "gaussian" (write 10kB for always the same, or exponential`,
		"exponential":            `0 words behind the distribution (write "exponential 10kB")`,
		"exponential 0B":         "a value of 0",
		"uniform 2kB 1kB":        "2kB is not less than 1kB",
		"pareto heavy 1kB":       `the shape "heavy" is not a number`,
		"pareto 1.2 4kB 4kB":     "4kB is not less than 4kB",
		"lognormal 10kB 1000":    `the shape "1000" is not a number from 0.05 to 100`,
		"choice 3 1kB 1":         "3 words",
		"choice 0 1kB 1 2kB":     `the weight "0"`,
		"choice 3 1kB 1 20ms":    "is a time, not a size",
		"file a b":               `2 words behind the distribution (write "file NAME.txt")`,
		"exponential 10kB extra": "2 words",
	} {
		if _, err := ParseSizes(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want ...%s...", text, err, want)
		}
	}
}
