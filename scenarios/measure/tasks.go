package measure

import "tcplab/des"

// Tasks is the log of what users set out to do: each is an attempt or, where
// they try again, several, or a request on a connection that is open already.
type Tasks struct{ log Attempts }

// Tasks declares the metrics of the tasks of a workload of that kind.
func (r *Recorder) Tasks(of, owner string) *Tasks {
	t := &Tasks{Attempts{r: r, of: of, owner: owner}}
	r.attempts = append(r.attempts, &t.log)
	t.log.declareTasks(t.log.success, t.log.connectTimes)
	return t
}

// Start logs the start of a task and returns its number.
func (t *Tasks) Start(now des.Time) int { return t.log.Start(now) }

// End logs how task i ended.
func (t *Tasks) End(i int, now des.Time, success bool) {
	if success {
		t.log.Connect(i, now, 0)
	} else {
		t.log.Fail(i, Broken)
	}
}

// AreTasks declares the metrics of tasks where each is one attempt, which
// succeeds with its response or, if there is none to wait for, with its
// connection.
func (a *Attempts) AreTasks(responses bool) {
	if responses {
		a.declareTasks(a.answeredShare, a.responseTimes)
	} else {
		a.declareTasks(a.success, a.connectTimes)
	}
}

func (a *Attempts) declareTasks(success func(window) (float64, bool), took func(window) []float64) {
	a.declare("tasks", a.started, a.startedRate)
	a.declare("task_success", success, a.perInterval(success))
	median, tail := times(took, quantileAt(0.5)), times(took, quantileAt(0.99))
	a.declare("task_mean", times(took, meanOf), nil)
	a.declare("task_p50", median, a.perInterval(median))
	a.declare("task_p90", times(took, quantileAt(0.9)), nil)
	a.declare("task_p99", tail, a.perInterval(tail))
}
