package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
)

// runOptions are the flags of run.
type runOptions struct {
	input
	replications int
	out          string
	json, quiet  bool
}

func (a *app) runCommand() *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   "run FILE|NAME",
		Short: "Run a scenario; leave results and figures in a directory",
		Long: `Run a scenario, the one in FILE or the one of the library called NAME, print
what came of it, and leave metrics, series, figures and the connections in a
directory. An older result of tcplab there is replaced, anything else refused.`,
		Example: `  tcplab run syn-flood
  tcplab run syn-flood --set syncookies=1 --out results/cookies
  tcplab run my.yaml --replications 20 --json`,
		Args:              needs(1, "one FILE or NAME"),
		ValidArgsFunction: completeScenario,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0], o) },
	}
	flags := cmd.Flags()
	o.addFlags(flags)
	flags.IntVar(&o.replications, "replications", 1, "make `N` runs with random numbers of their own")
	flags.StringVar(&o.out, "out", "", "put the results into `DIR` (default results/NAME)")
	flags.BoolVar(&o.json, "json", false, "print summary.json and nothing else")
	flags.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	if err := cmd.RegisterFlagCompletionFunc("set", completeSet); err != nil {
		panic(err)
	}
	return cmd
}

func (a *app) run(cmd *cobra.Command, ref string, o *runOptions) (err error) {
	if o.replications < 1 {
		return usageError{fmt.Errorf("--replications %d: there must be at least 1", o.replications)}
	}
	sc, err := a.load(cmd, ref, &o.input, o.quiet)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	dir := cmp.Or(o.out, filepath.Join("results", sc.Name))
	target, err := scenarios.OpenTarget(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Discard()) }()

	bar := a.newProgress(sc.Name, o.quiet)
	start := time.Now()
	outcome, err := scenarios.Run(ctx, sc, scenarios.Options{Replications: o.replications, Progress: bar.update})
	wall := time.Since(start)
	bar.finish()
	if err != nil {
		return err
	}
	results, err := scenarios.NewResults(sc, outcome)
	if err != nil {
		return err
	}
	results.Manifest.Version, results.Manifest.Go = version(), runtime.Version()
	results.Manifest.WallSeconds = wall.Seconds()
	drawn, err := a.save(results, target, sc)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := target.Commit(&results.Manifest); err != nil {
		return err
	}
	switch {
	case o.json:
		a.print("%s", results.Summary)
	case !o.quiet:
		s := summary{style: a.styleOf(a.stdout), manifest: &results.Manifest, outcome: outcome, dir: dir, figures: drawn.files}
		for i := range sc.Expect {
			s.asked = append(s.asked, sc.Expect[i].Metrics()...)
		}
		s.print(a.out)
	}
	return drawn.err
}

// save writes the results and draws the figures into the target.
func (a *app) save(results *scenarios.Results, target *scenarios.Target, sc *spec.Scenario) (figures, error) {
	if err := results.Write(target); err != nil {
		return figures{}, err
	}
	return a.draw(results.Outcome.Result, sc, filepath.Join(target.Staging(), scenarios.FiguresDir))
}
