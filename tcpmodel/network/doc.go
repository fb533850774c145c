// Package network moves segments between hosts: links with delay, rate, queue
// disciplines, loss and other impairments, and routers with static
// shortest-path routes. It knows packets and their sizes, but no TCP state.
//
// # Topology
//
// A Network is built in three steps: AddHost, AddRouter and AddRange number the
// nodes, Connect joins two of them by a pair of Links, Build computes the
// routes. A host's stack is attached with Attach and sends into Egress. Sink is
// the only joint: a link, a router, a host, a stack and every impairment are
// Sinks, and a middlebox is a Sink between two of them (Link.SetNext). Routes
// follow the least delay, then the fewest hops, then the link connected first;
// hosts do not forward. A packet that has no route is dropped by the router and
// counted (NoRoute): so are answers to the spoofed addresses of AddRange, which
// nobody routes. A host drops and counts what is not for it (Misdelivered) and
// what has a wrong checksum (Corrupted).
//
// # The link
//
// LinkConfig says all that a link can do and in which order; Link is one type
// whatever it does. A link with drop-tail and a constant rate keeps its packets
// in a FIFO ring and arms one timer, for the delivery of the head: one event
// per packet and hop. When a packet's serialisation ends is arithmetic, and what
// happens at that moment (the queue gets shorter, the next packet's service
// starts) is done lazily, with the exact time, before anybody looks.
// Serialisation takes bits*1e9/rate nanoseconds; the remainder of the division
// is carried to the next packet of the busy period, so that 10^9 packets back to
// back take as long as one packet of their total size. Delay is added after
// serialisation. A packet is moved once, from the caller's memory into the ring,
// and delivered by pointer into the ring.
//
// Everything else is behind pointers that are nil on such a link: the gate
// before the queue (gate.go: faults, link down, MTU, policer), the losses on the
// wire, and the egress between the wire and the receiver (egress.go:
// duplication, corruption, jitter, reordering). A packet that a loss or a fault
// takes away is admitted, queued and serialised like any other, and vanishes on
// the wire. It is decided at admission, in the order of arrival.
//
// # Queue disciplines
//
// A discipline may decide when a packet leaves the queue, which cannot be lazy:
// a link that has one keeps its packets in a paced queue (paced.go), with an
// event at the end of each serialisation, and uses the ring for the wire alone.
// So does a link with a shaper or a trace, whose departures are no arithmetic
// of the rate. A discipline is one file behind the interface in discipline.go,
// and there a line in the table of defaults: admit decides about an arrival,
// push takes it, pop hands over what is served next. RED and PIE count and time
// what waits without the packet in service, as routers do; the limit of the
// queue counts it. Random draws, and the average of RED and the probability of
// PIE, are floating point in an order that the compiler may not change, so that
// all platforms drop the same packets. PIE's periodic update is made late, with
// the state of the queue at its time: an idle link has no events.
//
// That the paced queue with drop-tail does what the arithmetic one does,
// whatever happens to the link, is a property test.
//
// # Books
//
// Occupancy is integrated at every arrival and departure, and waiting times are
// summed at departure, each for itself and in integers: that over a busy period
// both come to the same (Little's law) is a check of the link, not an assumption
// in it. Stats has the counters; every packet that was offered is in exactly one
// of them. Link.Check and Network.Check count what is where and compare it with
// all of this, exactly; tests of other packages call Network.Check at the end of
// a run, or at any time between events.
//
// # What a packet costs
//
// One packet from arrival to delivery over an overloaded link of 1 Gbit/s,
// smallest of three runs on a busy machine (2 vCPU, Go 1.26; BenchmarkDisciplines
// has the driver of the simulation in it): drop-tail 126 ns, CoDel 109, RED 195,
// drop-tail in the paced queue 207, FQ-CoDel 297, PIE 330. Nothing allocates. Take
// the order of magnitude from it, not the order.
//
// # Impairments as elements
//
// Lossy, Policer, Duplicator, Corrupter and Delayer are the impairments on their
// own: Sinks that pass on to the next, with an account of their flow. They do
// for any Sink what the fields of LinkConfig do for a link. A Link without a
// length is an element too, with a shaper, a trace, an MTU or faults.
package network
