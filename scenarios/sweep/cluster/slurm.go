package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Slurm submits with sbatch and looks with squeue. The number of a task is in
// SLURM_ARRAY_TASK_ID.
type Slurm struct {
	// Options are those that the user has for sbatch. They come last and so win.
	Options []string
}

// Warning is how long before its time limit a task is told to end.
const Warning = 30 * time.Second

// Name implements Engine.
func (*Slurm) Name() string { return "slurm" }

// command runs a program of Slurm and returns what it prints.
func command(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("there is no %s here (--engine slurm is for a machine from which jobs are submitted to Slurm; elsewhere --engine local, or --shard I/N)", name)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		text := strings.TrimSpace(stderr.String())
		if text == "" {
			text = err.Error()
		}
		return "", fmt.Errorf("%s: %s", name, strings.TrimPrefix(text, name+": "))
	}
	return stdout.String(), nil
}

var maxArraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)`)

// MostTasks implements Engine: an array has numbers below MaxArraySize.
func (*Slurm) MostTasks(ctx context.Context) (int, error) {
	text, err := command(ctx, "scontrol", "show", "config")
	if err != nil {
		return 0, err
	}
	m := maxArraySize.FindStringSubmatch(text)
	if m == nil {
		return 0, nil
	}
	n, err := strconv.Atoi(m[1])
	if err == nil && n < 2 {
		err = fmt.Errorf("this Slurm allows no job arrays (MaxArraySize = %d)", n)
	}
	return n - 1, err
}

// Submit implements Engine.
func (s *Slurm) Submit(ctx context.Context, j *Job) (string, error) {
	text, err := command(ctx, "sbatch", s.arguments(j)...)
	if err != nil {
		return "", explain(err)
	}
	id, _, _ := strings.Cut(strings.TrimSpace(text), ";") // ID;CLUSTER
	if _, err := strconv.Atoi(id); err != nil {
		return "", fmt.Errorf("sbatch printed %q and no number of a job", text)
	}
	return id, nil
}

// arguments are those of sbatch. With exec the task itself is what the signal
// before the time limit reaches.
func (s *Slurm) arguments(j *Job) []string {
	minutes := max(1, int((j.Time+time.Minute-1)/time.Minute))
	args := []string{"--parsable", "--job-name=" + j.Name, "--cpus-per-task=" + strconv.Itoa(max(1, j.CPUs)), "--ntasks=1",
		"--time=" + strconv.Itoa(minutes), "--signal=B:TERM@" + strconv.Itoa(int(Warning/time.Second)),
		"--requeue", "--open-mode=append", "--output=" + j.Log}
	if j.Tasks > 0 {
		args = append(args, fmt.Sprintf("--array=1-%d", j.Tasks))
	}
	if j.After != "" {
		args = append(args, "--dependency=afterany:"+j.After)
	}
	return slices.Concat(args, s.Options, []string{"--wrap", "exec " + quoted(j.Command)})
}

// quoted writes a command for a shell.
func quoted(words []string) string {
	var out []string
	for _, w := range words {
		out = append(out, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
	}
	return strings.Join(out, " ")
}

// explain says what can be done about a submission that sbatch refuses.
func explain(err error) error {
	text := err.Error()
	for _, c := range []struct{ word, hint string }{
		{"time limit", "ask for less with --task-time, or name a partition that allows it: --slurm-options '--partition=NAME'"},
		{"SubmitJob", "submit fewer tasks at once with --tasks N"},
		{"submit limit", "submit fewer tasks at once with --tasks N"},
		{"array specification", "submit fewer tasks at once with --tasks N"},
		{"temporarily unable", "submit fewer tasks at once with --tasks N, or try again later"},
		{"artition", "sinfo lists the partitions: --slurm-options '--partition=NAME'"},
		{"account", "say on whose account it runs: --slurm-options '--account=NAME'"},
		{"contact", "give the same command again when Slurm answers"},
	} {
		if strings.Contains(text, c.word) {
			return fmt.Errorf("%w (%s)", err, c.hint)
		}
	}
	return fmt.Errorf("%w (options for sbatch are given with --slurm-options)", err)
}

// Tasks implements Engine.
func (*Slurm) Tasks(ctx context.Context, id string) ([]Task, error) {
	text, err := command(ctx, "squeue", "-h", "-r", "-t", "all", "-j", id, "-o", "%K|%T|%N|%r")
	if err != nil {
		if strings.Contains(err.Error(), "Invalid job id") {
			return nil, ErrGone
		}
		return nil, err
	}
	tasks := readQueue(text)
	if len(tasks) == 0 {
		return nil, ErrGone
	}
	return tasks, nil
}

// readQueue reads lines of squeue: number, state, node, reason. The number is not
// one for a job without an array.
func readQueue(text string) []Task {
	var out []Task
	for line := range strings.Lines(text) {
		cells := strings.SplitN(strings.TrimSpace(line), "|", 4)
		if len(cells) < 4 {
			continue
		}
		number, _ := strconv.Atoi(cells[0])
		t := Task{Number: number, Word: cells[1], Node: cells[2], Reason: cells[3]}
		t.State = slurmState(t.Word, t.Reason)
		out = append(out, t)
	}
	return out
}

// slurmState reads a state as squeue prints it. A state that is not known here is
// taken for one that passes.
func slurmState(word, reason string) State {
	held := strings.HasPrefix(reason, "JobHeld") || strings.Contains(strings.ToLower(reason), "held")
	switch word {
	case "COMPLETED":
		return Done
	case "FAILED", "OUT_OF_MEMORY", "BOOT_FAIL":
		return Failed
	case "TIMEOUT", "DEADLINE":
		return TimedOut
	case "NODE_FAIL", "PREEMPTED":
		return NodeFailed
	case "CANCELLED", "REVOKED":
		return Cancelled
	case "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "STAGE_OUT", "SIGNALING":
		return Running
	case "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD":
		return Held
	}
	if held {
		return Held
	}
	return Waiting
}

// endless are reasons for which a task would wait for ever, and what to do.
var endless = []struct{ reason, hint string }{
	{"PartitionTimeLimit", "the partition allows less time: scontrol update jobid=%s timelimit=MINUTES, or scancel %[1]s and ask for less with --task-time"},
	{"BadConstraints", "no node is as the options of the job want it: scancel %s and change --slurm-options"},
	{"DependencyNeverSatisfied", "scancel %s, then give the same command again"},
	{"PartitionDown", "the partition is down: wait, or scancel %s and name another one in --slurm-options"},
	{"PartitionInactive", "the partition is inactive: wait, or scancel %s and name another one in --slurm-options"},
	{"InvalidAccount", "scancel %s and name an account in --slurm-options"},
	{"InvalidQOS", "scancel %s and name a QOS in --slurm-options"},
}

// Help implements Engine.
func (*Slurm) Help(id string, t Task) string {
	name := id
	if t.Number > 0 {
		name += "_" + strconv.Itoa(t.Number)
	}
	switch t.State {
	case Held:
		return fmt.Sprintf("scontrol release %s lets it run, scancel %[1]s gives it up", name)
	case Waiting:
		for _, e := range endless {
			if strings.Contains(t.Reason, e.reason) {
				return fmt.Sprintf(e.hint, id)
			}
		}
	case TimedOut:
		return "what it had finished is kept"
	case Failed:
		if t.Word == "OUT_OF_MEMORY" {
			return "give it more memory: --slurm-options '--mem=SIZE'"
		}
	}
	return ""
}
