package network_test

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

type printer struct{ name string }

func (p printer) Receive(now des.Time, seg *segment.Segment) {
	fmt.Printf("%v %s gets %v\n", now, p.name, seg)
}

// Two hosts behind one router, with the first SYN lost and a spoofed sender.
func Example() {
	sim := des.New(1, 0)
	n := network.New(sim)
	client, server, core := n.AddHost("client"), n.AddHost("server"), n.AddRouter("core")
	spoofed := n.AddRange("spoofed", 65536)

	faults, err := network.ParseFaults("SYN:1")
	if err != nil {
		fmt.Println(err)
	}
	access := network.LinkConfig{Rate: 100e6, Delay: 20 * des.Millisecond, Queue: network.QueueLimit{Packets: 1000}}
	lossy := access
	lossy.Faults = faults
	up, _, err := n.Connect(client, core, lossy, access)
	if err != nil {
		fmt.Println(err)
	}
	if _, _, err := n.Connect(core, server, access, access); err != nil {
		fmt.Println(err)
	}
	if err := n.Build(); err != nil {
		fmt.Println(err)
	}
	if err := n.Attach(server, printer{"server"}); err != nil {
		fmt.Println(err)
	}

	syn := segment.Segment{Src: client, Dst: server, SrcPort: 40000, DstPort: 80, Flags: segment.SYN}
	for range 2 {
		n.Egress(client).Receive(sim.Now(), &syn)
	}
	n.Egress(server).Receive(sim.Now(), &segment.Segment{Src: server, Dst: spoofed + 7, Flags: segment.SYN | segment.ACK})
	sim.RunIdle()
	s := up.Stats()
	fmt.Printf("%s: %d offered, %d lost, %d delivered; core had no route for %d\n", up.Name(), s.Offered.Packets, s.Lost.Packets, s.Delivered.Packets, n.NoRoute(core))
	// Output:
	// 40.0096ms server gets 1.40000 > 2.80: SYN, seq 0, win 0, len 0
	// client->core: 2 offered, 1 lost, 1 delivered; core had no route for 1
}

func ExampleParseFaults() {
	faults, err := network.ParseFaults("SYNACK:2; ANY:10+")
	fmt.Println(faults, err)
	_, err = network.ParseFaults("SYNAC:2")
	fmt.Println(err)
	// Output:
	// [SYNACK:2 ANY:10+] <nil>
	// faults "SYNAC:2": unknown kind of packet "SYNAC" (have ANY, SYN, SYNACK, ACK, DATA, FIN, RST)
}

// A bottleneck with CoDel that loses packets in bursts and is down for a while,
// under twice the load that it can carry. The books are right in the end.
func ExampleLinkConfig() {
	sim := des.New(1, 0)
	n := network.New(sim)
	a, b := n.AddHost("a"), n.AddHost("b")
	codel := network.DefaultCoDel()
	codel.Target = 10 * des.Millisecond
	bottleneck, _, err := n.Connect(a, b, network.LinkConfig{
		Rate: 12e6, Delay: 20 * des.Millisecond, Queue: network.QueueLimit{Packets: 1000}, Discipline: codel,
		Gilbert: network.GilbertElliott{GoodToBad: 0.001, BadToGood: 0.2, LossBad: 1},
		Changes: []network.Change{
			{At: 3 * des.Second, Kind: network.LinkDown},
			{At: 4 * des.Second, Kind: network.LinkUp},
		},
	}, network.LinkConfig{})
	if err != nil {
		fmt.Println(err)
	}
	if err := n.Build(); err != nil {
		fmt.Println(err)
	}
	egress := n.Egress(a)
	for i := range des.Time(10_000) {
		sim.Run(i * 500 * des.Microsecond)
		egress.Receive(sim.Now(), &segment.Segment{Kind: segment.KindRaw, Src: a, Dst: b, Len: 1500})
	}
	sim.RunIdle()
	s := bottleneck.Stats()
	fmt.Println("offered", s.Offered.Packets)
	fmt.Println("dropped while down", s.Down.Packets)
	fmt.Println("lost some", s.Lost.Packets > 0, "discarded some", s.Discarded.Packets > 0)
	fmt.Println("accounted for", s.Offered == network.Count{
		Packets: s.Dropped.Packets + s.Lost.Packets + s.Delivered.Packets,
		Bytes:   s.Dropped.Bytes + s.Lost.Bytes + s.Delivered.Bytes,
	}, n.Check())
	// Output:
	// offered 10000
	// dropped while down 2000
	// lost some true discarded some true
	// accounted for true <nil>
}
