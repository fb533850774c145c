package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/drill"
)

func (a *app) drillCommand() *cobra.Command {
	var o drill.Options
	var usecs, workers int
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "drill SCRIPT|DIR...",
		Short: "Run packetdrill-language scripts against a stack",
		Long: `Run scripts in the packetdrill language against one stack in simulated time,
those of a folder with all *.pkt below it. Each script gets one line, PASS, FAIL
or SKIP (it needs something that the runner or the stack does not have), and a
failure the lines that explain it.`,
		Example: "  tcplab drill --tolerance_usecs=20000 scripts/\n  tcplab drill --json handshake.pkt",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if usecs < 0 || o.TolerancePercent < 0 || workers < 1 {
				return usageError{fmt.Errorf("a tolerance cannot be negative, and there is at least one worker")}
			}
			if _, err := tcpmodel.Profile(o.Profile); err != nil {
				return usageError{err}
			}
			files, err := drill.Find(args...)
			if err != nil {
				return usageError{err}
			}
			o.Tolerance = des.Time(usecs) * des.Microsecond
			return a.drill(files, o, workers, asJSON, quiet)
		},
	}
	f := cmd.Flags()
	f.IntVar(&usecs, "tolerance_usecs", 0, "how far an event may be off its time, in microseconds (default that of the script, or 4000)")
	f.Float64Var(&o.TolerancePercent, "tolerance_percent", 0, "allow that part of the time since the event before if it is more (default that of the script, or 1)")
	f.BoolVar(&o.NoMerge, "strict_segments", false, "do not join segments to the large ones of segmentation offload")
	f.StringVar(&o.Profile, "profile", tcpmodel.ProfileNames()[0], "profile of the stack")
	f.IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "scripts that run at once")
	f.BoolVar(&asJSON, "json", false, "print the results as JSON and nothing else")
	f.BoolVarP(&quiet, "quiet", "q", false, "print failures and the count alone")
	return cmd
}

func (a *app) drill(files []string, o drill.Options, workers int, asJSON, quiet bool) error {
	var counts drill.Counts
	var results []*drill.Result
	drill.RunFiles(files, o, workers, func(r *drill.Result) {
		counts.Add(r)
		switch {
		case asJSON:
			results = append(results, r)
		case !quiet || r.Status == drill.Failed:
			a.print("%s\n", r.Text())
		}
	})
	if asJSON {
		if err := drill.WriteJSON(a.out, results); err != nil {
			return err
		}
	} else {
		a.print("%s\n", counts)
	}
	if counts.Failed > 0 {
		return errExpectation
	}
	return nil
}
