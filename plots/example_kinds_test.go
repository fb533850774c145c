package plots_test

import (
	"fmt"
	"log"
	"math"

	"tcplab/plots"
	"tcplab/scenarios/measure"
)

// show draws a figure and prints the head of its data.
func show(data *plots.Data, fig plots.Figure) {
	d, err := data.Draw(fig, plots.IEEE())
	if err != nil {
		log.Fatal(err)
	}
	csv, err := d.CSV()
	if err != nil {
		log.Fatal(err)
	}
	lines := 0
	for _, c := range csv {
		fmt.Printf("%c", c)
		if c == '\n' {
			if lines++; lines == 3 {
				break
			}
		}
	}
}

// A metric over a swept parameter, a line for each backlog, and Erlang's formula
// found by the names of the parameters.
func ExampleData_Draw_lines() {
	sweep := &plots.Sweep{
		Params:  []plots.Column{{Name: "flood_rate", Unit: "1/s"}, {Name: "backlog"}},
		Metrics: []plots.Column{{Name: "legit.first_syn_accepted", Unit: "ratio"}},
	}
	for _, rate := range []float64{2, 5} {
		sweep.Points = append(sweep.Points, plots.Point{
			Params:  []plots.Value{{Text: fmt.Sprint(rate, "/s"), Number: rate}, {Text: "128", Number: 128}},
			Metrics: []plots.Estimate{plots.NewEstimate([]float64{0.9 / rate, 1 / rate, 1.1 / rate})},
		})
	}
	show(&plots.Data{Sweep: sweep}, plots.Figure{
		Kind: "lines", Series: []string{"legit.first_syn_accepted"}, Over: "flood_rate", By: "backlog",
		Theory: []plots.Theory{{Formula: "erlang_b"}},
		X:      plots.Axis{Log: true},
	})
	// Output:
	// flood_rate,backlog,metric,unit,n,mean,ci95_low,ci95_high,Erlang B
	// 2,128,legit.first_syn_accepted,ratio,3,0.5,0.37579311440525104,0.6242068855947489,0.941564678115271
	// 5,128,legit.first_syn_accepted,ratio,3,0.20000000000000004,0.15031724576210043,0.24968275423789965,0.4042140831769655
}

func ExampleData_Draw_heatmap() {
	sweep := &plots.Sweep{
		Params:  []plots.Column{{Name: "flood_rate", Unit: "1/s"}, {Name: "backlog"}},
		Metrics: []plots.Column{{Name: "server.syn_drop", Unit: "ratio"}},
	}
	for _, rate := range []float64{1, 2, 4} {
		for _, backlog := range []float64{64, 128, 256} {
			sweep.Points = append(sweep.Points, plots.Point{
				Params:  []plots.Value{{Text: fmt.Sprint(rate, "/s"), Number: rate}, {Text: fmt.Sprint(backlog), Number: backlog}},
				Metrics: []plots.Estimate{{Mean: plots.ErlangB(rate*63, backlog), N: 1}},
			})
		}
	}
	show(&plots.Data{Sweep: sweep}, plots.Figure{
		Kind: "heatmap", Series: []string{"server.syn_drop"}, Over: "flood_rate", By: "backlog",
		X: plots.Axis{Log: true}, Y: []plots.Axis{{Log: true}},
	})
	// Output:
	// flood_rate,backlog,server.syn_drop
	// 1,64,0.08477505252572512
	// 2,64,0.4997786119068989
}

func connectLatency() *measure.Result {
	return &measure.Result{Samples: []measure.Sample{
		{Name: "near.latency", Unit: "s", Label: "time to connect", Values: []float64{0.02, 0.021, 0.021, 0.05, 1.02}},
		{Name: "far.latency", Unit: "s", Label: "time to connect", Values: []float64{0.1, 0.11, 0.12, 0.3, math.Inf(1)}},
	}}
}

func ExampleData_Draw_ccdf() {
	show(&plots.Data{Result: connectLatency()}, plots.Figure{
		Kind: "ccdf", Series: []string{"near.latency", "far.latency"},
		X: plots.Axis{Log: true}, Y: []plots.Axis{{Log: true}},
	})
	// Output:
	// sample,unit,value,fraction_above
	// near.latency,s,0.02,0.8
	// near.latency,s,0.021,0.4
}

func ExampleData_Draw_ecdf() {
	show(&plots.Data{Result: connectLatency()}, plots.Figure{Kind: "ecdf", Series: []string{"far.latency"}})
	// Output:
	// sample,unit,value,fraction_up_to
	// far.latency,s,0.1,0.2
	// far.latency,s,0.11,0.4
}

func ExampleData_Draw_histogram() {
	show(&plots.Data{Result: connectLatency()}, plots.Figure{Kind: "histogram", Series: []string{"near.latency"}, Bins: 4})
	// Output:
	// sample,unit,from,until,fraction
	// near.latency,s,0.02,0.27,0.8
	// near.latency,s,0.27,0.52,0
}

