// Package congestion holds the congestion control algorithms of a TCP sender:
// how its window grows with acknowledgements and what a loss makes of it.
//
// A Controller sees what a sender learns (an Ack, a loss, a few events) and
// moves two numbers of the sender's Window: Cwnd and Ssthresh. What is lost,
// what is sent again, how the window comes down during recovery and whether
// sending restarts slowly after an idle time is the sender's business. A
// controller never sees segments, sequence numbers or timers.
//
// # Units
//
// Windows are whole segments of one MSS, as in Linux. Instants and spans are
// [des.Time], nanoseconds. All decisions are made in integer arithmetic, so
// that a run is the same on every platform.
//
// # What a sender does
//
//   - Once the connection is established: OnEvent with EventStart.
//   - On every ACK, after what is lost has been found out: OnAck. During
//     recovery CwndLimited is false: the controller measures, the sender
//     governs the window.
//   - When a loss episode begins: Ssthresh = OnLoss. The sender brings Cwnd
//     down to it, at once or by RFC 6937.
//   - On a time-out: Ssthresh = OnLoss if it begins an episode, then OnEvent
//     with EventRTO. The sender sets Cwnd.
//   - When fast recovery begins: OnEvent with EventRecovery, after OnLoss if the
//     window was not being reduced already.
//   - If the controller is a MarkReader: OnDelivered for every ACK before any of
//     this.
//   - When an episode had no reason after all (RFC 4015, RFC 5682): Cwnd =
//     OnUndo with the window before it. The sender restores Ssthresh.
//   - When it sends with nothing in flight: OnEvent with EventRestart, while
//     Window.LastSent is still that of the sending before the idle time.
//
// An Ack goes through an interface, so one made for each call is allocated
// for each call: a sender keeps one and fills it in again.
//
// # The algorithms
//
// scalable is Scalable TCP: a hundredth of a segment for each one that is
// acknowledged, an eighth less after a loss.
//
// reno is RFC 5681, counting acknowledged segments rather than
// acknowledgements (RFC 3465, without its limit), and halving cwnd, where the
// RFC halves what is in flight. RFC 6582 and RFC 6675 are the sender's.
//
// dctcp is Data Center TCP, RFC 8257, as Linux 6.18 has it (net/ipv4/tcp_dctcp.c): Reno
// whose answer to marks is as large as the fraction of marked segments, of which it
// keeps a mean with weight 1/16, from 1 on. It is a MarkReader: both ends have
// to have it, and ECN is asked for and granted whatever tcp_ecn is. It is made for
// queues that mark from a low threshold on, such as codel with ce_threshold.
//
// cubic is RFC 9438 as Linux 6.18 has it (net/ipv4/tcp_cubic.c): beta 717/1024,
// C 410/1024, a curve in whole segments and 1/1024 s that looks one least
// round trip ahead and is looked at again after 4 ms, or 31 ms if the window
// has not changed. Where Linux differs from the RFC, this does as Linux:
//
//   - the window of the Reno that CUBIC compares itself with grows by 8/15
//     segments per round trip also above the last maximum, where RFC 9438
//     section 4.3 has a whole segment (Options.RenoAlpha);
//   - growth is at least 5 % per round trip while no maximum is known, at most
//     50 % at all times;
//   - windows are integers, so that small ones lie below the formulas: under
//     periodic loss the average window is 0.84 to 0.89 of RFC 9438's table at
//     p = 0.01, 0.90 to 1.02 at 0.001, 0.99 to 1.06 from 0.0001 on.
//
// And where it differs from Linux: times are exact rather than ticks of a
// clock of 250 Hz, and so is the cubic root. The window then stays within two
// segments of that of real senders, which TestWindowOfLinux holds against
// three golden runs.
//
// Slow start of CUBIC ends early with classic HyStart (Ha and Rhee 2008; the
// hystart_... parameters of tcp_cubic with their defaults), unless
// Options.HyStart is another: at a window of 16 or more, when a train of ACKs no
// more than 2 ms apart lasts for half of the least round-trip time (with 1 ms
// added to it for aggregation, less if Window.PacingRate is above 2 Gbit/s; the
// whole of it if Window.Paced), or when the least round-trip time of a round,
// from the ninth sample on, is above the least of all by an eighth of it, but
// by 4 ms at least and 16 ms at most.
//
// With HyStartPlus the first slow start of CUBIC and of Reno ends by HyStart++
// (RFC 9406, with its constants; windows are whole segments, of which
// conservative slow start keeps the quarters).
//
// # Adding one
//
// Write the type with the four methods of Controller in a file of its own, a
// constructor that takes Options, and a line in the table algorithms in
// congestion.go. New, Names and the tests that every controller has to pass
// find it there. Keep OnAck free of allocations and floating point.
package congestion
