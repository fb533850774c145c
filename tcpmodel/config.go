package tcpmodel

import (
	"fmt"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel/congestion"
)

// HandshakeMode is who needs to say what before a server takes a connection
// for established.
type HandshakeMode uint8

// The handshakes.
const (
	// ThreeWay is TCP's.
	ThreeWay HandshakeMode = iota
	// TwoWay is the counterfactual for teaching: a listener's connection is
	// ESTABLISHED as soon as its SYN arrives.
	TwoWay
)

// ISNMode is how initial sequence numbers are chosen.
type ISNMode uint8

// The choices of initial sequence numbers.
const (
	// ISNRFC6528 adds a keyed hash of the ports and addresses to a clock of
	// 4 microseconds (RFC 6528 section 3).
	ISNRFC6528 ISNMode = iota
	// ISNRandom draws each from the host's random stream.
	ISNRandom
	// ISNCounter is RFC 793's clock alone: predictable.
	ISNCounter
	// ISNConstant is the same number for every connection: the host's
	// ISNValue.
	ISNConstant
)

// RTOEstimator is how the retransmission timeout follows from round-trip
// times.
type RTOEstimator uint8

// The estimators.
const (
	// RTOLinux is SRTT + max(4 RTTVAR, RTOMin) with Linux's variance filter.
	RTOLinux RTOEstimator = iota
	// RTORFC6298 is RFC 6298 as written.
	RTORFC6298
)

// AckPolicy is when data are acknowledged.
type AckPolicy uint8

// The policies.
const (
	// AckLinux is quick-ACK mode and an adaptive timeout of 40 to 200 ms.
	AckLinux AckPolicy = iota
	// AckRFC is every second full segment, the rest after DelackTime (RFC
	// 5681 section 4.2).
	AckRFC
	// AckImmediate is every segment.
	AckImmediate
)

// CubicConfig is what a host can change of CUBIC.
type CubicConfig struct{ FastConvergence, TCPFriendliness, RenoAlpha, EveryAck bool }

// Config is the settings of one host's stack: a profile and what overrides it.
// Knobs names every field that a scenario can set, with unit and source.
type Config struct {
	SynRetries        int
	SynLinearTimeouts int
	SynackRetries     int
	InitialRTO        des.Time
	Handshake         HandshakeMode
	ISN               ISNMode
	ISNValue          uint32

	MaxSynBacklog   int
	Somaxconn       int
	SynCookies      int
	AbortOnOverflow bool
	BacklogPlusOne  bool
	ReserveQuarter  bool
	NoMetricsSave   bool
	PruneSynQueue   bool
	SynackGiveUpRST bool
	// SynEviction is what a full SYN queue does for a newcomer. SyncacheBuckets
	// is how many buckets the SYN cache has that stands in the place of all SYN
	// queues, 0 for none; it holds SyncacheBucketLimit entries in a bucket and
	// SyncacheLimit in all.
	SynEviction                                         EvictionPolicy
	SyncacheBuckets, SyncacheBucketLimit, SyncacheLimit int

	MTU int
	// GSOMaxSegs is how many segments a device takes at once, 1 for no
	// segmentation offload.
	GSOMaxSegs int
	// MinTSOSegs is tcp_min_tso_segs.
	MinTSOSegs    int
	Timestamps    bool
	SACK          bool
	DSACK         bool
	WindowScaling bool
	// FastOpen is tcp_fastopen: bit 0 for active opens, bit 1 for listeners,
	// bits 2 and 9 to do without cookies, bit 10 for all listeners.
	FastOpen    int
	RmemDefault int
	RmemMax     int
	WmemMax     int
	// WmemDefault is the middle value of tcp_wmem, 0 for WmemMax from the
	// start. NotsentLowat is tcp_notsent_lowat, -1 for no limit.
	WmemDefault, NotsentLowat int
	AdvWinScale               int
	Autotune                  bool
	Truesize                  bool

	RTO           RTOEstimator
	RTOMin        des.Time
	RTOMax        des.Time
	Retries2      int
	RetryBudget   bool
	OrphanRetries int
	Congestion    string
	HyStart       congestion.HyStart
	// Cubic is the settings of CUBIC beside HyStart, by the names of
	// congestion.Options.
	Cubic         CubicConfig
	InitialWindow int
	Reordering    int
	TLP, FRTO     bool
	// PRR: in fast recovery and after ECN the window follows RFC 6937; without
	// it, it falls to the threshold at once (RFC 6675 section 5 step 4.2).
	PRR bool
	// ByteCounting: the window grows by what an ACK acknowledges (RFC 3465);
	// without it, by one segment for each ACK.
	ByteCounting bool
	// Pacing: segments leave at PacingSSRatio or PacingCARatio percent of a
	// window in a round trip; the ratios also size bursts where it is off.
	Pacing                       bool
	PacingSSRatio, PacingCARatio int
	// ECN is tcp_ecn: 0 off, 1 asked for and granted, 2 granted.
	ECN                int
	SlowStartAfterIdle bool

	AckPolicy  AckPolicy
	DelackTime des.Time
	// CompSackNr is tcp_comp_sack_nr, 0 for no compression of ACKs,
	// CompSackDelay tcp_comp_sack_delay_ns.
	CompSackNr    int
	CompSackDelay des.Time

	KeepaliveTime   des.Time
	KeepaliveIntvl  des.Time
	KeepaliveProbes int

	FinTimeout   des.Time
	TimeWait     des.Time
	TwReuse      int
	TwReuseDelay des.Time
	MaxTwBuckets int
	RFC1337      bool

	InvalidRateLimit des.Time
	// ChallengeAckLimit is tcp_challenge_ack_limit, 2^31-1 for none.
	ChallengeAckLimit int
	// MaxOrphans is tcp_max_orphans.
	MaxOrphans int

	PortLow, PortHigh int
	PortParity        bool

	TimerWheelHZ int
}

