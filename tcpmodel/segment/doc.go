// Package segment holds what travels through the simulated network: the
// Segment value, sequence numbers, flags and options, and the way from a
// Segment to real IPv4 bytes and back.
//
// Inside a simulation a packet is a Segment: 88 bytes without pointers, with
// node numbers for addresses, copied from ring to ring. Bytes are made only
// where something outside looks at them (a capture file, a real peer): Encode
// and Decode do that with an Addresses table.
//
// # Sizes
//
// IPLen is the length of the IPv4 packet and always equals what Encode makes.
// Options are laid out as Linux does (tcp_options_write in net/ipv4/tcp_output.c):
// MSS; SACK-permitted and time stamps in one group of 12 bytes, or NOP NOP
// before whichever of them comes alone; NOP and window scale; NOP NOP and SACK
// blocks. A set of options that only fits without the NOPs is packed and
// padded at the end; blocks that do not fit even so are left out, the last
// ones first.
//
// # Payload
//
// A Segment says where its payload lies (stream number, offset, length), not
// what it is. PayloadByte makes the byte at a place from the place alone, so
// that a receiver can tell bytes of another incarnation of its connection, a
// capture has real bytes, and nobody has to store any. Stream numbers from
// StreamArena on are kept for streams whose bytes are real and lie in an arena
// of their owner; their packets are encoded with EncodePayload.
package segment
