package tcpmodel

import "tcplab/des"

// Info is a snapshot of a connection: the fields of Linux's TCP_INFO that the
// model has, in its units (microseconds, bytes, segments).
type Info struct {
	State, CaState, Retransmits, Probes, Backoff, Options uint8
	SndWScale, RcvWScale                                  uint8
	RTO, ATO, SndMSS, RcvMSS                              uint32
	Unacked, Sacked, Lost, Retrans                        uint32
	RTT, RTTVar, SndSsthresh, SndCwnd, AdvMSS, Reordering uint32
	RcvRTT, RcvSpace, TotalRetrans                        uint32
	BytesAcked, BytesReceived, BytesSent, BytesRetrans    uint64
	SegsOut, SegsIn, NotsentBytes, MinRTT                 uint32
	Delivered, DeliveredCE, DsackDups, SndWnd, RcvWnd     uint32
	RcvSsthresh, ReordSeen                                uint32
	// The times since data were sent and received and an ACK came are in
	// milliseconds.
	LastDataSent, LastDataRecv, LastAckRecv uint32
	// BusyTime is how long data were in flight or waited, RwndLimited and
	// SndbufLimited how much of it for the peer's window and for the user.
	BusyTime, RwndLimited, SndbufLimited uint64
}

// linuxStates are the numbers of the states in TCP_INFO.
var linuxStates = [NumStates]uint8{
	Closed: 7, Listen: 10, SynSent: 2, SynReceived: 3, Established: 1, FinWait1: 4,
	FinWait2: 5, CloseWait: 8, Closing: 11, LastAck: 9, TimeWait: 6,
}

// The bits of Info.Options.
const (
	infoTimestamps = 1 << iota
	infoSACK
	infoWScale
	infoECN
	infoECNSeen
	infoSynData
)

// Info returns the TCP_INFO of the connection.
func (ep *Endpoint) Info() Info {
	i := Info{
		State: linuxStates[ep.state], CaState: uint8(ep.ca), Retransmits: ep.retries, Probes: ep.probes,
		Backoff: ep.backoff, SndWScale: ep.opt.sndWScale, RcvWScale: ep.opt.rcvWScale,
		RTO: micros(ep.rto), ATO: micros(ep.ack.ato), SndMSS: ep.boundMSS(), RcvMSS: ep.ack.rcvMSS,
		Unacked: ep.rtx.len(), Sacked: ep.sackedOut, Lost: ep.lostOut, Retrans: ep.retransOut,
		RTT: micros(ep.rtt.srtt), RTTVar: micros(ep.rtt.mdev), SndSsthresh: ep.win.Ssthresh, SndCwnd: ep.win.Cwnd,
		AdvMSS: ep.advMSS(), Reordering: ep.reordering,
		RcvRTT: micros(ep.autotune.rtt), RcvSpace: ep.autotune.space, RcvSsthresh: ep.rcvSsthresh,
		TotalRetrans: ep.stats.Retransmits, BytesAcked: ep.bytesAcked(), BytesReceived: ep.stats.BytesReceived,
		BytesSent: ep.stats.BytesSent, SegsOut: ep.stats.SegsOut, SegsIn: ep.stats.SegsIn,
		NotsentBytes: ep.unsent(), MinRTT: micros(ep.rtt.lowest()), SndWnd: ep.sndWnd, RcvWnd: ep.rcvWnd,
		Delivered: ep.delivered, DsackDups: ep.dsackDups,
	}
	now := ep.st.sim.Now()
	i.ReordSeen = ep.reordEvents
	i.LastDataSent, i.LastDataRecv, i.LastAckRecv = millis(now-ep.win.LastSent), millis(now-ep.ack.lastData), millis(now-ep.lastAck)
	ep.chronos(&i)
	if ep.opt.tsOK {
		i.Options |= infoTimestamps
	}
	if ep.opt.sackOK {
		i.Options |= infoSACK
	}
	if ep.opt.wscaleOK {
		i.Options |= infoWScale
	}
	if ep.ecn.ok {
		i.Options |= infoECN
	}
	if ep.ecn.seen {
		i.Options |= infoECNSeen
	}
	if ep.fast.taken {
		i.Options |= infoSynData
	}
	return i
}

func micros(t des.Time) uint32 { return uint32(t / des.Microsecond) }

func millis(t des.Time) uint32 { return uint32(t / des.Millisecond) }

// Field returns a field by its name in Linux, such as "tcpi_snd_cwnd".
func (i *Info) Field(name string) (int64, bool) {
	f, ok := infoFields[name]
	if !ok {
		return 0, false
	}
	return f(i), true
}