// linux is Linux 6.18 with its default sysctls, as measured.
var linux = Config{
	SynRetries: 6, SynLinearTimeouts: 4, SynackRetries: 5, InitialRTO: des.Second,
	MaxSynBacklog: 2048, Somaxconn: 4096, SynCookies: 1, BacklogPlusOne: true,
	ReserveQuarter: true, PruneSynQueue: true,
	SyncacheBucketLimit: 30, SyncacheLimit: 15359,
	MTU: 1500, GSOMaxSegs: 65535, MinTSOSegs: 2, Timestamps: true, SACK: true, DSACK: true, WindowScaling: true, FastOpen: fastOpenClient,
	RmemDefault: 131072, RmemMax: 33554432, WmemMax: 4194304, NotsentLowat: -1, AdvWinScale: 1, Autotune: true, Truesize: true,
	RTO: RTOLinux, RTOMin: 200 * des.Millisecond, RTOMax: 120 * des.Second,
	Retries2: 15, RetryBudget: true,
	Congestion: "cubic", HyStart: congestion.HyStartClassic, InitialWindow: 10, Reordering: 3, SlowStartAfterIdle: true,
	TLP: true, FRTO: true, ECN: 2, PRR: true, ByteCounting: true,
	PacingSSRatio: 200, PacingCARatio: 120,
	Cubic:     CubicConfig{FastConvergence: true, TCPFriendliness: true},
	AckPolicy: AckLinux, DelackTime: 40 * des.Millisecond, CompSackNr: 44, CompSackDelay: des.Millisecond,
	KeepaliveTime: 7200 * des.Second, KeepaliveIntvl: 75 * des.Second, KeepaliveProbes: 9,
	FinTimeout: 60 * des.Second, TimeWait: 60 * des.Second, TwReuse: 2,
	TwReuseDelay: des.Second, MaxTwBuckets: 131072,
	InvalidRateLimit: 500 * des.Millisecond, ChallengeAckLimit: maxInt, MaxOrphans: 131072,
	PortLow: 32768, PortHigh: 60999, PortParity: true,
}

func rfc9293() Config {
	c := linux
	// With a timeout of 1 s that doubles up to 60 s the 8th retry leaves
	// after 183 s, the first beyond the 3 minutes of RFC 9293 MUST-23.
	c.SynRetries, c.SynLinearTimeouts = 8, 0
	c.BacklogPlusOne, c.ReserveQuarter, c.PruneSynQueue = false, false, false
	c.NoMetricsSave, c.SynCookies, c.Truesize, c.FastOpen = true, 0, false, 0
	c.RTO, c.RTOMin, c.RTOMax, c.RetryBudget = RTORFC6298, des.Second, 60*des.Second, false
	c.Congestion, c.InitialWindow, c.GSOMaxSegs = "reno", 0, 1
	// Timeouts alone send a lone segment again, as RFC 6298 has it.
	c.TLP = false
	c.AckPolicy, c.DelackTime, c.CompSackNr = AckRFC, 200*des.Millisecond, 0
	c.TimeWait, c.TwReuse = 240*des.Second, 0
	c.InvalidRateLimit = 0
	c.Somaxconn = 1 << 20
	c.PortLow, c.PortHigh, c.PortParity = 49152, 65535, false
	return c
}

