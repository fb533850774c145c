// Package sweep runs a scenario at many points, with many replications of each,
// and keeps what it finds so that nothing is run twice.
//
//	sc, err := scenarios.Load("backlog-sweep", nil, scenarios.Registry())
//	s, err := sweep.New(sc, sweep.Request{Replications: 20}, "v1.0")
//	out, err := s.Run(ctx, "results/backlog-sweep", "v1.0", runtime.Version(), sweep.Options{})
//
// # Points
//
// A Design is the product of blocks: each axis of a grid, lists side by side
// (zip), one parameter at a time, and random or Latin hypercube samples, which
// gonum draws from a stream that is named after the kind of sample and depends
// on the seed alone. Points are worked out when they are asked for.
//
// # Random numbers
//
// With common streams (the default) replication n has the seed of the scenario
// and the number n at every point, so that points that differ in one setting see
// the same arrivals where they can; differences between them are taken pair by
// pair. With independent streams the seed of a point is a hash of the scenario's
// seed and the values of the point; it is in the results, too.
//
// # Replications
//
// A stopping rule is asked after replications 1, 2, 3, ... in this order, never
// after what was finished first: workers that have nothing else to do run
// replications ahead of it, and what turns out to be too many is kept and not
// counted. A rule that stops at a narrow interval is a little too optimistic,
// the more so the fewer replications it begins with; ten are a good beginning.
//
// Intervals are those of Student's t distribution over replications. Of a single
// run they are those of batch means, if batches are asked for: the metrics over
// equal stretches of the run behind the warm-up, taken for independent.
//
// # Expectations
//
// What a sweep expects is about the means over the replications of a point, with
// the values of the parameters there, and only about the points that the scenario
// gives: those of a request are others. Sweep.Expectations reads it off the
// results, so that it can be asked of every finished sweep.
//
// # Workers
//
// A worker takes a point and runs its replications. Points are handed out so that
// all parts of the design are seen early; then those that take longest come
// first, as the times so far predict by the levels of the design. When no point
// is left, workers share the replications of the points that are left. A point
// that fails, even by a panic, is given up and told; the others go on.
//
// # The store
//
// Each finished replication is a record in DIR/points under a key that hashes
// what it depends on: the model's version, the scenario as spec.Scenario.Digest
// sees it (parameters resolved, seed, the content of the files that it reads, but
// not how it is written), the batches.
// Workers append to chunks of their own, a record in one write, each behind its
// length and CRC-32C; a chunk that is full or done is flushed and renamed. So a
// killed process loses what was being run and nothing else, and a chunk that it
// left open is cut behind its last whole record by whoever comes next. One
// process at a time has the directory, by a lock on a file; there is no other
// lock. Chunks have names that no other process makes up, so that shards of
// other machines can simply be put beside each other, as Merge does.
//
// The tasks of a cluster (Batch, RunTask, package cluster) write to one store
// without a lock. Chunks that they leave open are not cut by others, who cannot
// know whether a task still runs; readers take what is whole of them.
//
// # Results
//
//	results.csv, results.parquet   a row for each point and replication: point, replication, seed, parameters, metrics
//	summary.csv                    a row for each point and metric: n, mean, interval, deviation, quantiles
//	differences.csv                with compare: a row for each pair of points and metric
//	manifest.json                  units of the columns, points that failed, versions and times
//	plan.json, scenario.yaml       what was asked for
//	files/                         copies of the files that the scenario reads
//	cluster/N/                     what was submitted as job number N, and what its tasks say
//
// Parameters are numbers in base units where all their values are quantities of
// one kind. What has no value is an empty cell, in Parquet null. The tables are
// made from the store alone, point by point in the order of the design: they are
// the same bytes however many workers there were and however often they were
// stopped.
package sweep
