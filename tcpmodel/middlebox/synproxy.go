package middlebox

import (
	"fmt"
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/network"
	"tcplab/tcpmodel/segment"
)

// SynProxyConfig is the settings of a SynProxy.
type SynProxyConfig struct {
	Timeouts
	// Ports are those inside that are protected, all if there are none.
	Ports []uint16
	// MSS, WScale, SACK and Timestamps are what the proxy offers to clients
	// before it knows what the server does: they must be what the servers
	// offer. Without Timestamps there is no window scale and no SACK either, as
	// with any SYN cookie.
	MSS              uint16
	WScale           uint8
	SACK, Timestamps bool
	// RTO is how long the proxy waits for the SYN-ACK of the server before it
	// sends the SYN again; it doubles each time. After Retries times the client
	// gets a RST.
	RTO     des.Time
	Retries int
	// Unknown is what becomes of packets of no known connection that return
	// no cookie, PickUp excepted: what the offset of the sequence numbers was
	// is not known any more.
	Unknown Action
}

// DefaultSynProxy offers what profile linux does, has the timeouts of RFC 5382,
// and answers what it does not know with RST.
func DefaultSynProxy() SynProxyConfig {
	return SynProxyConfig{Timeouts: DefaultTimeouts(), MSS: 1460, WScale: 10, SACK: true, Timestamps: true,
		RTO: des.Second, Retries: 5, Unknown: Reset}
}

// SynProxy answers the SYNs to servers inside with cookies (RFC 4987 section
// 3.8) and keeps nothing of them. When the third segment of the handshake
// returns a cookie, the proxy opens a connection to the server with the
// client's initial sequence number; from then on it translates what the two
// ends do not agree about, the server's sequence numbers and time stamps.
// The SYN-ACK offers a window of 0, so that data wait for the server (as with
// Linux's SYNPROXY). Connections that hosts inside open pass untouched.
type SynProxy struct {
	box
	config  SynProxyConfig
	track   tracker
	splices []splice
	cookies tcpmodel.SynCookies
	offset  uint32 // of the time stamps
	stats   SynProxyStats
}

// splice is what the proxy knows of a connection, beside its flow.
type splice struct {
	irs, cookie segment.Seq
	// offset is what the server's sequence numbers, and tsOffset what its time
	// stamps are ahead of those that the client sees.
	offset, tsOffset uint32
	tsVal, tsEcr     uint32
	wnd, mss         uint16
	options          tcpmodel.CookieOptions
	tsOK             bool
	retries          uint8
	// shifts of the window fields: up by the server's scale and down by the
	// promised one, and up by the client's if the server does not scale.
	outUp, outDown, inUp uint8
	// direct: the connection was opened from inside.
	direct bool
}

// SynProxyStats counts what a SynProxy did.
type SynProxyStats struct {
	Stats
	// Cookies were sent, Accepted and Rejected ones came back right and wrong.
	Cookies, Accepted, Rejected uint64
	// Opened connections were answered by the server, Refused ones with RST or
	// not at all, Mismatched ones in a way that cannot be translated: without
	// the time stamps that the client was promised.
	Opened, Refused, Mismatched uint64
}

// NewSynProxy returns a SYN proxy; the name must be unique in the simulation.
func NewSynProxy(sim *des.Sim, name string, c SynProxyConfig) (*SynProxy, error) {
	err := c.Validate()
	switch {
	case err != nil:
	case c.MSS < 536 || c.WScale > 14:
		err = fmt.Errorf("mss %d (want 536 or more), window scale %d (want 14 or less)", c.MSS, c.WScale)
	case c.RTO <= 0 || c.Retries < 0 || c.Retries > 16:
		err = fmt.Errorf("timeout %v (want more than 0), %d retries (want 0 to 16)", c.RTO, c.Retries)
	case c.Unknown == PickUp:
		err = fmt.Errorf("connections in midstream cannot be picked up: their offset is not known")
	}
	if err != nil {
		return nil, fmt.Errorf("syn proxy %s: %w", name, err)
	}
	p := &SynProxy{config: c}
	p.config.Ports = slices.Clone(c.Ports)
	rand := sim.Stream(name + "/secret")
	p.cookies = tcpmodel.NewSynCookies(rand.Uint64(), rand.Uint64())
	p.offset = rand.Uint32()
	waits := make([]des.Time, c.Retries+1)
	for i := range waits {
		waits[i] = c.RTO << i
	}
	p.track.init(sim, name, p, c.Timeouts, waits...)
	return p, nil
}

