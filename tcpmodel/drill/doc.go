// Package drill runs scripts in the packetdrill language against one tcplab
// stack in simulated time. A script says what the peer sends and what the
// application calls, and when, and which segments and results must follow; a
// script that passes on a real kernel is thus a statement about that kernel,
// and the stack is held to it. A give-up schedule of two minutes takes
// milliseconds.
//
// # Language
//
// The language is that of packetdrill (Cardwell et al., "packetdrill:
// scriptable network stack testing, from sockets to packets", USENIX ATC 2013)
// as far as it concerns TCP over IPv4:
//
//   - comments: // to the end of the line, /* */, and lines that start with #
//   - option lines at the top: --tolerance_usecs, --tolerance_percent,
//     --ip_version, --local_ip, --remote_ip, --mss, --strict_segments,
//     --tcp_ts_ecr_scaled, --tcp_ts_tick_usecs and a few without effect here
//   - shell commands between backticks, as far as they set sysctls (sysctl,
//     set_sysctls.py, a *.sh file whose sysctl lines are read), have no effect on
//     a TCP endpoint (ip tcp_metrics, tc qdisc ... pfifo), sleep, or fill the
//     accept queue (fill-accept-queue.sh N)
//   - header lines "// sysctl: net.ipv4.NAME=VALUE"
//   - times: 1.5, +.1, +.1~+.2, 1~2, *, +0...0.2 for calls that block
//   - TCP segments in and out, ICMP unreachable messages in
//   - the calls socket bind listen accept connect read recv recvfrom recvmsg
//     readv write send sendto sendmsg writev close shutdown getsockopt setsockopt
//     fcntl ioctl poll
//   - %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }% on the connection under test
//
// What a script needs beyond that makes it unsupported, with the reason; nothing
// is skipped silently.
//
// # Conventions
//
// SYN segments carry absolute sequence numbers, all others are relative to the
// initial ones. The first TS val of the stack fixes the offset between script and
// stack; later ones are named by the script for the TS ecr of later inbound
// segments, and compared only if --tcp_ts_tick_usecs says how long a tick is. A
// window is compared where it is written, options always, unless they are <...>.
// Relative times count from the moment at which the event before was done.
//
// As in packetdrill only the segments of the connection under test are looked
// at, and an unexpected segment is found when the script expects its next one.
// Segments that a kernel with segmentation offload hands to its device as one
// are merged: see Options.NoMerge.
package drill
