package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fake puts a program in the place of one of Slurm: it keeps its arguments in a
// file beside it, prints one text and fails with another.
func fake(t *testing.T, name, stdout, stderr string) (arguments func() []string) {
	t.Helper()
	dir := os.Getenv("PATH")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$0.args\"\ncat <<'END'\n" + stdout + "\nEND\n"
	if stderr != "" {
		script += "cat >&2 <<'END'\n" + stderr + "\nEND\nexit 1\n"
	}
	script = strings.ReplaceAll(script, "cat ", "/bin/cat ")
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return func() []string {
		b, err := os.ReadFile(path + ".args")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
}

func TestSubmit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := &Slurm{Options: []string{"--partition=short", "--time=5"}}
	args := fake(t, "sbatch", "1234;other", "")
	id, err := s.Submit(context.Background(), &Job{Name: "tcplab-x", Command: []string{"/a b/tcplab", "task", "/it's"}, Tasks: 7, CPUs: 2,
		Time: 90 * time.Second, Log: "/log/task-%a.log", After: "12"})
	if err != nil || id != "1234" {
		t.Fatalf("%q, %v", id, err)
	}
	want := []string{"--parsable", "--job-name=tcplab-x", "--cpus-per-task=2", "--ntasks=1", "--time=2", "--signal=B:TERM@30", "--requeue",
		"--open-mode=append", "--output=/log/task-%a.log", "--array=1-7", "--dependency=afterany:12", "--partition=short", "--time=5",
		"--wrap", `exec '/a b/tcplab' 'task' '/it'\''s'`}
	if diff := cmp.Diff(want, args()); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := &Slurm{}
	for _, c := range []struct{ said, want string }{
		{"sbatch: error: Batch job submission failed: Invalid job array specification", "--tasks N"},
		{"sbatch: error: QOSMaxSubmitJobPerUserLimit", "--tasks N"},
		{"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", "--tasks N"},
		{"sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)", "--task-time"},
		{"sbatch: error: invalid partition specified: x", "sinfo"},
		{"sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified", "--slurm-options"},
		{"sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", "when Slurm answers"},
		{"sbatch: unrecognized option '--parition=x'", "--slurm-options"},
	} {
		fake(t, "sbatch", "", c.said)
		_, err := s.Submit(context.Background(), &Job{})
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(c.said, "sbatch: ")) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.said, err, c.want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := s.Submit(context.Background(), &Job{}); err == nil || !strings.Contains(err.Error(), "there is no sbatch here") {
		t.Errorf("error %v", err)
	}
}

func TestMostTasks(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	fake(t, "scontrol", "Configuration data as of now\nMaxArraySize            = 1001\nMaxJobCount             = 10000", "")
	if n, err := new(Slurm).MostTasks(context.Background()); n != 1000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	fake(t, "scontrol", "MaxArraySize            = 1", "")
	if _, err := new(Slurm).MostTasks(context.Background()); err == nil || !strings.Contains(err.Error(), "no job arrays") {
		t.Errorf("error %v", err)
	}
}

func TestTasks(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	fake(t, "squeue", "1|COMPLETED|n1|None\n2|PENDING||JobHeldUser\n3|PENDING||launch failed requeued held\n4|REQUEUE_HOLD||x\n5|PENDING||Resources\n"+
		"6|RUNNING|n2|None\n7|TIMEOUT|n1|TimeLimit\n8|NODE_FAIL|n1|None\n9|CANCELLED||None\n10|OUT_OF_MEMORY|n1|OutOfMemory\n11|FAILED|n1|NonZeroExitCode\n"+
		"12|REQUEUED||BeginTime\n13|PENDING||PartitionTimeLimit\n14|A_STATE_TO_COME|n1|None\n15|PREEMPTED|n1|None", "")
	tasks, err := new(Slurm).Tasks(context.Background(), "5")
	if err != nil {
		t.Fatal(err)
	}
	want := []State{Done, Held, Held, Held, Waiting, Running, TimedOut, NodeFailed, Cancelled, Failed, Failed, Waiting, Waiting, Waiting, NodeFailed}
	var got []State
	for i, task := range tasks {
		got = append(got, task.State)
		if task.Number != i+1 {
			t.Errorf("task %d is called %d", i+1, task.Number)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("states %v, want %v", got, want)
	}
	for number, want := range map[int]string{2: "scontrol release 5_2", 5: "", 6: "", 10: "--mem", 13: "--task-time"} {
		if help := new(Slurm).Help("5", tasks[number-1]); help == "" != (want == "") || !strings.Contains(help, want) {
			t.Errorf("task %d: help %q, want %q", number, help, want)
		}
	}
	fake(t, "squeue", "", "slurm_load_jobs error: Invalid job id specified")
	if _, err := new(Slurm).Tasks(context.Background(), "5"); !errors.Is(err, ErrGone) {
		t.Errorf("error %v of a job that is not remembered", err)
	}
	fake(t, "squeue", "", "slurm_load_jobs error: Unable to contact slurm controller")
	if _, err := new(Slurm).Tasks(context.Background(), "5"); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("error %v of a Slurm that does not answer", err)
	}
}