func textbook() Config {
	c := rfc9293()
	c.SynRetries = 6
	c.FRTO, c.ECN = false, 0
	c.SACK, c.Timestamps, c.WindowScaling, c.Autotune = false, false, false, false
	c.KeepaliveProbes = 10
	c.TimeWait = 60 * des.Second
	c.SynackGiveUpRST = true
	return c
}

var profiles = []struct {
	name, doc string
	config    func() Config
}{
	{"linux", "Linux 6.18 with its default sysctls", func() Config { return linux }},
	{"rfc9293", "the RFCs as written: RFC 9293, 6298, 5681, 6582", rfc9293},
	{"textbook", "the numbers of the classic lecture: exact backlog, RST on give-up, 10 keepalive probes", textbook},
}

// ProfileNames returns the names of the profiles, the default one first.
func ProfileNames() []string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.name
	}
	return names
}

// ProfileDoc returns one line on a profile, "" if there is none of that name.
func ProfileDoc(name string) string {
	for _, p := range profiles {
		if p.name == name {
			return p.doc
		}
	}
	return ""
}

// Profile returns the settings of a profile.
func Profile(name string) (Config, error) {
	for _, p := range profiles {
		if p.name == name {
			return p.config(), nil
		}
	}
	return Config{}, fmt.Errorf("unknown profile %q (have %s)", name, strings.Join(ProfileNames(), ", "))
}

// Validate reports the first setting that no stack can run with.
func (c *Config) Validate() error {
	switch {
	case c.InitialRTO <= 0 || c.RTOMin <= 0 || c.RTOMax < c.RTOMin:
		return fmt.Errorf("timeouts must be positive and tcp_rto_min at most tcp_rto_max (initial %v, min %v, max %v)", c.InitialRTO, c.RTOMin, c.RTOMax)
	case c.MTU < 68:
		return fmt.Errorf("mtu %d is below the 68 bytes of RFC 791", c.MTU)
	case c.PortLow < 1 || c.PortHigh > 65535 || c.PortLow > c.PortHigh:
		return fmt.Errorf("ip_local_port_range %d %d is empty or outside 1 to 65535", c.PortLow, c.PortHigh)
	case c.SynCookies < 0 || c.SynCookies > 2:
		return fmt.Errorf("tcp_syncookies %d is none of 0, 1, 2", c.SynCookies)
	case c.SynackRetries < 0 || c.SynackRetries > 30 || c.SynRetries < 0 || c.SynRetries > 127:
		return fmt.Errorf("retries out of range: tcp_synack_retries %d (0 to 30), tcp_syn_retries %d (0 to 127)", c.SynackRetries, c.SynRetries)
	}
	if c.SyncacheBuckets > 0 && c.SynEviction != EvictNone {
		return fmt.Errorf("syn_eviction and syncache_buckets exclude each other: a SYN cache evicts the oldest entry of a bucket")
	}
	if c.SyncacheBuckets < 0 || c.SyncacheBuckets > 0 && (c.SyncacheBucketLimit < 1 || c.SyncacheLimit < 1) {
		return fmt.Errorf("a SYN cache needs syncache_bucket_limit (%d) and syncache_limit (%d) of at least 1", c.SyncacheBucketLimit, c.SyncacheLimit)
	}
	_, err := c.controller(c.Congestion)
	return err
}

// controller returns a new congestion control of that name with the host's
// settings.
func (c *Config) controller(name string) (congestion.Controller, error) {
	o := congestion.DefaultOptions()
	o.HyStart = c.HyStart
	o.FastConvergence, o.TCPFriendliness = c.Cubic.FastConvergence, c.Cubic.TCPFriendliness
	o.RenoAlpha, o.EveryAck = c.Cubic.RenoAlpha, c.Cubic.EveryAck
	return congestion.NewWith(name, o)
}
