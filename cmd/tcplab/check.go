package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

func (a *app) checkCommand() *cobra.Command {
	var in input
	var how checking
	cmd := &cobra.Command{
		Use:   "check [FILE|NAME]...",
		Short: "Run scenarios and see whether what they expect holds",
		Long: `Run scenarios, by default the whole library, and see whether what they expect
holds. Nothing is written. The exit status is 1 if an expectation fails and 2 if
a scenario is wrong. With --sweeps the points of their sweeps are run as well, for
what is expected of each.`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarioNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.check(cmd, args, &in, how) },
	}
	in.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&how.quiet, "quiet", false, "print only what fails")
	cmd.Flags().BoolVar(&how.sweeps, "sweeps", false, "run the points of sweeps that expect something, too")
	if err := cmd.RegisterFlagCompletionFunc("set", completeSet); err != nil {
		panic(err)
	}
	return cmd
}

// checking is how scenarios are checked.
type checking struct{ quiet, sweeps bool }

func (a *app) check(cmd *cobra.Command, refs []string, in *input, how checking) error {
	if len(refs) == 0 {
		list, err := scenarios.List()
		if err != nil {
			return err
		}
		for _, e := range list {
			refs = append(refs, e.Name)
		}
	}
	var wrong spec.Errors
	failed := false
	for _, ref := range refs {
		passed, err := a.checkOne(cmd, ref, in, how)
		var problems spec.Errors
		switch {
		case errors.Is(err, context.Canceled):
			return err
		case errors.As(err, &problems):
			wrong = append(wrong, problems...)
		case err != nil:
			return fmt.Errorf("%s: %w", ref, err)
		}
		failed = failed || !passed
	}
	switch {
	case len(wrong) > 0:
		return wrong
	case failed:
		return errExpectation
	default:
		return nil
	}
}

// checkOne runs a scenario and prints what became of its expectations.
func (a *app) checkOne(cmd *cobra.Command, ref string, in *input, how checking) (passed bool, err error) {
	sc, err := a.load(cmd, ref, in, how.quiet)
	if err != nil {
		return false, err
	}
	bar := a.newProgress(sc.Name, how.quiet)
	outcome, err := scenarios.Run(cmd.Context(), sc, scenarios.Options{Progress: bar.update})
	bar.finish()
	if err != nil {
		return false, err
	}
	style := a.styleOf(a.stdout)
	good, all := outcome.Passed(), len(outcome.Expectations)
	passed = good == all
	note := fmt.Sprintf("%d of %d expectations hold", good, all)
	if all == 0 {
		note = "runs (it expects nothing)"
	}
	points := new(expected)
	if how.sweeps && sc.Sweep != nil && len(sc.Sweep.Expect) > 0 {
		if points, err = a.checkSweep(cmd.Context(), sc, in.set, how.quiet); err != nil {
			return false, err
		}
		passed = passed && points.good == points.all
		note += "; sweep: " + points.String()
	}
	if !passed || !how.quiet {
		a.print("%s %-22s %s\n", style.mark(passed), ref, note)
	}
	for e := range slices.Values(outcome.Expectations) {
		if !e.Passed {
			a.print("    %s\n", e.Message)
		}
	}
	a.printFailed(points)
	return passed, a.out.Flush()
}
