package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"tcplab/scenarios/measure"
)

// congestionSeries are what a congestion figure shows of a connection, as far
// as there is a series: windows in one panel, times in another.
var congestionSeries = []string{"cwnd", "ssthresh", "inflight", "rtt", "srtt", "rttvar", "rto"}

// noThreshold is the least ssthresh that means none was set yet (Linux has
// 0x7fffffff segments; RFC 5681 section 3.1: arbitrarily high).
const noThreshold = 0x7fffffff

// drawCongestion draws cwnd and ssthresh, and RTT and RTO, of connections: a
// timeseries of all series in congestionSeries of the owners that are named. An
// ssthresh that was not set yet is left out, with its key if it never was.
func drawCongestion(data *Data, fig Figure, style Style) (*Drawing, error) {
	var series []string
	var errs []error
	for _, name := range fig.Series {
		if strings.Contains(name, ".") {
			series = append(series, name)
			continue
		}
		found := 0
		for _, quantity := range congestionSeries {
			s := data.Result.FindSeries(name + "." + quantity)
			if s == nil {
				continue
			}
			found++
			if quantity != "ssthresh" || slices.ContainsFunc(s.Value, func(v float64) bool { return v < noThreshold }) {
				series = append(series, s.Name)
			}
		}
		if found == 0 {
			errs = append(errs, fmt.Errorf("series: %s has none of %s: %w", name, strings.Join(congestionSeries, ", "),
				unknown("connection", name, congestionOwners(data.Result))))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	fig.Series = series
	shown := *data
	shown.Result = withoutInfinite(data.Result)
	shown.Replications = nil
	for _, r := range data.Replications {
		shown.Replications = append(shown.Replications, withoutInfinite(r))
	}
	return drawSeries(&shown, fig, style, func(p *panel) {
		if len(p.curves) < 2 {
			return
		}
		switch p.unit {
		case "s":
			p.label = "RTT and RTO"
		case "B", "packets", "count":
			p.label = "window"
		}
	})
}

func congestionOwners(res *measure.Result) []string {
	var names []string
	for _, s := range res.Series {
		first, quantity, _ := strings.Cut(s.Name, ".")
		if slices.Contains(congestionSeries, quantity) && !slices.Contains(names, first) {
			names = append(names, first)
		}
	}
	return names
}

// withoutInfinite is the result with a gap where ssthresh was not set.
func withoutInfinite(res *measure.Result) *measure.Result {
	out := *res
	out.Series = slices.Clone(res.Series)
	for i := range out.Series {
		s := &out.Series[i]
		if !strings.HasSuffix(s.Name, ".ssthresh") {
			continue
		}
		s.Value = slices.Clone(s.Value)
		for j, v := range s.Value {
			if v >= noThreshold {
				s.Value[j] = math.NaN()
			}
		}
	}
	return &out
}