func ExampleData_Draw_boxplot() {
	show(&plots.Data{Result: connectLatency()}, plots.Figure{Kind: "boxplot", Series: []string{"near.latency", "far.latency"}, X: plots.Axis{Log: true}})
	// Output:
	// sample,unit,n,infinite,whisker_low,q1,median,q3,whisker_high,outlier
	// near.latency,s,5,0,0.02,0.021,0.021,0.05,0.05,
	// near.latency,s,,,,,,,,1.02
}

func twoConnections() []plots.Lifetime {
	return []plots.Lifetime{
		{Name: "client:49152", States: []plots.StateSpan{
			{State: "SYN-SENT", From: 0, Until: 0.04}, {State: "ESTABLISHED", From: 0.04, Until: 2},
			{State: "FIN-WAIT-1", From: 2, Until: 2.04}, {State: "TIME-WAIT", From: 2.04, Until: 62.04},
		}},
		{Name: "client:49153", States: []plots.StateSpan{
			{State: "SYN-SENT", From: 1, Until: 2.04}, {State: "ESTABLISHED", From: 2.04, Until: math.Inf(1)},
		}},
	}
}

func ExampleData_Draw_gantt() {
	show(&plots.Data{Lifetimes: twoConnections()}, plots.Figure{Kind: "gantt"})
	// Output:
	// connection,state,from_s,until_s
	// client:49152,SYN-SENT,0,0.04
	// client:49152,ESTABLISHED,0.04,2
}

func ExampleData_Draw_occupancy() {
	show(&plots.Data{Lifetimes: twoConnections()}, plots.Figure{Kind: "occupancy"})
	// Output:
	// state,unit,time_s,value
	// SYN-SENT,connections,0,1
	// SYN-SENT,connections,0.04,0
}

func ExampleData_Draw_sequence() {
	seq := plots.Sequence{Name: "client:49152", Events: []plots.SequenceEvent{
		{Time: 0, Kind: plots.SegmentSent, From: 1, To: 1449},
		{Time: 0.001, Kind: plots.SegmentSent, From: 1449, To: 2897},
		{Time: 0.04, Kind: plots.SackArrived, From: 1449, To: 2897},
		{Time: 0.05, Kind: plots.SegmentResent, From: 1, To: 1449},
		{Time: 0.09, Kind: plots.AckArrived, To: 2897},
	}}
	show(&plots.Data{Sequences: []plots.Sequence{seq}}, plots.Figure{Kind: "sequence"})
	// Output:
	// connection,time_s,event,from,to
	// client:49152,0,sent,1,1449
	// client:49152,0.001,sent,1449,2897
}

func ExampleData_Draw_congestion() {
	times := []float64{0, 1, 2, 3}
	show(&plots.Data{Result: &measure.Result{Series: []measure.Series{
		{Name: "flow.cwnd", Unit: "B", Label: "cwnd", Time: times, Value: []float64{14480, 28960, 57920, 40544}},
		{Name: "flow.ssthresh", Unit: "B", Label: "ssthresh", Time: times, Value: []float64{math.MaxInt32, math.MaxInt32, math.MaxInt32, 40544}},
		{Name: "flow.srtt", Unit: "s", Label: "SRTT", Time: times, Value: []float64{0.04, 0.04, 0.06, 0.05}},
		{Name: "flow.rto", Unit: "s", Label: "RTO", Time: times, Value: []float64{0.24, 0.24, 0.26, 0.25}},
	}}}, plots.Figure{Kind: "congestion", Series: []string{"flow"}})
	// Output:
	// series,unit,time_s,value
	// flow.cwnd,B,0,14480
	// flow.cwnd,B,1,28960
}

func ExampleData_Draw_queue() {
	times := []float64{0, 1, 2, 3}
	show(&plots.Data{Result: &measure.Result{Series: []measure.Series{
		{Name: "link.queue", Unit: "packets", Label: "queued packets", Time: times, Value: []float64{0, 60, 100, 70}},
		{Name: "link.dropped", Unit: "packets", Label: "dropped packets", Step: true, Time: times, Value: []float64{0, 0, 3, 0}},
	}}}, plots.Figure{Kind: "queue", Series: []string{"link.queue"},
		Limits: []plots.Limit{{Series: "link.queue", Value: 100, Label: "limit 100"}}})
	// Output:
	// series,unit,time_s,value
	// link.queue,packets,0,0
	// link.queue,packets,1,60
}

// Several runs of one scenario become a mean with its confidence interval.
func ExampleData_Draw_replications() {
	var runs []*measure.Result
	for _, last := range []float64{90, 100, 110} {
		runs = append(runs, &measure.Result{Series: []measure.Series{
			{Name: "server.syn_queue", Unit: "entries", Label: "half-open connections", Time: []float64{0, 1}, Value: []float64{0, last}},
		}})
	}
	show(&plots.Data{Replications: runs}, plots.Figure{Kind: "timeseries", Series: []string{"server.syn_queue"}})
	// Output:
	// series,unit,time_s,mean,ci95_low,ci95_high,n
	// server.syn_queue,entries,0,0,0,0,3
	// server.syn_queue,entries,1,100,75.1586228810502,124.8413771189498,3
}
