// Package workload is what hosts do: servers, clients, users, bulk transfers, requests
// and responses, connections that say nothing, SYN floods, blind attacks, traffic
// without TCP.
//
// Kinds lists the kinds with the configuration of each, whose field tags
// describe the keys of a scenario file. Config.Build makes a Workload of it,
// and Start sets all workloads of a World going:
//
//	world := &workload.World{Sim: sim, Recorder: recorder}
//	world.AddHost("server", stack, record)
//	web, err := (&workload.Server{Port: 80, Backlog: 128}).Build("web", "server")
//	err = workload.Start(world, []workload.Workload{web})
//
// A workload is one component of the simulation with timers made beforehand.
// Connections are rows of a flat table, found by the tag of their endpoint, so
// that a connection costs no allocation once the table has grown; waits that
// are equally long for all connections are a FIFO with one timer.
//
// # Many hosts
//
// Workloads of one name on different hosts are one to whoever measures: they
// count in the same metrics. Each has its own timers and random numbers.
//
// # Random numbers
//
// Each workload draws from streams of its own, named NAME/arrivals,
// NAME/sources and NAME/think (NAME[2]/arrivals of the second of a name), so that
// one workload more changes what no other draws. Exponential variates come from comparisons of 64-bit integers alone
// (von Neumann 1951), not from a logarithm, whose last bit differs between
// platforms. Times are whole nanoseconds and the rounding is carried forward:
// neither Poisson nor fixed arrivals drift.
//
// # Open and closed loops
//
// Clients come whatever becomes of those before them; Users wait for the
// response, think, and go on. Both are errands: a task is what a user sees, and
// takes one attempt or, with a Retry, several. A server accepts as fast as
// accept_rate and its workers allow.
//
// # Who says what
//
// What passes on a connection is the server's to say: the size of the response
// and who closes first. A client looks it up by address, as people know the
// protocol that they speak. The size of a request is the client's; a server
// that is not told it takes that of the workloads that are directed at it. Where
// sizes vary, each end announces the length of a message by the stream that
// carries it, as the Content-Length of HTTP would: see World.announce.
//
// # Attackers
//
// SynFlood, BlindAttack and SpoofedConnection forge segments with Stack.Send;
// their host's stack knows nothing of them and resets what comes back. Of the
// addresses that a flood forges those in use do the same, see residents.
package workload
