package main

import (
	"fmt"
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
	return usageError{fmt.Errorf("%s (%s)", text, hint)}
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
