package drill

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// peerStream is the stream of the peer's payload.
const peerStream = 7

// connFor returns the connection that a packet of the script belongs to. An
// inbound packet that meets a listener, or nobody, starts a new one.
func (r *run) connFor(e *Event) (*conn, error) {
	k, c := e.Packet, r.conn
	if k.ICMP == nil && !k.Outbound && (c == nil || c.phase == phaseListening) {
		c = &conn{phase: phaseArrived, localPort: servicePort, remotePort: r.ports, remoteISN: k.Seq,
			vals: map[uint32]uint32{}, joined: map[uint32]bool{}}
		r.ports++
		r.conn = c
		return c, nil
	}
	if c == nil {
		return nil, &failure{pos: k.Pos, reason: "no connection for this packet: nothing was sent, bound or connected before it"}
	}
	if k.Outbound && k.Flags&(segment.SYN|segment.ACK) == segment.SYN && c.phase == phaseConnecting {
		c.phase, c.scriptISN = phaseSynSent, k.Seq
	}
	return c, nil
}

// inbound sends the stack a packet of the script.
func (r *run) inbound(e *Event) error {
	k := e.Packet
	c, err := r.connFor(e)
	if err != nil {
		return err
	}
	switch {
	case c.phase == phaseAnswered && k.Flags&segment.ACK != 0:
		c.phase = phaseAccepted
	case c.phase == phaseSynSent && k.Flags&(segment.SYN|segment.ACK) == segment.SYN|segment.ACK:
		c.phase, c.remoteISN = phaseSynAcked, k.Seq
	}
	seg, err := r.segmentOf(c, k)
	if err != nil {
		return err
	}
	r.note(note{at: r.sim.Now(), text: k.String()})
	r.stack.Receive(r.sim.Now(), &seg)
	r.poll()
	return r.err
}

// segmentOf returns the packet in the stack's numbers.
func (r *run) segmentOf(c *conn, k *Packet) (segment.Segment, error) {
	syn := k.Flags&segment.SYN != 0
	seg := segment.Segment{Src: peerNode, Dst: localNode, SrcPort: c.remotePort, DstPort: c.localPort, ECN: k.ECN}
	if k.SrcPort != 0 {
		seg.SrcPort = k.SrcPort
	}
	if k.DstPort != 0 {
		seg.DstPort = k.DstPort
	}
	if m := k.ICMP; m != nil {
		seg.Kind, seg.SrcPort, seg.DstPort = segment.KindICMP, c.localPort, c.remotePort
		seg.Ack, seg.Wnd, seg.MSS = segment.Seq(peerNode), uint16(m.Type)<<8|uint16(m.Code), m.MTU
		seg.Seq = segment.Seq(k.Seq + c.localOffset(false))
		return seg, nil
	}
	seg.Flags, seg.Wnd, seg.Len = k.Flags, k.Win, k.Len
	seg.Seq = segment.Seq(k.Seq + c.remoteOffset(syn))
	if k.Flags&segment.ACK != 0 {
		seg.Ack = segment.Seq(k.Ack + c.localOffset(syn))
	}
	seg.Stream, seg.Offset = peerStream, uint64(uint32(seg.Seq)-c.remoteISN-1)
	if syn {
		seg.Offset = 0
	}
	for i := range k.Options {
		if err := r.setOption(c, &seg, &k.Options[i]); err != nil {
			return seg, err
		}
	}
	return seg, nil
}

