package cluster

import (
	"context"
	"errors"
	"time"
)

// Engine is a batch system.
type Engine interface {
	// Name is what the user calls it.
	Name() string
	// MostTasks is how many tasks a job can have, 0 if there is no limit.
	MostTasks(ctx context.Context) (int, error)
	// Submit starts a job.
	Submit(ctx context.Context, j *Job) (id string, err error)
	// Tasks says what has become of the tasks of a job. The error is ErrGone if
	// the engine does not remember the job.
	Tasks(ctx context.Context, id string) ([]Task, error)
	// Help says what the user can do about a task that waits or has ended; empty
	// if there is nothing to do.
	Help(id string, t Task) string
}

// ErrGone says that an engine does not remember a job, which has ended.
var ErrGone = errors.New("the job is not known any more")

// Job is what an engine is to run: a command, as many times as there are tasks.
type Job struct {
	// Name is what lists of jobs show.
	Name string
	// Command is the program and its arguments. Each task finds its number, from
	// 1 to Tasks, where the engine puts it.
	Command []string
	// Tasks is 0 for a job that is a single one.
	Tasks int
	// CPUs are those of a task, Time how long it may take.
	CPUs int
	Time time.Duration
	// Log is the file of what a task prints; %a stands for its number.
	Log string
	// After is the job that must have ended, in whatever way, before this one
	// starts; empty for none.
	After string
}

// State is what has become of a task.
type State uint8

// The states of a task. Those from Done on are final.
const (
	// Waiting tasks have not begun, or wait again after they were requeued.
	Waiting State = iota
	// Held tasks wait until somebody releases them.
	Held
	// Running tasks run, or are suspended.
	Running
	// Done tasks ended with the exit status 0.
	Done
	// Failed tasks ended with another one, or ran out of memory.
	Failed
	// TimedOut tasks reached the time limit of the job.
	TimedOut
	// NodeFailed tasks were lost with their node and not requeued.
	NodeFailed
	// Cancelled tasks were ended by somebody.
	Cancelled
	// Gone tasks have ended, the engine does not remember how.
	Gone
)

var stateWords = [...]string{"waiting", "held", "running", "done", "failed", "timed out", "lost with their node", "cancelled", "ended"}

func (s State) String() string { return stateWords[s] }

// Ended reports whether the state is final.
func (s State) Ended() bool { return s >= Done }

// Task is what an engine knows of a task.
type Task struct {
	// Number is from 1 on; 0 for that of a job without numbers.
	Number int
	State  State
	// Word is what the engine calls the state, Reason why it is so.
	Word, Reason string
	Node         string
}
