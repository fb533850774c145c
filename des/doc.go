// Package des is the engine of a discrete-event simulation: a clock, timers and
// named random streams. It knows nothing of packets.
//
// Long-lived objects make their timers once ([Sim.NewTimer]) and arm them again
// and again ([Sim.Arm]); an event is a call of [Handler] and allocates nothing.
// A timer whose owner goes is released, and its slot used again.
//
// # Order
//
// Events run in the order of (time, component, sequence): the time a timer is
// armed for, the number of the component that owns it, and how many times that
// component had armed a timer before. The order is total, and a component's
// part of it does not depend on what other components do in between. With equal
// calls a run is therefore the same on every platform, and so are the random
// numbers ([Sim.Stream]). Nothing here reads the clock of the machine, ranges
// over a map or starts a goroutine; a Sim belongs to one goroutine, and any
// number of them run side by side.
//
// # Decisions
//
// Timers are lazy: to move a deadline to later, or to stop, writes the timer's
// record alone. The key in the queue is then earlier than the deadline, and is
// put right when it comes to the head; the timer that has just fired is treated
// in the same way, so that "handle, arm again" moves its key once. The order is
// that of moving keys at once (TestLazyIsEager). Release takes the key out.
//
// The queue is a tournament tree over the slots of all timers, armed or not:
// one key per timer, never more, in a place that follows from the slot. Its size
// is 32 to 64 bytes per timer, besides the record of 64 (one cache line). A
// timer that is made and never armed makes the tree no slower until it doubles.
//
// Measured 2026-11-22, Go 1.26, AMD EPYC with 2 shared vCPUs, smallest of 3 to 8
// interleaved runs, ns per event (pop, call, arm); read ratios. "tcp" is 45 %
// serialisation times, 45 % 20 us to 20 ms, 10 % timers of 200 ms to 1 s; "ack"
// is an event that also moves a retransmission timer:
//
//	pending or connections   tcp 100   1000   1e5   1e6   exp 100   1000   1e5   1e6   ack 100   1000   1e5
//	tournament (kept)             24     28    77   324        25     29   217   380        30     37   382
//	4-ary heap, 16-byte keys      26     36   140   525        37     49   294   849        47     65   599
//	ladder queue                  29     35    98   408        35     38   234   436        54     65   452
//
// The others had the same lazy timers, records and order. A heap learns where
// to go next from each comparison; here the way to the root is known beforehand
// and the loads overlap. An event with a single timer costs 14 ns, so that the
// queue itself is some 10 ns at 100 pending. Where the figures are close (exp
// 100) busy runs change the order: 24 to 39 for the tournament, 34 to 38 for the
// others. Against container/heap with a closure per event (bench_test.go has
// both) the ratios in one run were 5 to 12 at 100 and 1000 pending, 3 to 6 at
// 1e5 and 1e6, and with the moved timer 17 or more up to 1000 connections and
// 4.6 at 1e5.
package des