func (r *run) setOption(c *conn, seg *segment.Segment, o *Option) error {
	switch o.Kind {
	case OptionNOP, OptionEOL:
	case OptionMSS:
		seg.Opts |= segment.OptMSS
		seg.MSS = uint16(o.Val)
	case OptionWScale:
		seg.Opts |= segment.OptWScale
		seg.WScale = uint8(o.Val)
	case OptionSACKOK:
		seg.Opts |= segment.OptSACKPermitted
	case OptionSACK:
		seg.Opts |= segment.OptSACK
		offset := segment.Seq(c.localOffset(seg.Has(segment.SYN)))
		for i, b := range o.Blocks {
			seg.SACK[i] = segment.Block{Left: b.Left + offset, Right: b.Right + offset}
		}
		seg.NumSACK = uint8(len(o.Blocks))
	case OptionFastOpen, OptionFOExp:
		v, err := hex.DecodeString(o.Data)
		if err != nil && !errors.Is(err, hex.ErrLength) {
			return &failure{pos: o.Pos, reason: fmt.Sprintf("%s: a cookie is written in hexadecimal", o)}
		}
		// Cookies of no legal length, and those on other segments, are as none.
		if c, ok := segment.NewCookie(v, o.Kind == OptionFOExp); ok && err == nil && seg.Has(segment.SYN) {
			seg.SetCookie(c)
		}
	case OptionTS:
		seg.Opts |= segment.OptTimestamps
		seg.TSVal, seg.TSEcr = o.Val, o.Ecr
		if !seg.Has(segment.ACK) {
			return nil
		}
		live, ok := c.vals[o.Ecr]
		switch {
		case ok:
			seg.TSEcr = live
		case r.scaleEcr && c.stamped:
			seg.TSEcr = o.Ecr - c.firstScript + c.firstLive
		default:
			return &failure{pos: o.Pos, reason: fmt.Sprintf("TS ecr %d: no outbound segment before had that TS val", o.Ecr)}
		}
	}
	return nil
}

// outbound waits for the packet that the script expects next.
func (r *run) outbound(e *Event) error {
	k := e.Packet
	c, err := r.connFor(e)
	if err != nil {
		return err
	}
	from, to := r.timeOf(e)
	tolerance := r.tolerance(from)
	deadline := to + tolerance + 2*des.Second
	if e.Kind == TimeAny {
		deadline = r.sim.Now() + des.Hour
	}
	got, at, err := r.sniff(c, k, deadline)
	if err != nil {
		return err
	}
	r.lastAt = from
	if got == nil {
		return &failure{pos: k.Pos, reason: fmt.Sprintf("no packet came until %s", clock(r.sim.Now())), expected: k.String(), got: "nothing"}
	}
	if why := k.differs(got, r.tickTolerance(from)); why != "" {
		return &failure{pos: k.Pos, reason: why, expected: k.String(), got: got.String() + " at " + clock(at)}
	}
	if e.Kind == TimeAny || at >= from-tolerance && at <= to+tolerance {
		return nil
	}
	due := clock(from)
	if to != from {
		due += " to " + clock(to)
	}
	return &failure{pos: k.Pos, reason: fmt.Sprintf("the packet came at %s, not at %s (tolerance %v)", clock(at), due, tolerance),
		expected: k.String(), got: got.String()}
}

// tickTolerance is how far TS val may be off, in ticks, or -1 if it is not
// compared.
func (r *run) tickTolerance(at des.Time) int64 {
	if r.tick == 0 {
		return -1
	}
	t := max(r.opt.Tolerance, des.Time(float64(at-startOfClock)*r.opt.TolerancePercent/100))
	return int64(t / r.tick)
}

// sniff returns the next segment of the connection in the script's numbers and
// when it was sent. Consecutive segments are joined until they carry as much as
// the script expects. It returns nil if none comes until deadline.
func (r *run) sniff(c *conn, k *Packet, deadline des.Time) (*Packet, des.Time, error) {
	seg, at, err := r.nextSegment(c, deadline)
	if err != nil || seg == nil {
		return nil, 0, err
	}
	if c.phase == phaseArrived && k.Flags&(segment.SYN|segment.ACK) == segment.SYN|segment.ACK {
		c.phase, c.scriptISN, c.liveISN = phaseAnswered, k.Seq, uint32(seg.Seq)
	}
	r.stamp(c, k, seg)
	whole := c.translate(seg)
	if r.opt.NoMerge || r.oneSegment {
		return whole, at, nil
	}
	joined := false
	for piece := seg.Len; whole.Len > 0 && whole.Len < k.Len; {
		next := r.peek(c, deadline)
		if next == nil || next.Len == 0 {
			break
		}
		n := c.translate(next)
		if n.Seq != whole.Seq+whole.Len || n.Len > piece || whole.Len%piece != 0 || n.Ack != whole.Ack ||
			n.Flags&^mergeable != whole.Flags&^mergeable {
			break
		}
		if _, at, err = r.nextSegment(c, deadline); err != nil {
			return nil, 0, err
		}
		r.stamp(c, k, next)
		n.Seq, n.Len = whole.Seq, whole.Len+n.Len
		n.Flags |= whole.Flags & segment.CWR
		whole, joined = n, true
	}
	end := whole.Seq + whole.Len
	if joined {
		c.joined[end] = true
	}
	if whole.Len > 0 && c.joined[end] {
		whole.Flags = whole.Flags&^segment.PSH | k.Flags&segment.PSH
	}
	return whole, at, nil
}

