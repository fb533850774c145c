// Package scenarios takes a scenario file to its results: it reads the file or
// finds it in the library, builds the simulation that it describes, runs it,
// and keeps what was measured in a directory.
//
//	sc, err := scenarios.Load("syn-flood", map[string]string{"syncookies": "1"}, scenarios.Registry())
//	out, err := scenarios.Run(ctx, sc, scenarios.Options{})
//	for _, e := range out.Expectations {
//		fmt.Println(e.Passed, e.Message)
//	}
//
// # The library
//
// The *.yaml files of this directory are embedded in the program: List names
// them and Load finds them by name. A file of that name comes first.
//
// # A run
//
// A run is one simulation in one goroutine. It advances in slices of simulated
// time, between which it reports its progress and looks whether it has been
// cancelled; where the slices lie changes nothing in the result.
//
// Several replications run side by side, as many as there are processors. Their
// results are put together in the order of their numbers, so that the outcome
// does not depend on which was ready first:
//
//   - a metric is the mean over the replications in which it has a value, with
//     the 95 % confidence interval of Student's t distribution;
//   - a series is the mean at each point;
//   - the values of a sample are those of all replications, one after the other;
//   - an expectation is about the means;
//   - the connection table, the capture, and what was looked at segment by segment
//     are those of the first replication.
//
// # Middleboxes
//
// A middlebox stands at the inner end of a link: what leaves there passes it
// before the queue of the link, what arrives there behind its delay. A NAT has the
// address of the router where it stands, of the networks for documentation (192.0.2.0/24).
// A capture has the addresses that a packet has where it is captured; the connection
// table, traces, ladders and transfers look through NATs, so that a connection is one
// connection with the ports of the host that opened it. What a box drops is dropped
// there, with the reason ("nat (unknown connection)"), what a SYN proxy answers or sends
// by itself ends or begins at it, and the sequence numbers that it translates are in
// traces and ladders as the end knows them that they belong to.
//
// # Failures
//
// A host that crashes forgets everything, its links are down until it is back, and its
// workloads then begin anew; one that is unplugged forgets nothing; a killed process
// leaves the kernel to close its sockets. At one time failures come after everything
// else, except that links go down first. After every run the books of links, routers,
// hosts and middleboxes are checked: that no packet is missing is part of a result.
//
// # The directory
//
// Target fills a directory with results, so that it holds either all of a run or
// nothing of it, and Open reads one:
//
//	manifest.json    what was run by which version, events, packets (link by link), time it took
//	scenario.yaml    the scenario as run: loading it again gives the same results
//	summary.json     the metrics in their order and the expectations
//	series/NAME.csv  a series: time_s, then the quantity with its unit; behind a mean over replications each of them
//	samples/NAME.csv the single values of a distribution
//	connections.csv  one row for each connection
//	sequences/NAME.csv  what was sent, lost and acknowledged of a connection that a sequence graph shows
//	figures/         drawn by package plots
//	report.html      written by package report
//	trace/CONN.csv   what happened at both ends of the connections of Options.Trace
//	packets.pcapng   what passed the hosts of Options.Capture
//
// Figures are drawn from FigureData, which is the same after a run and from its
// directory. With Options.Figures a run looks at the connections that figures
// name; those are of workloads that implement spec.Flows.
//
// The point of a series at time t of a quantity that is counted (steps in the
// manifest) stands for the interval that starts at t, of another for the instant
// t. Where there is no value the cell is empty, in summary.json null. Numbers are
// written with the fewest digits that are read back as the same number.
//
// What is wrong with a scenario is a spec.Errors, also if it shows only when the
// simulation is built; everything else is an ordinary error.
package scenarios

//go:generate sh -c "go run ../cmd/tcplab schema --reference > REFERENCE.md"
