package middlebox

import (
	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// conn is what a cookie is bound to.
func conn(seg *segment.Segment) uint64 {
	return uint64(seg.Src)<<32 ^ uint64(seg.Dst)*0x9e3779b97f4a7c15 ^ uint64(seg.SrcPort)<<16 ^ uint64(seg.DstPort)
}

func (p *SynProxy) clock(now des.Time) uint32 { return uint32(now / des.Millisecond) }

// answer sends a SYN-ACK with a cookie.
func (p *SynProxy) answer(now des.Time, syn *segment.Segment) {
	p.stats.Cookies++
	p.out.scratch = segment.Segment{Src: syn.Dst, Dst: syn.Src, SrcPort: syn.DstPort, DstPort: syn.SrcPort,
		Flags: segment.SYN | segment.ACK, Ack: syn.Seq + 1, Opts: segment.OptMSS, MSS: p.config.MSS}
	seg := &p.out.scratch
	mss := uint16(536)
	if syn.Opts&segment.OptMSS != 0 && syn.MSS != 0 {
		mss = syn.MSS
	}
	seg.Seq, _ = p.cookies.Make(now, conn(syn), syn.Seq, mss)
	if p.config.Timestamps && syn.Opts&segment.OptTimestamps != 0 {
		o := tcpmodel.CookieOptions{SACK: p.config.SACK && syn.Opts&segment.OptSACKPermitted != 0}
		if syn.Opts&segment.OptWScale != 0 {
			o.HasWScale, o.WScale = true, min(syn.WScale, 14)
			seg.Opts, seg.WScale = seg.Opts|segment.OptWScale, p.config.WScale
		}
		if o.SACK {
			seg.Opts |= segment.OptSACKPermitted
		}
		seg.Opts |= segment.OptTimestamps
		seg.TSVal, seg.TSEcr = tcpmodel.CookieTimestamp(p.clock(now), o)+p.offset, syn.TSVal
	}
	p.out.create(now, seg)
}

// accept opens the connection to the server if ack returns a cookie.
func (p *SynProxy) accept(now des.Time, ack *segment.Segment) bool {
	irs := ack.Seq - 1
	mss, ok := p.cookies.Check(now, conn(ack), irs, ack.Ack-1)
	if !ok {
		// A probe of the window of 0 is one byte back.
		irs = ack.Seq
		mss, ok = p.cookies.Check(now, conn(ack), irs, ack.Ack-1)
	}
	if !ok {
		p.stats.Rejected++
		return false
	}
	p.stats.Accepted++
	i, ok := p.track.add(now, inwardKey(ack), firstOwnList)
	if !ok {
		return true
	}
	s := splice{irs: irs, cookie: ack.Ack - 1, mss: mss}
	if p.config.Timestamps && ack.Opts&segment.OptTimestamps != 0 {
		s.tsOK, s.tsVal, s.tsEcr = true, ack.TSVal, ack.TSEcr
		s.options = tcpmodel.DecodeCookieTimestamp(ack.TSEcr - p.offset)
	}
	s.wnd = uint16(min(uint32(ack.Wnd)<<(s.options.WScale), 65535))
	p.remember(i, s)
	p.askServer(now, i)
	return true
}

func (p *SynProxy) remember(i uint32, s splice) {
	for int(i) >= len(p.splices) {
		p.splices = append(p.splices, splice{})
	}
	p.splices[i] = s
}

// toServer sends a segment without data to the server in the client's name.
func (p *SynProxy) toServer(now des.Time, i uint32, flags segment.Flags, seq segment.Seq) {
	s := &p.splices[i]
	p.in.create(now, p.blank(&p.in, i, true, flags, seq, s.cookie+1+segment.Seq(s.offset)))
}

// blank prepares a segment of connection i in the scratch space of a side.
func (p *SynProxy) blank(side *side, i uint32, inward bool, flags segment.Flags, seq, ack segment.Seq) *segment.Segment {
	k, s := p.track.flows[i].key, &p.splices[i]
	t := segment.Segment{Src: k.in, Dst: k.out, SrcPort: k.inPort, DstPort: k.outPort, Flags: flags, Seq: seq}
	if inward {
		t.Src, t.Dst, t.SrcPort, t.DstPort = k.out, k.in, k.outPort, k.inPort
	}
	if flags&segment.ACK != 0 {
		t.Ack = ack
	}
	if s.tsOK && flags&segment.RST == 0 {
		t.Opts |= segment.OptTimestamps
		t.TSVal, t.TSEcr = s.tsEcr, s.tsVal
		if inward {
			t.TSVal, t.TSEcr = s.tsVal, s.tsEcr+s.tsOffset
		}
	}
	side.scratch = t
	return &side.scratch
}

// askServer sends the SYN to the server.
func (p *SynProxy) askServer(now des.Time, i uint32) {
	s := &p.splices[i]
	seg := p.blank(&p.in, i, true, segment.SYN, s.irs, 0)
	seg.TSEcr, seg.Wnd = 0, s.wnd
	seg.Opts, seg.MSS = seg.Opts|segment.OptMSS, s.mss
	if s.options.HasWScale {
		seg.Opts, seg.WScale = seg.Opts|segment.OptWScale, s.options.WScale
	}
	if s.options.SACK {
		seg.Opts |= segment.OptSACKPermitted
	}
	p.in.create(now, seg)
}

// toClient sends a segment without data to the client in the server's name.
func (p *SynProxy) toClient(now des.Time, i uint32, flags segment.Flags, wnd uint16) {
	s := &p.splices[i]
	seg := p.blank(&p.out, i, false, flags, s.cookie+1, s.irs+1)
	seg.Wnd = wnd
	p.out.create(now, seg)
}

// refuse tells the client that the server does not want its connection.
func (p *SynProxy) refuse(now des.Time, i uint32) {
	p.stats.Refused++
	p.toClient(now, i, segment.RST|segment.ACK, 0)
	p.track.drop(i)
}

// splice joins the two connections when the server's SYN-ACK has come: an ACK
// for the server, the window for the client.
func (p *SynProxy) splice(now des.Time, i uint32, synAck *segment.Segment) {
	s := &p.splices[i]
	s.offset = uint32(synAck.Seq - s.cookie)
	if s.tsOK {
		if synAck.Opts&segment.OptTimestamps == 0 {
			p.stats.Mismatched++
			p.toServer(now, i, segment.RST, s.irs+1)
			p.toClient(now, i, segment.RST|segment.ACK, 0)
			p.track.drop(i)
			return
		}
		s.tsOffset = synAck.TSVal - s.tsEcr
	}
	if s.options.HasWScale {
		s.outDown = p.config.WScale
		if synAck.Opts&segment.OptWScale != 0 {
			s.outUp = synAck.WScale
		} else {
			s.inUp = s.options.WScale
		}
	}
	p.stats.Opened++
	p.track.flows[i].seen = synOut | synIn
	p.track.move(now, i, established)
	p.acknowledge(now, i)
	// The window of a SYN is not scaled.
	p.toClient(now, i, segment.ACK, synAck.Wnd>>s.outDown)
}

// acknowledge sends the third segment of the handshake with the server.
func (p *SynProxy) acknowledge(now des.Time, i uint32) {
	s := &p.splices[i]
	seg := p.blank(&p.in, i, true, segment.ACK, s.irs+1, s.cookie+1+segment.Seq(s.offset))
	shift := s.options.WScale
	if s.inUp > 0 {
		shift = 0
	}
	seg.Wnd = s.wnd >> shift
	p.in.create(now, seg)
}
