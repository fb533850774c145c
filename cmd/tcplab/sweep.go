package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tcplab/scenarios"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/sweep"
)

// sweepOptions are the flags of sweep.
type sweepOptions struct {
	input
	request               sweep.Request
	run                   sweep.Options
	until, compare, shard string
	batches               int
	engine, out           string
	dryRun, status, quiet bool
	look                  look
	cluster               clusterOptions
	behind                []string // the arguments behind --
}

func (a *app) sweepCommand() *cobra.Command {
	o := &sweepOptions{}
	cmd := &cobra.Command{
		Use:   "sweep FILE|NAME",
		Short: "Run a scenario at many points, many times",
		Long: `Run a scenario at all points of its sweep, or at those of --vary, with a number
of replications each, on all cores. What is finished is kept in DIR/points as it
comes: interrupted in any way, the same command goes on where it was and ends with
the same results, byte by byte; with more values or replications it runs what is
new. The results are in DIR: results.csv and results.parquet have a row for each
point and replication, summary.csv the means and their 95 % intervals, figures/
what the scenario draws of its sweep.`,
		Example: `  tcplab sweep backlog-sweep
  tcplab sweep syn-flood --vary flood_rate=log:10/s..10000/s:7 \
      --vary syncookies=0,1 --replications 20
  tcplab sweep syn-flood --vary flood_rate=log:10/s..1000/s \
      --vary backlog=lin:16..512 --design latin_hypercube:200
  tcplab sweep syn-flood --vary syncookies=0,1 --compare syncookies=0,1 \
      --until legit.connect_success=0.01,200
  tcplab sweep my.yaml --dry-run
  tcplab sweep my.yaml --engine slurm -- --partition=short --account=me
  tcplab sweep my.yaml --shard 3/10 --out shard3
  tcplab merge shard* --out all`,
		Args: func(cmd *cobra.Command, args []string) error {
			args, o.behind = behind(cmd, args)
			return needs(1, "one FILE or NAME")(cmd, args)
		},
		ValidArgsFunction: completeScenario,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.sweep(cmd, args[0], o) },
	}
	flags := cmd.Flags()
	o.addFlags(flags)
	flags.StringArrayVar(&o.request.Vary.Values, "vary", nil, "`PARAMETER=VALUES` that vary, in place of the scenario's sweep: a list with commas, or lin:FROM..TO:COUNT, log:FROM..TO:COUNT (repeatable)")
	flags.StringVar(&o.request.Vary.Design, "design", "", "how --vary combine: grid, zip, one_at_a_time, random:N or latin_hypercube:N (default grid)")
	flags.IntVar(&o.request.Replications, "replications", 0, "`N` runs with random numbers of their own at each point (default the scenario's)")
	flags.StringVar(&o.request.Streams, "streams", "", "common: replication n has the same random numbers at all points; independent: others at each (default the scenario's)")
	flags.StringVar(&o.until, "until", "", "add replications until a 95 % interval is narrow: `METRIC=HALF_WIDTH,MAX`")
	flags.IntVar(&o.batches, "batches", 0, "divide each run into `N` stretches, for intervals from one long run")
	flags.StringVar(&o.compare, "compare", "", "differences between two values of what varies: `PARAMETER=FROM,TO`")
	flags.StringSliceVar(&o.request.Metrics, "metrics", nil, "have only these metrics in the results: `NAME,...`, where * stands for anything (default all)")
	flags.IntVar(&o.run.Workers, "workers", 0, "`N` runs at once (default one for each core)")
	flags.StringVar(&o.shard, "shard", "", "run part I of N alone, `I/N`: tcplab merge puts the parts together")
	flags.StringVar(&o.engine, "engine", "local", "where it runs: local, or slurm, as an array of jobs; the directory must be one that all nodes have")
	o.cluster.addFlags(flags)
	flags.StringVar(&o.out, "out", "", "put the results into `DIR` (default results/NAME)")
	flags.BoolVar(&o.dryRun, "dry-run", false, "run one replication and say how many there would be and how long they would take")
	flags.BoolVar(&o.status, "status", false, "say how far the sweep in DIR is, and run nothing")
	flags.BoolVar(&o.quiet, "quiet", false, "print nothing but errors")
	o.look.addFlags(flags)
	completeLook(cmd)
	if err := cmd.RegisterFlagCompletionFunc("set", completeSet); err != nil {
		panic(err)
	}
	return cmd
}

func (a *app) sweep(cmd *cobra.Command, ref string, o *sweepOptions) error {
	if err := o.read(cmd); err != nil {
		return usageError{err}
	}
	if o.status && sweep.IsSweep(ref) {
		return a.sweepStatus(cmd.Context(), ref)
	}
	sc, err := a.load(cmd, ref, &o.input, o.quiet)
	if err != nil {
		return err
	}
	dir := cmp.Or(o.out, filepath.Join("results", sc.Name))
	if o.status {
		return a.sweepStatus(cmd.Context(), dir)
	}
	model, err := modelVersion()
	if err != nil {
		return err
	}
	s, err := sweep.New(sc, o.request, model)
	if err != nil {
		return inputError(err)
	}
	if o.dryRun {
		return a.sweepForecast(cmd.Context(), s, dir, o)
	}
	if o.engine == "slurm" {
		return a.runCluster(cmd.Context(), s, dir, o)
	}
	return a.runSweep(cmd.Context(), s, dir, o)
}