// Stats returns the counters.
func (p *SynProxy) Stats() SynProxyStats {
	s := p.stats
	s.Stats = p.track.read()
	return s
}

// TakePeak returns the most connections that were known at once since the last
// call.
func (p *SynProxy) TakePeak() int { return p.track.takePeak() }

type proxyOut SynProxy

func (p *proxyOut) Receive(now des.Time, seg *segment.Segment) { (*SynProxy)(p).outward(now, seg) }

type proxyIn SynProxy

func (p *proxyIn) Receive(now des.Time, seg *segment.Segment) { (*SynProxy)(p).inward(now, seg) }

// Outward takes packets from the servers.
func (p *SynProxy) Outward() network.Sink { return (*proxyOut)(p) }

// Inward takes packets from the clients.
func (p *SynProxy) Inward() network.Sink { return (*proxyIn)(p) }

func (p *SynProxy) protects(port uint16) bool {
	return len(p.config.Ports) == 0 || slices.Contains(p.config.Ports, port)
}

// opening reports whether the server has not answered yet.
func (p *SynProxy) opening(i uint32) bool { return p.track.flows[i].list >= firstOwnList }

// expired forgets a connection, or asks the server again.
func (p *SynProxy) expired(now des.Time, i uint32) {
	s := &p.splices[i]
	switch {
	case !p.opening(i):
		p.track.expire(i)
	case int(s.retries) < p.config.Retries:
		s.retries++
		p.track.move(now, i, firstOwnList+s.retries)
		p.askServer(now, i)
	default:
		p.refuse(now, i)
	}
}

// plain passes on what is not for the proxy, and reports whether that is so.
func (p *SynProxy) plain(now des.Time, seg *segment.Segment, from, back *side, port uint16) bool {
	count(&from.flow.In, seg)
	switch {
	case seg.Corrupt:
		p.track.stats.Corrupt++
		from.lose(now, seg, Corrupt)
		return true
	case seg.Kind == segment.KindICMP:
		return false
	case seg.Kind == segment.KindRaw || !p.protects(port):
		from.pass(now, seg)
		return true
	}
	return false
}

func (p *SynProxy) inward(now des.Time, seg *segment.Segment) {
	if seg.Kind == segment.KindTCP {
		if i, ok := p.track.find(now, inwardKey(seg)); ok {
			count(&p.in.flow.In, seg)
			if seg.Corrupt {
				p.track.stats.Corrupt++
				p.in.lose(now, seg, Corrupt)
				return
			}
			p.known(now, i, seg)
			return
		}
	}
	if p.plain(now, seg, &p.in, &p.out, seg.DstPort) {
		return
	}
	switch {
	case seg.Kind == segment.KindICMP:
		p.inwardICMP(now, seg)
	case isOpening(seg):
		p.in.lose(now, seg, Answered)
		p.answer(now, seg)
	case seg.Flags&(segment.SYN|segment.ACK|segment.RST) == segment.ACK && p.accept(now, seg):
		p.in.lose(now, seg, Answered)
	default:
		p.track.stranger(now, seg, p.config.Unknown, &p.in, &p.out)
	}
}

