package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is an error of the one who called.
type usageError struct{ error }

// misused puts what the command line library says about a wrong usage into one
// line.
func misused(err error) error {
	text, meant, suggested := strings.Cut(strings.TrimSpace(err.Error()), "\n\nDid you mean this?\n")
	hint := "tcplab help shows what there is"
	if suggested {
		hint = "did you mean " + strings.Join(strings.Fields(meant), " or ") + "? " + hint
	}
	text = notANumber.ReplaceAllString(text, "not a whole number that can stand there")
	return usageError{fmt.Errorf("%s (%s)", text, hint)}
}

// notANumber is what the command line library passes on from package strconv.
var notANumber = regexp.MustCompile(`strconv\.\w+: parsing "[^"]*": (invalid syntax|value out of range)`)

// narrow makes what helps with a command fit a terminal: paragraphs and flags.
func narrow(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		paragraphs := strings.Split(cmd.Long, "\n\n")
		for i, p := range paragraphs {
			paragraphs[i] = strings.Join(wrap(p, terminalWidth), "\n")
		}
		cmd.Long = strings.Join(paragraphs, "\n\n")
	}
	usage := strings.NewReplacer(
		".LocalFlags.FlagUsages ", ".LocalFlags.FlagUsagesWrapped 80 ",
		".InheritedFlags.FlagUsages ", ".InheritedFlags.FlagUsagesWrapped 80 ",
	).Replace(root.UsageTemplate())
	root.SetUsageTemplate(usage)
}

// needs wants a number of arguments and says what they are.
func needs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s needs %s, and not %d arguments", cmd.Name(), what, len(args))
		}
		return nil
	}
}
