package capture_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"

	"tcplab/des"
	"tcplab/scenarios/capture"
	"tcplab/tcpmodel/segment"
)

// Three packets at one host, the second of which is lost, written and read.
func Example() {
	const client, server segment.Node = 1, 2
	var addrs segment.Addresses
	if err := addrs.AddRange(client, netip.MustParseAddr("10.0.0.1"), 2); err != nil {
		fmt.Println(err)
	}
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, &addrs, []capture.Interface{{Name: "client"}}, capture.WriterOptions{Tool: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	syn := segment.Segment{Src: client, Dst: server, SrcPort: 40000, DstPort: 80, Seq: 7000, Wnd: 64240,
		Flags: segment.SYN, Opts: segment.OptMSS, MSS: 1460}
	flow := capture.Flow{Local: client, Remote: server, LocalPort: 40000, RemotePort: 80}
	w.State(0, 0, flow, "CLOSED", "SYN-SENT", "user", capture.OfNext)
	w.Packet(0, 0, capture.Out, &syn, "")
	w.Note(0, &syn, "lost on client->core")
	w.Packet(0, des.Second, capture.Out, &syn, "retransmit")
	refusal := segment.Segment{Src: server, Dst: client, SrcPort: 80, DstPort: 40000, Ack: 7001,
		Flags: segment.RST | segment.ACK}
	w.Packet(0, des.Second+40*des.Millisecond, capture.In, &refusal, "")
	w.State(0, des.Second+40*des.Millisecond, flow, "SYN-SENT", "CLOSED", "reset", capture.OfLast)
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}

	report, err := capture.Analyze(&file)
	if err != nil {
		fmt.Println(err)
	}
	if err := capture.WriteText(os.Stdout, report, capture.TextOptions{Ladder: true, Comments: true}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// pcapng, 3 packets in 1.040000 s from 1970-01-01T00:00:00Z
	// 3 of TCP in 1 connections: 1 refused
	//
	// 1. 10.0.0.1:40000 > 10.0.0.2:80
	//    0.000000 to 1.040000 s: refused
	//    MSS 1460, -; options agreed: none
	//                                               client               server
	//    segments                                        2                    1
	//    payload bytes                                   0                    0
	//      of them new                                   0                    0
	//    retransmissions                                 1                    0
	//      SYN                                           1                    0
	//    resets                                          0                    1
	//    client: SYN-SENT > CLOSED
	//    server: CLOSED
	//
	//    time (s) client                                                  server
	//    0.000000 SYN-SENT     - SYN 0 win 64240 ----------------------->
	//             # client: CLOSED > SYN-SENT (user); lost on client->core
	//    1.000000              - SYN 0 retransmission ------------------>
	//             # retransmit
	//    1.040000 CLOSED       <----------------- RST,ACK 1 ack 1 win 0 - CLOSED
	//             # client: SYN-SENT > CLOSED (reset)
}
