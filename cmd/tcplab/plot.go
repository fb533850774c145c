package main

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
)

func (a *app) plotCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "plot DIR",
		Short: "Draw the figures of a results directory again, without running",
		Long: `Draw the figures of a results directory again from its series and samples. What
is drawn is in DIR/scenario.yaml under figures: change it there and draw again.`,
		Args:              needs(1, "one DIR"),
		ValidArgsFunction: cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		RunE:              func(_ *cobra.Command, args []string) error { return a.plot(args[0]) },
	}
}

func (a *app) plot(dir string) (err error) {
	stored, err := scenarios.Open(dir, scenarios.Registry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	drawn, err := a.draw(stored.Result, stored.Scenario, filepath.Join(dir, scenarios.FiguresDir))
	if err != nil {
		return err
	}
	if len(drawn.files) > 0 {
		a.print("%s\n", figureLine(dir, drawn.files))
	}
	return drawn.err
}
