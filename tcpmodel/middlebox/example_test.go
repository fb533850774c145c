package middlebox_test

import (
	"fmt"

	"tcplab/des"
	"tcplab/tcpmodel/middlebox"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

type printer struct{ name string }

func (p printer) Receive(now des.Time, seg *segment.Segment) {
	fmt.Printf("%v %s gets %d.%d > %d.%d: %v\n", now, p.name, seg.Src, seg.SrcPort, seg.Dst, seg.DstPort, seg.Flags)
}

// A NAT at a router between a client and a server: the server sees the router's
// address. A packet that comes after the NAT has forgotten the connection is
// answered with RST.
func Example() {
	sim := des.New(1, 0)
	n := network.New(sim)
	router, client, server := n.AddRouter("router"), n.AddHost("client"), n.AddHost("server")
	link := network.LinkConfig{Delay: 10 * des.Millisecond}
	if _, _, err := n.Connect(client, router, link, link); err != nil {
		fmt.Println(err)
	}
	outward, inward, err := n.Connect(router, server, link, link)
	if err != nil {
		fmt.Println(err)
	}
	if err := n.Build(); err != nil {
		fmt.Println(err)
	}
	if err := n.Attach(client, printer{"client"}); err != nil {
		fmt.Println(err)
	}
	if err := n.Attach(server, printer{"server"}); err != nil {
		fmt.Println(err)
	}

	config := middlebox.DefaultNAT()
	config.Public, config.Unknown = router, middlebox.Reset
	nat, err := middlebox.NewNAT(sim, "nat", config)
	if err != nil {
		fmt.Println(err)
	}
	middlebox.Insert(sim, outward, inward, nat)

	syn := segment.Segment{Src: client, Dst: server, SrcPort: 700, DstPort: 80, Flags: segment.SYN}
	n.Egress(client).Receive(sim.Now(), &syn)
	sim.Run(5 * des.Minute)
	ack := syn
	ack.Flags = segment.ACK
	n.Egress(client).Receive(sim.Now(), &ack)
	sim.RunIdle()
	s := nat.Stats()
	fmt.Printf("%d connection made, %d forgotten, %d RST\n", s.Created, s.Expired, s.Resets)
	// Output:
	// 20ms server gets 1.1024 > 3.80: SYN
	// 5m0.02s client gets 3.80 > 2.700: RST
	// 1 connection made, 1 forgotten, 1 RST
}