// behind parts arguments at --.
func behind(cmd *cobra.Command, args []string) (before, after []string) {
	if at := cmd.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}

// inputError marks an error about the input that is not one of a file.
func inputError(err error) error {
	var problems spec.Errors
	if errors.As(err, &problems) {
		return err
	}
	return usageError{err}
}

// read reads the flags that say more than one thing.
func (o *sweepOptions) read(cmd *cobra.Command) error {
	flags := cmd.Flags()
	switch o.engine {
	case "local":
		if len(o.behind) > 0 {
			return fmt.Errorf("%s: what is behind -- is for sbatch (give --engine slurm, too)", o.behind[0])
		}
	case "slurm":
		if o.shard != "" {
			return errors.New("--shard: with --engine slurm tasks are made as they are needed (leave it out)")
		}
	default:
		return fmt.Errorf("--engine %s is unknown (have local, slurm; for another one, --shard I/N runs a part and tcplab merge puts the parts together)", o.engine)
	}
	if err := o.cluster.check(flags, o.engine); err != nil {
		return err
	}
	o.request.Set = o.set
	if flags.Changed("seed") {
		o.request.Seed = &o.seed
	}
	if flags.Changed("replications") && o.request.Replications < 1 || flags.Changed("workers") && o.run.Workers < 1 {
		return errors.New("--replications and --workers: there must be at least 1")
	}
	if flags.Changed("batches") {
		o.request.Batches = &o.batches
	}
	if o.until != "" {
		u, err := readUntil(o.until)
		if err != nil {
			return err
		}
		o.request.Until = u
	}
	if o.compare != "" {
		name, values, _ := strings.Cut(o.compare, "=")
		from, to, ok := strings.Cut(values, ",")
		if !ok || name == "" || from == "" || to == "" {
			return fmt.Errorf("--compare %s is not of the form PARAMETER=FROM,TO (such as syncookies=0,1)", o.compare)
		}
		o.request.Compare = &spec.Compare{Param: name, From: from, To: to}
	}
	if o.shard != "" {
		part, of, _ := strings.Cut(o.shard, "/")
		var err1, err2 error
		o.run.Shard, err1 = strconv.Atoi(part)
		o.run.Shards, err2 = strconv.Atoi(of)
		if err1 != nil || err2 != nil || o.run.Shard < 1 || o.run.Shard > o.run.Shards {
			return fmt.Errorf("--shard %s is not of the form I/N with I from 1 to N (such as 3/10)", o.shard)
		}
	}
	return nil
}

// readUntil reads METRIC=HALF_WIDTH,MAX.
func readUntil(text string) (*spec.Until, error) {
	metric, rest, _ := strings.Cut(text, "=")
	width, most, ok := strings.Cut(rest, ",")
	w, err1 := strconv.ParseFloat(width, 64)
	n, err2 := strconv.Atoi(most)
	if !ok || metric == "" || err1 != nil || err2 != nil || n > 1_000_000 {
		return nil, fmt.Errorf("--until %s is not of the form METRIC=HALF_WIDTH,MAX (such as legit.connect_success=0.01,200 or web.connect_p50=0.002,50: a width is a number in the unit of the metric, s, bit/s, B or 1/s)", text)
	}
	return &spec.Until{Metric: metric, HalfWidth: w, Max: n}, nil
}

func (a *app) runSweep(ctx context.Context, s *sweep.Sweep, dir string, o *sweepOptions) error {
	bar := a.newSweepProgress(s.Scenario.Name, o.quiet)
	o.run.Progress = bar.update
	o.run.Failed = func(f sweep.Failure) { bar.above("point %s failed: %s", describePoint(s, f), f.Text) }
	out, err := s.Run(ctx, dir, version(), runtime.Version(), o.run)
	bar.finish()
	if out != nil {
		for _, text := range out.Damaged {
			a.note("warning: %s", text)
		}
	}
	if errors.Is(err, context.Canceled) && out != nil {
		a.note("%d replications are kept in %s: the same command goes on", out.Found+out.Ran, filepath.Clean(dir)+string(filepath.Separator))
	}
	if err != nil {
		return err
	}
	return a.sweepDone(s, dir, out, o.quiet, o.look)
}

// sweepDone draws the figures and tells what came of a sweep.
func (a *app) sweepDone(s *sweep.Sweep, dir string, out *sweep.Outcome, quiet bool, l look) error {
	var drawn figures
	var err error
	if out.Manifest.Shards <= 1 {
		if drawn, err = a.drawSweep(s, dir, l); err != nil {
			return err
		}
		page, err := sweepPage(s, dir)
		if err != nil {
			return err
		}
		if err := writePage(page, dir); err != nil {
			return err
		}
	}
	if !quiet {
		if err := a.printSweep(s, dir, out, drawn); err != nil {
			return err
		}
	}
	if n := len(out.Failures); n > 0 {
		return errors.Join(fmt.Errorf("%d of %d points failed and are left out of the results (manifest.json lists them)", n, n+out.Points), drawn.err)
	}
	return drawn.err
}

