// Package measure records what a run does and turns it into a Result.
//
// A Recorder reads everything at marks: the multiples of the measurement
// interval, the end of the warm-up, and the bounds of the windows that
// expectations ask about (Options.Marks). It is the first component of the
// simulation, so what happens at an instant belongs to the interval that
// begins there, and [a, b) means just that.
//
//	r, err := measure.NewRecorder(sim, measure.Options{Interval: des.Second, Until: 180 * des.Second})
//	host := r.Host("server", node)     // the Tracer of the server's stack
//	host.Watch(stack.Counters())
//	... workloads declare what they measure; sim.Run(r.Until()) ...
//	r.Finish()
//	result := r.Result()
//	v, null, err := r.Value("legit.connect_success", &[2]float64{30, 120})
//
// # What a number means
//
// Counts are differences of counters that are read at the marks, so a window
// whose bounds are marks is exact; between marks the growth counts as even.
//
// Levels (syn_queue, accept_queue, established, time_wait, the queue of a link)
// follow every change; their means are exact integrals over time and their
// maxima the true ones.
//
// Attempts count in the window in which they started. A ratio over no attempt
// has no value: null in a metric, NaN in a series. Attempts that started at or
// after the first one whose outcome the run did not see are undecided and count
// in no ratio (see Attempts).
//
// Quantiles are exact: all values are kept, and Quantile interpolates between
// order statistics (type 7).
//
// Catalogue lists all quantities with unit and meaning. The order of the
// metrics of a Result is: workloads, hosts, middleboxes, links, each as declared. No map is
// walked, and all sums are made in a fixed order, so equal runs give equal
// bytes.
//
// # The connection table
//
// Recorder.Connections has one row for each connection, with what both ends
// saw. Half-open entries of a flood get no row but are counted, rows are
// bounded by Options.Rows, and the connections of Options.TraceConns and
// TraceFirst keep their events: a Ladder shows them.
//
// Translate makes the table and the traces look through a NAT. Where a middlebox
// changes sequence numbers, or answers in the place of an end, events have the numbers
// as the end knows them that they belong to (TraceEnd.Translated), and SegmentAnswered
// and SegmentMade tell of what the box did. What an end that has outlived its peer
// answers to a new connection of the same ports belongs to the trace of the new one.
//
// # Single connections
//
// Of the connections in Options.Flows the sender is looked at closely: window,
// threshold, flight and times (FlowQuantities) at each point of the grid or after
// each ACK, and what became of its sequence numbers (Sequences). The workload says
// with Host.Opened which endpoint is meant. Without flows it costs a comparison for
// each segment, and what is looked at changes nothing.
package measure