// mergeable are the flags in which segments that are joined may differ. Linux
// sets PSH on what it hands to the device as one, and keeps it at its end when
// that is sent again; but packetdrill joins segments too, so a script may also
// stand for several without PSH. Hence PSH is not compared at such an end.
const mergeable = segment.FIN | segment.PSH | segment.CWR

// stamp remembers how the script calls the TS val of seg.
func (r *run) stamp(c *conn, k *Packet, seg *segment.Segment) {
	i := slices.IndexFunc(k.Options, func(o Option) bool { return o.Kind == OptionTS })
	if i < 0 || seg.Opts&segment.OptTimestamps == 0 {
		return
	}
	val := k.Options[i].Val
	c.vals[val] = seg.TSVal
	if !c.stamped {
		c.stamped, c.firstLive, c.firstScript = true, seg.TSVal, val
	}
}

// nextSegment takes the next segment of the connection from the queue, and lets
// the stack run until there is one. Segments of other connections are dropped.
func (r *run) nextSegment(c *conn, deadline des.Time) (*segment.Segment, des.Time, error) {
	for {
		for len(r.queue) > 0 {
			s := r.queue[0]
			r.queue = r.queue[1:]
			if c.owns(&s) {
				return &s.seg, s.at, nil
			}
		}
		if r.sim.NextDeadline() > deadline {
			return nil, 0, r.runTo(deadline)
		}
		if err := r.step(); err != nil {
			return nil, 0, err
		}
	}
}

// peek returns the next segment of the connection without taking it, if the
// stack sends it in this instant.
func (r *run) peek(c *conn, deadline des.Time) *segment.Segment {
	for {
		for len(r.queue) > 0 {
			if c.owns(&r.queue[0]) {
				return &r.queue[0].seg
			}
			r.queue = r.queue[1:]
		}
		if r.sim.NextDeadline() > min(deadline, r.sim.Now()) || r.step() != nil {
			return nil
		}
	}
}

// differs returns in what way got is not the packet that the script expects, ""
// if it is. TS val may be off by ticks, if that is not negative.
func (k *Packet) differs(got *Packet, ticks int64) string {
	switch {
	case k.Flags != got.Flags:
		return fmt.Sprintf("flags %s instead of %s", flagText(got.Flags), flagText(k.Flags))
	case k.Seq != got.Seq:
		return fmt.Sprintf("sequence number %d instead of %d", got.Seq, k.Seq)
	case k.Len != got.Len:
		return fmt.Sprintf("payload of %d bytes instead of %d", got.Len, k.Len)
	case k.Ack != got.Ack:
		return fmt.Sprintf("acknowledgement number %d instead of %d", got.Ack, k.Ack)
	case k.HasWin && k.Win != got.Win:
		return fmt.Sprintf("window %d instead of %d", got.Win, k.Win)
	case k.CheckECN && k.ECN != got.ECN:
		return fmt.Sprintf("ECN field %v instead of %v", got.ECN, k.ECN)
	case k.AnyECT && got.ECN != segment.ECT0 && got.ECN != segment.ECT1:
		return fmt.Sprintf("ECN field %v instead of ect0 or ect1", got.ECN)
	case k.AnyOptions:
		return ""
	case len(k.Options) != len(got.Options):
		return "other options"
	}
	for i := range k.Options {
		if why := k.Options[i].differs(&got.Options[i], ticks); why != "" {
			return why
		}
	}
	return ""
}

func (o *Option) differs(got *Option, ticks int64) string {
	same := o.Kind == got.Kind && slices.Equal(o.Blocks, got.Blocks)
	if o.Kind == OptionTS {
		off := int64(int32(got.Val - o.Val))
		same = same && o.Ecr == got.Ecr && (ticks < 0 || max(off, -off) <= ticks)
	} else {
		same = same && o.Val == got.Val && o.Data == got.Data
	}
	if same {
		return ""
	}
	return fmt.Sprintf("option <%s> instead of <%s>", got, o)
}
