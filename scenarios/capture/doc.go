// Package capture writes what passes a host as a pcapng file, and reads capture
// files, those of a simulation and real ones, into a report of their TCP
// connections, so that a measured trace can be laid beside a simulated one.
//
// # Writing
//
// A Writer has one interface for each vantage point. The Tracer of a host's
// stack gives it the segments and the changes of state, the Tap of the host's
// first link what became of the packets:
//
//	TraceSegment  ->  Writer.Packet  (comment: why it is sent)
//	TraceState    ->  Writer.State   (OfLast if a segment caused it, else OfNext)
//	Observe       ->  Writer.Note    (Lost, Dropped, Discarded, Duplicated)
//
// Packets are kept back (WriterOptions.Hold) and become bytes when they leave,
// so a packet can carry the news of its loss, which is known a delay later. A
// change of state without a segment, such as the end of TIME-WAIT, is not in the
// file: Writer.Unattached counts them.
//
// The pcapng blocks are our own and not those of gopacket's NgWriter, which
// carries comments and nanoseconds in order but allocates for every packet that
// has a comment: 4 times, 116 bytes for one of 32 characters (gopacket 1.7.7,
// 2026-11-22). gopacket and tshark read the files in the tests.
//
// # Reading
//
// A Reader takes pcap (both byte orders, micro- and nanoseconds) and pcapng,
// gzip or not. Ethernet, also with VLAN tags, Linux cooked v1 and v2, raw IP and
// BSD loopback are understood, with IPv4 or IPv6 on them. A file that ends
// within a packet is read up to there; a *FormatError says where something else
// is wrong.
//
// # Side by side
//
// The reports of a measured trace and of a simulated one can be compared line by
// line, as by diff -y, or as JSON, if both were captured at the same end: what a
// sender's host sees of losses, and of the time to an ACK, is not what the
// receiver's does. Sequence numbers are relative, times count from the first
// packet, and addresses are in the first line of a connection alone. What differs
// first is what to look at: options and MSS (the profile and the sysctls of the
// host), then the time of the handshake (the links), then the first segment that
// is sent again (loss and queues) and when (the timers).
//
// # What an observer knows
//
// Analyze sees what passed one point, and infers the rest. It takes each
// interface for a place of its own, since a packet that is seen twice looks like
// a retransmission, and so each device of a Linux cooked v2 capture.
//
// A state is inferred from what an end sends, which proves it. An ACK counts as
// delivered when it is seen, a FIN when it is acknowledged, and an end that
// repeats its SYN-ACK has not taken the ACK. What no segment shows, such as the
// end of TIME-WAIT, is not in the path.
//
// A segment whose bytes have all been seen is a retransmission. One that fills a
// gap was lost before (Retransmissions.Unseen) or overtaken (End.OutOfOrder): its
// time stamp decides or, where that is the same as behind the gap or missing,
// whether it came within the time of the handshake. tshark decides by time
// alone, so its sum of the two is the same and its division is not. Duplicates
// of the network count as retransmissions. An empty segment against a closed
// window is a probe, which tshark calls a keepalive. Duplicate ACKs, window
// updates, zero windows and gaps are counted as tshark does.
//
// A RST counts if its number is one that the peer waits for (RFC 5961);
// otherwise it is marked as out of the window, like other segments that belong
// to no place in their connection, and changes nothing.
package capture
