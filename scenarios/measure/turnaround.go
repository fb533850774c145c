package measure

import (
	"slices"
	"sort"

	"tcplab/des"
)

// Turnaround is the log of requests on connections that carry several: when
// each response was complete and how long it took.
type Turnaround struct {
	r         *Recorder
	requests  *Counter
	responses *Counter
	owner     string
	at, took  []des.Time
	scratch   []float64
}

// Turnaround declares the metrics of requests and responses of a workload of
// kind of.
func (r *Recorder) Turnaround(of, owner string) *Turnaround {
	t := &Turnaround{r: r, owner: owner}
	t.requests = r.Events(of, owner, "requests")
	t.responses = r.Events(of, owner, "responses")
	median := times(t.seconds, quantileAt(0.5))
	mean := times(t.seconds, meanOf)
	declare := func(name string, value func(window) (float64, bool), series func() []float64) {
		r.declare(&r.workloads, of, owner, name, value, series)
	}
	declare("turnaround_mean", mean, func() []float64 { return r.each(mean) })
	declare("turnaround_p50", median, func() []float64 { return r.each(median) })
	declare("turnaround_p90", times(t.seconds, quantileAt(0.9)), nil)
	declare("turnaround_p99", times(t.seconds, quantileAt(0.99)), nil)
	r.samples = append(r.samples, func() Sample {
		return sample(of, owner, "turnaround", slices.Clone(t.seconds(r.whole())))
	})
	return t
}

// Request counts a request.
func (t *Turnaround) Request() { t.requests.Add(1) }

// Response logs that the response to the request of time asked is complete.
func (t *Turnaround) Response(now, asked des.Time) {
	t.responses.Add(1)
	t.at = append(t.at, now)
	t.took = append(t.took, now-asked)
}

// seconds returns the times of the responses that were complete in w.
func (t *Turnaround) seconds(w window) []float64 {
	i := sort.Search(len(t.at), func(i int) bool { return t.at[i] >= w.from })
	out := t.scratch[:0]
	for ; i < len(t.at) && t.at[i] < w.until; i++ {
		out = append(out, t.took[i].Seconds())
	}
	t.scratch = out
	return out
}
