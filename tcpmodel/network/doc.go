// Package network moves segments between hosts: links with delay, rate,
// drop-tail queue, loss and faults, and routers with static shortest-path
// routes. It knows packets and their sizes, but no TCP state.
//
// # Topology
//
// A Network is built in three steps: AddHost, AddRouter and AddRange number the
// nodes, Connect joins two of them by a pair of Links, Build computes the
// routes. A host's stack is attached with Attach and sends into Egress. Sink is
// the only joint: a link, a router, a host and a stack are all Sinks, and a
// middlebox is a Sink between two of them (Link.SetNext). Routes follow the
// least delay, then the fewest hops, then the link connected first; hosts do
// not forward. A packet that has no route is dropped by the router and counted
// (NoRoute): so are answers to the spoofed addresses of AddRange, which nobody
// routes.
//
// # The link
//
// A Link keeps its packets in a FIFO ring and arms one timer, for the delivery
// of the head: one event per packet and hop. When a packet's serialisation ends
// is arithmetic, and what happens at that moment (the queue gets shorter, the
// next packet's service starts) is done lazily, with the exact time, before
// anybody looks. Serialisation takes bits*1e9/rate nanoseconds; the remainder
// of the division is carried to the next packet of the busy period, so that
// 10^9 packets back to back take as long as one packet of their total size.
// Delay is added after serialisation. A packet is moved once, from the caller's
// memory into the ring, and delivered by pointer into the ring.
//
// A packet that the loss model or a fault takes away is admitted, queued and
// serialised like any other, and vanishes on the wire. It is decided at
// admission, in the order of arrival.
//
// Occupancy is integrated at every arrival and departure, and waiting times are
// summed at departure, each for itself and in integers: that over a busy period
// both come to the same (Little's law) is a check of the link, not an
// assumption in it. Stats has the counters; every packet that was offered is in
// exactly one of them.
//
// # What goes where
//
// A discipline that decides whether to admit a packet (RED, PIE) belongs into
// Link.Receive, at the place of the drop-tail test. One that decides when a
// packet leaves (CoDel, FQ, marking at dequeue) cannot be lazy about
// departures: it becomes a Sink of its own that arms a timer for the end of
// serialisation and feeds a Link without rate. The same holds for jitter and
// reordering. A loss model with memory is one more way to set the lost mark in
// Link.Receive, with a random stream of its own.
package network