func (a *app) printSweep(s *sweep.Sweep, dir string, out *sweep.Outcome, drawn figures) error {
	m := &out.Manifest
	a.print("%s\n", a.styleOf(a.stdout).bold(cmp.Or(s.Scenario.Title, s.Scenario.Name)))
	count := fmt.Sprintf("%d replications", out.Found+out.Ran)
	switch {
	case out.Ran == 0 && out.Found > 0:
		count += ", all there before"
	case out.Found > 0:
		count += fmt.Sprintf(", %d of them there before", out.Found)
	}
	a.print("%d points over %s: %s, in %s\n", out.Points, strings.Join(s.Design.Params, ", "), count,
		roughly(time.Duration(m.WallSeconds*float64(time.Second))))
	path := filepath.Clean(dir) + string(filepath.Separator)
	if m.Shards > 1 {
		a.print("shard    %s (part %d of %d: tcplab merge puts them together)\n", path, m.Shard, m.Shards)
		return nil
	}
	tables := "results.csv,results.parquet,summary.csv"
	if s.Spec.Compare != nil {
		tables += ",differences.csv"
	}
	a.print("results  %s{%s}\n", path, tables)
	if len(drawn.files) > 0 {
		a.print("figures  %s\n", figureLine(dir, drawn))
	}
	a.print("report   %s%s\n", path, reportName)
	found, err := expectedIn(s, dir)
	if err == nil && found.all > 0 {
		a.print("expects  %s\n", found)
		a.printFailed(found)
	}
	return err
}

// pointValues lists the values of the parameters that vary at a point.
func pointValues(s *sweep.Sweep, values []string) string {
	text := ""
	for i, v := range values {
		text += " " + s.Design.Params[i] + "=" + v
	}
	return text
}

// describePoint names a point that failed.
func describePoint(s *sweep.Sweep, f sweep.Failure) string {
	text := strconv.Itoa(f.Point) + pointValues(s, f.Params)
	if f.Replication > 0 {
		text += fmt.Sprintf(", replication %d,", f.Replication)
	}
	return text
}

// trialLimit bounds the one replication of a dry run.
const trialLimit = 20 * time.Second

func (a *app) sweepForecast(ctx context.Context, s *sweep.Sweep, dir string, o *sweepOptions) error {
	f, err := s.Forecast(ctx, o.run, trialLimit)
	if err != nil {
		return err
	}
	each := strconv.Itoa(f.Least)
	if f.Most > f.Least {
		each = fmt.Sprintf("%d to %d", f.Least, f.Most)
	}
	a.print("points        %d, over %s\n", f.Points, strings.Join(s.Design.Params, ", "))
	a.print("replications  %s each, %d at least\n", each, f.Points*f.Least)
	atLeast := ""
	if f.Over || f.Most > f.Least {
		atLeast = "more than "
	}
	a.print("time          %sabout %s (one replication of the middle point: %s)\n", atLeast, roughly(f.Time), roughly(f.One))
	a.print("results       %s", filepath.Clean(dir)+string(filepath.Separator))
	if f.Bytes > 0 {
		a.print(" (points/ takes about %sB)", prefixed(float64(f.Bytes)))
	}
	a.print("\n")
	if sweep.IsSweep(dir) {
		a.print("              where there is a sweep already: what it has finished is not run again\n")
	}
	return nil
}

func (a *app) sweepStatus(ctx context.Context, dir string) error {
	st, err := sweep.Look(ctx, dir, scenarios.Registry())
	if err != nil {
		return err
	}
	a.print("sweep         %s in %s\n", st.Plan.Scenario, filepath.Clean(dir)+string(filepath.Separator))
	a.print("points        %d of %d finished\n", st.Points, st.Total)
	a.print("replications  %d there, %d missing\n", st.Replications, st.MissingReplications)
	active := a.jobStatus(ctx, dir)
	state := "stopped: tcplab sweep goes on with it"
	switch {
	case active && !st.Running:
		state = "in the queue"
	case st.Running:
		state = "running"
	case st.Complete:
		state = "complete"
	}
	a.print("state         %s\n", state)
	for _, f := range st.Failed {
		a.print("failed        point %d (%s): %s\n", f.Point, strings.Join(f.Params, ", "), f.Text)
	}
	for _, text := range st.Damaged {
		a.note("warning: %s", text)
	}
	return nil
}

// modelVersion names what decides the results: the version or the commit that
// the program was built from. A program that was built from changed files is
// told by its own bytes.
func modelVersion() (string, error) {
	v := version()
	if v != "devel" && v != "unknown" && !strings.HasSuffix(v, "+changes") && !strings.HasSuffix(v, "+dirty") {
		return v, nil
	}
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "program " + hex.EncodeToString(h.Sum(nil)[:8]), nil
}
