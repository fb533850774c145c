package main

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/sweep"
)

func (a *app) plotCommand() *cobra.Command {
	var l look
	cmd := &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw the figures of a results directory again, without running",
		Long: `Draw the figures of a results directory again from what is in it. What is drawn is
in DIR/scenario.yaml under figures: change it there and draw again. Only what run
has kept can be drawn: every series and distribution, the states of connections,
and of single connections those that the figures named when it ran.`,
		Example: `  tcplab plot results/syn-flood --style slides --format svg
  tcplab plot results/syn-flood --format tex,csv`,
		Args:              needs(1, "one DIR"),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		RunE:              func(_ *cobra.Command, args []string) error { return a.plot(args[0], l) },
	}
	l.addFlags(cmd.Flags())
	completeLook(cmd)
	return cmd
}

func (a *app) plot(dir string, l look) (err error) {
	if sweep.IsSweep(dir) {
		return a.plotSweepAgain(dir, l)
	}
	stored, err := scenarios.Open(dir, scenarios.Registry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	data, err := stored.FigureData()
	if err != nil {
		return err
	}
	drawn, err := a.draw(data, stored.Scenario, filepath.Join(dir, scenarios.FiguresDir), l)
	if err != nil {
		return err
	}
	if len(drawn.files) > 0 {
		a.print("%s\n", figureLine(dir, drawn))
	}
	return drawn.err
}
