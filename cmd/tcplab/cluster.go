package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tcplab/scenarios"
	"tcplab/scenarios/sweep"
	"tcplab/scenarios/sweep/cluster"
)

// clusterOptions are the flags of sweep that are about jobs.
type clusterOptions struct {
	taskTime time.Duration
	tasks    int
	noWait   bool
	slurm    []string
}

func (c *clusterOptions) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&c.taskTime, "task-time", cluster.DefaultTaskTime, "with an engine other than local: how long a task should take, `TIME`")
	flags.IntVar(&c.tasks, "tasks", 0, "with an engine other than local: at most `N` tasks at once (default as many as the engine allows)")
	flags.BoolVar(&c.noWait, "no-wait", false, "with an engine other than local: submit and return; a job writes the results")
	flags.StringArrayVar(&c.slurm, "slurm-options", nil, "`OPTIONS` for sbatch, words with blanks between (repeatable); or give them behind --")
}

func (c *clusterOptions) check(flags *pflag.FlagSet, engine string) error {
	if engine != "local" {
		if c.taskTime <= 0 || flags.Changed("tasks") && c.tasks < 1 {
			return errors.New("--task-time and --tasks: there must be some")
		}
		return nil
	}
	for _, name := range []string{"task-time", "tasks", "no-wait", "slurm-options"} {
		if flags.Changed(name) {
			return fmt.Errorf("--%s is for jobs (give --engine slurm, too)", name)
		}
	}
	return nil
}

// sbatch returns the user's own options.
func (c *clusterOptions) sbatch(behind []string) []string {
	var out []string
	for _, text := range c.slurm {
		out = append(out, strings.Fields(text)...)
	}
	return append(out, behind...)
}

// runCluster runs a sweep as jobs.
func (a *app) runCluster(ctx context.Context, s *sweep.Sweep, dir string, o *sweepOptions) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	bar := a.newSweepProgress(s.Scenario.Name, o.quiet)
	out, detached, err := cluster.Run(ctx, s, dir, cluster.Options{
		Engine: &cluster.Slurm{Options: o.cluster.sbatch(o.behind)}, Program: program, Version: version(), Go: runtime.Version(),
		CPUs: o.run.Workers, TaskTime: o.cluster.taskTime, MostTasks: o.cluster.tasks, Detach: o.cluster.noWait,
		Progress: bar.jobs, Collecting: bar.update, Note: func(text string) { bar.above("%s", text) },
	})
	bar.finish()
	switch {
	case err != nil:
		return err
	case detached != nil:
		if !o.quiet {
			a.print("job      %s, %d tasks; job %s writes the results into %s\n", detached.Job, detached.Tasks, detached.Collect, filepath.Clean(dir)+string(filepath.Separator))
			a.print("status   tcplab sweep %s --status\n", dir)
		}
		return nil
	}
	return a.sweepDone(s, dir, out, o.quiet, o.look)
}

// jobs shows how far the tasks of a sweep are.
func (p *sweepProgress) jobs(at cluster.Progress) {
	p.redraw(func(time.Duration) string { return jobsLine(p.name, at, p.terminal) })
}

// lineWidth is how wide a line may be that is drawn again and again.
const lineWidth = 79

// jobsLine leaves out why tasks wait where there is no room for it.
func jobsLine(name string, at cluster.Progress, bar bool) string {
	const width = 10
	drawing := ""
	if bar {
		if r := []rune(name); len(r) > 12 {
			name = string(r[:11]) + "…"
		}
		full := min(width, at.Done*width/max(1, at.Total))
		drawing = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] "
	}
	rest := "?"
	if at.Left >= 0 {
		rest = roughly(at.Left)
	}
	line := func(tasks string) string {
		return fmt.Sprintf("%s %s%d/%d runs, %s left, tasks %s", name, drawing, at.Done, at.Total, rest, tasks)
	}
	text := line(taskCounts(at.Tasks, at.Reason))
	if bar && len([]rune(text)) > lineWidth {
		text = line(taskCounts(at.Tasks, ""))
	}
	if r := []rune(text); bar && len(r) > lineWidth {
		text = string(r[:lineWidth-1]) + "…"
	}
	return text
}

// taskCounts writes how many tasks are in each state.
func taskCounts(tasks map[cluster.State]int, reason string) string {
	var out []string
	for _, s := range slices.Sorted(maps.Keys(tasks)) {
		text := fmt.Sprintf("%d %s", tasks[s], s)
		if s == cluster.Waiting && reason != "" {
			text += " (" + reason + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// jobStatus prints what has become of the jobs of a sweep and reports whether
// some go on.
func (a *app) jobStatus(ctx context.Context, dir string) (active bool) {
	engine := &cluster.Slurm{}
	if !cluster.Submitted(dir, engine) {
		return false
	}
	jobs, err := cluster.Status(ctx, dir, engine)
	if err != nil {
		a.note("warning: %v", err)
	}
	for _, j := range jobs {
		active = active || !j.Ended()
		a.print("job           %s: tasks %s\n", j.ID, taskCounts(j.Tasks, j.Reason))
		if j.Collect != "" && !j.Ended() {
			a.print("              job %s writes the results then\n", j.Collect)
		}
		for _, text := range j.Help {
			a.print("              %s\n", text)
		}
	}
	return active
}

// taskCommand is what jobs run.
func (a *app) taskCommand() *cobra.Command {
	var collect bool
	var number int
	cmd := &cobra.Command{
		Use:    "task BATCH",
		Short:  "Run a task of a sweep that was submitted to a cluster",
		Hidden: true,
		Args:   needs(1, "the directory of a batch"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if collect {
				return a.collect(cmd.Context(), args[0])
			}
			return a.task(cmd.Context(), args[0], number)
		},
	}
	cmd.Flags().BoolVar(&collect, "collect", false, "write the results of all tasks")
	cmd.Flags().IntVar(&number, "number", 0, "the task, `N` (default that of the environment)")
	return cmd
}

// fromEnvironment returns a number that the engine has put there.
func fromEnvironment(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

func (a *app) task(ctx context.Context, batchDir string, number int) error {
	if number == 0 {
		number = fromEnvironment("SLURM_ARRAY_TASK_ID", 0)
	}
	model, err := modelVersion()
	if err != nil {
		return err
	}
	workers := max(1, fromEnvironment("SLURM_CPUS_PER_TASK", 1))
	runtime.GOMAXPROCS(workers)
	report, err := sweep.RunTask(ctx, batchDir, number, model, scenarios.Registry(), sweep.Options{Workers: workers})
	if report != nil {
		a.note("task %d on %s: %d replications, %d points failed", number, report.Host, report.Ran, len(report.Failures))
	}
	return err
}

func (a *app) collect(ctx context.Context, batchDir string) error {
	s, _, err := sweep.OpenBatch(batchDir, scenarios.Registry())
	if err != nil {
		return err
	}
	out, dir, err := cluster.Collect(ctx, s, batchDir, cluster.Options{Version: version(), Go: runtime.Version()})
	if err != nil {
		return err
	}
	return a.sweepDone(s, dir, out, false, look{})
}