var infoFields = map[string]func(*Info) int64{
	"tcpi_state":          func(i *Info) int64 { return int64(i.State) },
	"tcpi_ca_state":       func(i *Info) int64 { return int64(i.CaState) },
	"tcpi_retransmits":    func(i *Info) int64 { return int64(i.Retransmits) },
	"tcpi_probes":         func(i *Info) int64 { return int64(i.Probes) },
	"tcpi_backoff":        func(i *Info) int64 { return int64(i.Backoff) },
	"tcpi_options":        func(i *Info) int64 { return int64(i.Options) },
	"tcpi_snd_wscale":     func(i *Info) int64 { return int64(i.SndWScale) },
	"tcpi_rcv_wscale":     func(i *Info) int64 { return int64(i.RcvWScale) },
	"tcpi_rto":            func(i *Info) int64 { return int64(i.RTO) },
	"tcpi_ato":            func(i *Info) int64 { return int64(i.ATO) },
	"tcpi_snd_mss":        func(i *Info) int64 { return int64(i.SndMSS) },
	"tcpi_rcv_mss":        func(i *Info) int64 { return int64(i.RcvMSS) },
	"tcpi_unacked":        func(i *Info) int64 { return int64(i.Unacked) },
	"tcpi_sacked":         func(i *Info) int64 { return int64(i.Sacked) },
	"tcpi_lost":           func(i *Info) int64 { return int64(i.Lost) },
	"tcpi_retrans":        func(i *Info) int64 { return int64(i.Retrans) },
	"tcpi_rtt":            func(i *Info) int64 { return int64(i.RTT) },
	"tcpi_rttvar":         func(i *Info) int64 { return int64(i.RTTVar) },
	"tcpi_snd_ssthresh":   func(i *Info) int64 { return int64(i.SndSsthresh) },
	"tcpi_snd_cwnd":       func(i *Info) int64 { return int64(i.SndCwnd) },
	"tcpi_advmss":         func(i *Info) int64 { return int64(i.AdvMSS) },
	"tcpi_reordering":     func(i *Info) int64 { return int64(i.Reordering) },
	"tcpi_rcv_rtt":        func(i *Info) int64 { return int64(i.RcvRTT) },
	"tcpi_rcv_space":      func(i *Info) int64 { return int64(i.RcvSpace) },
	"tcpi_rcv_ssthresh":   func(i *Info) int64 { return int64(i.RcvSsthresh) },
	"tcpi_total_retrans":  func(i *Info) int64 { return int64(i.TotalRetrans) },
	"tcpi_bytes_acked":    func(i *Info) int64 { return int64(i.BytesAcked) },
	"tcpi_bytes_received": func(i *Info) int64 { return int64(i.BytesReceived) },
	"tcpi_bytes_sent":     func(i *Info) int64 { return int64(i.BytesSent) },
	"tcpi_bytes_retrans":  func(i *Info) int64 { return int64(i.BytesRetrans) },
	"tcpi_segs_out":       func(i *Info) int64 { return int64(i.SegsOut) },
	"tcpi_segs_in":        func(i *Info) int64 { return int64(i.SegsIn) },
	"tcpi_notsent_bytes":  func(i *Info) int64 { return int64(i.NotsentBytes) },
	"tcpi_min_rtt":        func(i *Info) int64 { return int64(i.MinRTT) },
	"tcpi_delivered":      func(i *Info) int64 { return int64(i.Delivered) },
	"tcpi_delivered_ce":   func(i *Info) int64 { return int64(i.DeliveredCE) },
	"tcpi_dsack_dups":     func(i *Info) int64 { return int64(i.DsackDups) },
	"tcpi_snd_wnd":        func(i *Info) int64 { return int64(i.SndWnd) },
	"tcpi_rcv_wnd":        func(i *Info) int64 { return int64(i.RcvWnd) },
	"tcpi_reord_seen":     func(i *Info) int64 { return int64(i.ReordSeen) },
	"tcpi_last_data_sent": func(i *Info) int64 { return int64(i.LastDataSent) },
	"tcpi_last_data_recv": func(i *Info) int64 { return int64(i.LastDataRecv) },
	"tcpi_last_ack_recv":  func(i *Info) int64 { return int64(i.LastAckRecv) },
	"tcpi_busy_time":      func(i *Info) int64 { return int64(i.BusyTime) },
	"tcpi_rwnd_limited":   func(i *Info) int64 { return int64(i.RwndLimited) },
	"tcpi_sndbuf_limited": func(i *Info) int64 { return int64(i.SndbufLimited) },
}
