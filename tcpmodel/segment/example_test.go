package segment_test

import (
	"fmt"
	"net/netip"

	"tcplab/tcpmodel/segment"
)

func Example() {
	var addrs segment.Addresses
	if err := addrs.Add(1, netip.MustParseAddr("198.51.100.10")); err != nil {
		fmt.Println(err)
	}
	if err := addrs.Add(2, netip.MustParseAddr("203.0.113.10")); err != nil {
		fmt.Println(err)
	}
	syn := segment.Segment{
		Src: 1, Dst: 2, SrcPort: 40000, DstPort: 80, Seq: 100, Flags: segment.SYN, Wnd: 64240,
		Opts: segment.OptMSS | segment.OptWScale, MSS: 1460, WScale: 7,
	}
	packet, err := segment.Encode(nil, &syn, &addrs)
	fmt.Printf("%d bytes, options %x, %v\n", len(packet), packet[40:], err)
	back, err := segment.Decode(packet, &addrs)
	fmt.Println(back.String(), err)
	// Output:
	// 48 bytes, options 020405b401030307, <nil>
	// 1.40000 > 2.80: SYN, seq 100, win 64240, <mss 1460, ws 7>, len 0 <nil>
}

func ExampleSeq_Less() {
	before := segment.Seq(1<<32 - 10)
	after := before.Add(20)
	fmt.Println(before.Less(after), after.Sub(before))
	// Output: true 20
}

func ExampleAddresses_AddPrefix() {
	var addrs segment.Addresses
	count, err := addrs.AddPrefix(5, netip.MustParsePrefix("198.18.0.0/15"))
	fmt.Println(count, err, addrs.Addr(5), addrs.Node(netip.MustParseAddr("198.19.255.255")))
	// Output: 131072 <nil> 198.18.0.0 131076
}
