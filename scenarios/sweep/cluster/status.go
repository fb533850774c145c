package cluster

import (
	"context"
	"errors"
	"strconv"

	"tcplab/scenarios/sweep"
)

// JobStatus is what an engine says of a job of a sweep.
type JobStatus struct {
	ID    string
	Tasks map[State]int
	// Reason is why tasks wait. Help is what the user can do, if anything.
	Reason string
	Help   []string
	// Collect is the job that writes the results when this one has ended.
	Collect string
}

// Ended reports whether all tasks have ended.
func (j *JobStatus) Ended() bool {
	for s, n := range j.Tasks {
		if !s.Ended() && n > 0 {
			return false
		}
	}
	return true
}

// Status asks the engine about the jobs of a directory, those that it does not
// remember left out.
func Status(ctx context.Context, dir string, e Engine) ([]JobStatus, error) {
	var out []JobStatus
	for _, batchDir := range sweep.Batches(dir) {
		j, err := readSubmission(batchDir)
		if err != nil || j.Engine != e.Name() {
			continue
		}
		tasks, err := e.Tasks(ctx, j.Job)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return out, err
		}
		st := JobStatus{ID: j.Job, Tasks: map[State]int{}, Collect: j.Collect}
		said := map[string]bool{}
		for _, t := range tasks {
			st.Tasks[t.State]++
			if t.State == Waiting && t.Reason != "None" {
				st.Reason = t.Reason
			}
			if help := e.Help(j.Job, t); help != "" && !t.State.Ended() && !said[t.Reason] {
				said[t.Reason] = true
				st.Help = append(st.Help, "task "+strconv.Itoa(t.Number)+" "+t.State.String()+" ("+t.Reason+"): "+help)
			}
		}
		out = append(out, st)
	}
	return out, nil
}

// Submitted reports whether an engine has had jobs of the sweep in a directory.
func Submitted(dir string, e Engine) bool {
	for _, batchDir := range sweep.Batches(dir) {
		if j, err := readSubmission(batchDir); err == nil && j.Engine == e.Name() {
			return true
		}
	}
	return false
}