// known takes a segment of a client whose connection is known.
func (p *SynProxy) known(now des.Time, i uint32, seg *segment.Segment) {
	f, s := &p.track.flows[i], &p.splices[i]
	if p.opening(i) {
		p.in.lose(now, seg, NotOpen)
		if seg.Has(segment.RST) && seg.Seq == s.irs+1 {
			p.toServer(now, i, segment.RST, s.irs+1)
			p.track.drop(i)
		}
		return
	}
	over := f.seen&wasReset != 0 || f.seen&(finOut|finIn) == finOut|finIn
	if over && isOpening(seg) && !s.direct {
		p.track.drop(i)
		p.in.lose(now, seg, Answered)
		p.answer(now, seg)
		return
	}
	p.track.touch(now, i, seg, false)
	if s.direct {
		p.in.pass(now, seg)
		return
	}
	t := p.in.copy(seg)
	if t.Has(segment.ACK) {
		t.Ack += segment.Seq(s.offset)
	}
	if t.Opts&segment.OptSACK != 0 {
		for b := range t.SACK[:t.NumSACK] {
			t.SACK[b].Left += segment.Seq(s.offset)
			t.SACK[b].Right += segment.Seq(s.offset)
		}
	}
	if s.tsOK && t.Opts&segment.OptTimestamps != 0 {
		t.TSEcr += s.tsOffset
	}
	t.Wnd = uint16(min(uint32(t.Wnd)<<s.inUp, 65535))
	p.in.pass(now, t)
}

func (p *SynProxy) outward(now des.Time, seg *segment.Segment) {
	if seg.Kind == segment.KindTCP {
		if i, ok := p.track.find(now, outwardKey(seg)); ok {
			count(&p.out.flow.In, seg)
			if seg.Corrupt {
				p.track.stats.Corrupt++
				p.out.lose(now, seg, Corrupt)
				return
			}
			p.fromServer(now, i, seg)
			return
		}
	}
	if seg.Kind == segment.KindTCP && isOpening(seg) && !seg.Corrupt {
		count(&p.out.flow.In, seg)
		i, ok := p.track.add(now, outwardKey(seg), transitory)
		if !ok {
			p.out.lose(now, seg, TableFull)
			return
		}
		p.remember(i, splice{direct: true})
		p.track.touch(now, i, seg, true)
		p.out.pass(now, seg)
		return
	}
	if p.plain(now, seg, &p.out, &p.in, seg.SrcPort) {
		return
	}
	if seg.Kind == segment.KindICMP {
		if _, ok := p.track.find(now, quotedOutward(seg)); ok || !p.protects(seg.DstPort) {
			p.out.pass(now, seg)
			return
		}
		p.track.stranger(now, seg, Drop, &p.out, &p.in)
		return
	}
	p.track.stranger(now, seg, p.config.Unknown, &p.out, &p.in)
}

// inwardICMP translates an error about a segment of a server.
func (p *SynProxy) inwardICMP(now des.Time, seg *segment.Segment) {
	if i, ok := p.track.find(now, quotedInward(seg)); ok && !p.opening(i) {
		t := p.in.copy(seg)
		t.Seq += segment.Seq(p.splices[i].offset)
		p.in.pass(now, t)
	} else if !p.protects(seg.SrcPort) {
		p.in.pass(now, seg)
	} else {
		p.track.stranger(now, seg, Drop, &p.in, &p.out)
	}
}

// fromServer takes a segment of a server whose connection is known.
func (p *SynProxy) fromServer(now des.Time, i uint32, seg *segment.Segment) {
	s := &p.splices[i]
	answers := seg.Flags&(segment.SYN|segment.ACK|segment.RST) == segment.SYN|segment.ACK && seg.Ack == s.irs+1
	switch {
	case s.direct:
		p.track.touch(now, i, seg, true)
		p.out.pass(now, seg)
	case p.opening(i):
		p.out.lose(now, seg, Answered)
		switch {
		case answers:
			p.splice(now, i, seg)
		case seg.Has(segment.RST|segment.ACK) && seg.Ack == s.irs+1:
			p.refuse(now, i)
		}
	case answers:
		// The ACK was lost.
		p.out.lose(now, seg, Answered)
		p.acknowledge(now, i)
	default:
		p.track.touch(now, i, seg, true)
		t := p.out.copy(seg)
		t.Seq -= segment.Seq(s.offset)
		if s.tsOK && t.Opts&segment.OptTimestamps != 0 {
			t.TSVal -= s.tsOffset
		}
		t.Wnd = uint16(min(uint32(t.Wnd)<<s.outUp>>s.outDown, 65535))
		p.out.pass(now, t)
	}
}
