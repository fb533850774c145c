// Package middlebox is what stands in a path and looks into segments: NAT,
// stateful firewall, SYN proxy, a rate limiter per source, and a path that fails
// in silence.
//
// # Where a box stands
//
// A Box has an inside and an outside. Insert puts boxes at the inner end of the
// two links between them: before the queue of the one that leads outward, and
// behind the delay of the other one. Blackhole and Limiter work in one direction;
// Pair makes a Box of one or two of them. A NAT needs an address outside that is
// routed to it: that of the router at whose outer link it stands.
//
//	hosts -- [router Insert] == links == servers
//
// Inserting a box makes Network.Check leave out the node behind it; the box has
// its own books (Flows, network.Flow.Check).
//
// # What is remembered
//
// NAT, firewall and SYN proxy remember connections in the same table (track.go),
// which follows RFC 6146 section 3.5.2.2: the long timeout (RFC 5382: at least 2 h
// 4 min) runs while both SYNs and not both FINs were seen, the short one (4 min)
// otherwise. Every packet starts it again; SYNs alone before the handshake is
// complete, none after both FINs. A connection is forgotten exactly when it has
// been idle for the timeout. What then happens to its packets is the Action of
// the box: Drop, Reset or PickUp.
//
// All entries of a table with the same timeout are in a list in the order of
// their last packet (ages.go), so that a table has one engine timer, and a packet
// costs a look-up and four stores, and no allocation. Tables have no pointers.
//
// # What is not modelled
//
// Fragments, UDP (packets without TCP pass untranslated), static port forwarding
// and hairpinning of a NAT, sequence number checks in a firewall. A segment that
// was corrupted on the way is dropped by the first box that keeps state.
package middlebox
