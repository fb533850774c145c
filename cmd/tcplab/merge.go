package main

import (
	"cmp"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/sweep"
)

func (a *app) mergeCommand() *cobra.Command {
	var out string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Put the shards of a sweep together",
		Long: `Put the shards of a sweep, made with tcplab sweep --shard I/N, together into one
result, which is the same as that of the sweep in one piece. All shards are of one
command and one tcplab. They stay as they are.`,
		Example: "  tcplab merge shard* --out results/all",
		Args:    cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.merge(cmd, args, out, quiet)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "put the result into `DIR` (default results/NAME)")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print nothing but errors")
	return cmd
}

func (a *app) merge(cmd *cobra.Command, shards []string, dir string, quiet bool) error {
	s, _, err := sweep.Open(shards[0], scenarios.Registry())
	if err != nil {
		return err
	}
	dir = cmp.Or(dir, filepath.Join("results", s.Scenario.Name))
	out, err := sweep.Merge(cmd.Context(), dir, shards, version(), runtime.Version(), scenarios.Registry())
	if out != nil {
		for _, text := range out.Damaged {
			a.note("warning: %s", text)
		}
	}
	if err != nil {
		return err
	}
	return a.sweepDone(s, dir, out, quiet, look{})
}
