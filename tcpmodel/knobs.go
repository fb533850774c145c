package tcpmodel

import (
	"fmt"
	"slices"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel/congestion"
)

// KnobKind is what values a knob takes.
type KnobKind uint8

// The kinds of knob.
const (
	// KnobBool is 0 or 1.
	KnobBool KnobKind = iota
	// KnobInt is an integer.
	KnobInt
	// KnobDuration is a span of time; a bare integer is in the knob's Unit.
	KnobDuration
	// KnobBytes is a number of bytes.
	KnobBytes
	// KnobWord is one of Words.
	KnobWord
)

// Knob is one setting of a stack by the name that its users know: a Linux
// sysctl (without net.ipv4. or net.core.), or a name of our own where Linux has
// no such choice.
type Knob struct {
	Name string
	Kind KnobKind
	// Unit is what a bare integer of a KnobDuration means.
	Unit des.Time
	// Min and Max bound integers, in Unit for durations.
	Min, Max int64
	Words    []string
	Doc      string
	// Source is where the knob and its default come from.
	Source string

	boolean  func(*Config) *bool
	integer  func(*Config) *int
	duration func(*Config) *des.Time
	word     func(*Config) wordField
}

// wordField reads and writes a setting that is one of a list of words.
type wordField struct {
	get func() string
	set func(string)
}

func enumField[T ~uint8](p *T, words []string) wordField {
	return wordField{
		get: func() string { return words[*p] },
		set: func(s string) { *p = T(slices.Index(words, s)) },
	}
}

const (
	linuxDoc  = "Linux ip-sysctl"
	maxInt    = 1<<31 - 1
	maxBuffer = 1 << 30
)

func knobBool(name string, f func(*Config) *bool, doc, source string) Knob {
	return Knob{Name: name, Kind: KnobBool, Max: 1, boolean: f, Doc: doc, Source: source}
}

func knobInt(name string, lo, hi int64, f func(*Config) *int, doc, source string) Knob {
	return Knob{Name: name, Kind: KnobInt, Min: lo, Max: hi, integer: f, Doc: doc, Source: source}
}

func knobBytes(name string, lo, hi int64, f func(*Config) *int, doc, source string) Knob {
	return Knob{Name: name, Kind: KnobBytes, Min: lo, Max: hi, integer: f, Doc: doc, Source: source}
}

func knobTime(name string, unit des.Time, lo, hi int64, f func(*Config) *des.Time, doc, source string) Knob {
	return Knob{Name: name, Kind: KnobDuration, Unit: unit, Min: lo, Max: hi, duration: f, Doc: doc, Source: source}
}

func knobWord(name string, words []string, f func(*Config) wordField, doc, source string) Knob {
	return Knob{Name: name, Kind: KnobWord, Words: words, word: f, Doc: doc, Source: source}
}

var (
	handshakeWords = []string{"three-way", "two-way"}
	isnWords       = []string{"rfc6528", "random", "counter", "constant"}
	rtoWords       = []string{"linux", "rfc6298"}
	ackWords       = []string{"linux", "rfc5681", "immediate"}
	evictionWords  = []string{"none", "random", "oldest"}
)

var knobs = []Knob{
	knobInt("tcp_syn_retries", 0, 127, func(c *Config) *int { return &c.SynRetries }, "how often a SYN is sent again", linuxDoc),
	knobInt("tcp_syn_linear_timeouts", 0, 127, func(c *Config) *int { return &c.SynLinearTimeouts }, "how many timeouts of a SYN pass before the timeout doubles", linuxDoc),
	knobInt("tcp_synack_retries", 0, 30, func(c *Config) *int { return &c.SynackRetries }, "how often a SYN-ACK is sent again before the half-open connection is dropped", linuxDoc),
	knobTime("initial_rto", des.Second, 0, 3600, func(c *Config) *des.Time { return &c.InitialRTO }, "retransmission timeout before the first measurement", "RFC 6298 section 2.1"),
	knobWord("handshake", handshakeWords, func(c *Config) wordField { return enumField(&c.Handshake, handshakeWords) }, "two-way makes a server's connection established by the SYN alone", "counterfactual, for teaching"),
	knobWord("isn", isnWords, func(c *Config) wordField { return enumField(&c.ISN, isnWords) }, "how initial sequence numbers are chosen", "RFC 6528; RFC 793"),

	knobInt("tcp_max_syn_backlog", 1, maxInt, func(c *Config) *int { return &c.MaxSynBacklog }, "half-open connections beyond three quarters of this are for proven peers alone, without cookies", "Linux tcp_conn_request"),
	knobInt("somaxconn", 0, maxInt, func(c *Config) *int { return &c.Somaxconn }, "largest backlog of a listener", "Linux listen(2)"),
	knobInt("tcp_syncookies", 0, 2, func(c *Config) *int { return &c.SynCookies }, "SYN cookies: 0 never, 1 when the SYN queue is full, 2 always", linuxDoc+"; RFC 4987"),
	knobBool("tcp_abort_on_overflow", func(c *Config) *bool { return &c.AbortOnOverflow }, "reset instead of ignore the third segment when the accept queue is full", linuxDoc),
	knobBool("backlog_plus_one", func(c *Config) *bool { return &c.BacklogPlusOne }, "queues hold one more than the backlog", "Linux sk_acceptq_is_full, inet_csk_reqsk_queue_is_full"),
	knobBool("syn_reserve_quarter", func(c *Config) *bool { return &c.ReserveQuarter }, "the last quarter of tcp_max_syn_backlog is kept for proven peers", "Linux tcp_conn_request"),
	knobBool("tcp_no_metrics_save", func(c *Config) *bool { return &c.NoMetricsSave }, "do not remember peers of closed connections, so that none becomes proven", linuxDoc),
	knobBool("syn_prune", func(c *Config) *bool { return &c.PruneSynQueue }, "drop old half-open connections early when the queue is more than half full", "Linux reqsk_timer_handler"),
	knobBool("synack_giveup_rst", func(c *Config) *bool { return &c.SynackGiveUpRST }, "send RST when a half-open connection is given up", "the classic lecture"),
	knobWord("syn_eviction", evictionWords, func(c *Config) wordField { return enumField(&c.SynEviction, evictionWords) }, "which half-open connection gives way to a newcomer when the SYN queue is full; no effect with tcp_syncookies 2", "RFC 4987 section 3.4"),
	knobInt("syncache_buckets", 0, 1<<20, func(c *Config) *int { return &c.SyncacheBuckets }, "buckets of the SYN cache that all listeners share in the place of their SYN queues; 0 for none, FreeBSD has 512", "RFC 4987 section 3.5; FreeBSD net.inet.tcp.syncache.hashsize"),
	knobInt("syncache_bucket_limit", 1, maxInt, func(c *Config) *int { return &c.SyncacheBucketLimit }, "most half-open connections in a bucket of the SYN cache; the oldest one gives way", "FreeBSD net.inet.tcp.syncache.bucketlimit"),
	knobInt("syncache_limit", 1, maxInt, func(c *Config) *int { return &c.SyncacheLimit }, "most half-open connections in the SYN cache; of those retried most often the oldest one gives way", "FreeBSD net.inet.tcp.syncache.cachelimit"),

	knobBytes("mtu", 68, 65535, func(c *Config) *int { return &c.MTU }, "largest IP packet that the host sends", "RFC 791"),
	knobInt("gso_max_segs", 1, 65535, func(c *Config) *int { return &c.GSOMaxSegs }, "how many segments are handed to the device at once (segmentation offload)", "Linux ip-link"),
	knobInt("tcp_min_tso_segs", 1, 65535, func(c *Config) *int { return &c.MinTSOSegs }, "how many segments are handed to the device at once at least, if so many may leave", linuxDoc),
	knobBool("tcp_timestamps", func(c *Config) *bool { return &c.Timestamps }, "time stamps option", "RFC 7323"),
	knobBool("tcp_sack", func(c *Config) *bool { return &c.SACK }, "selective acknowledgements", "RFC 2018"),
	knobBool("tcp_dsack", func(c *Config) *bool { return &c.DSACK }, "report duplicates in SACK options", "RFC 2883"),
	knobBool("tcp_window_scaling", func(c *Config) *bool { return &c.WindowScaling }, "window scale option", "RFC 7323"),
	knobInt("tcp_fastopen", 0, maxInt, func(c *Config) *int { return &c.FastOpen }, "Fast Open: 1 for active opens + 2 for listeners + 4 and 512 the same without cookies + 1024 for listeners that do not ask for it", "RFC 7413; "+linuxDoc),
	knobBytes("tcp_rmem_default", 256, maxBuffer, func(c *Config) *int { return &c.RmemDefault }, "receive buffer of a new socket (middle value of tcp_rmem)", linuxDoc),
	knobBytes("tcp_rmem_max", 256, maxBuffer, func(c *Config) *int { return &c.RmemMax }, "largest receive buffer of auto-tuning (last value of tcp_rmem)", linuxDoc),
	knobBytes("tcp_wmem_max", 256, maxBuffer, func(c *Config) *int { return &c.WmemMax }, "send buffer (last value of tcp_wmem)", linuxDoc),
	knobBytes("tcp_wmem_default", 0, maxBuffer, func(c *Config) *int { return &c.WmemDefault }, "send buffer of a new socket, which grows with the congestion window (middle value of tcp_wmem, 16384 on Linux); 0 is tcp_wmem_max from the start", linuxDoc),
	knobInt("tcp_notsent_lowat", -1, maxInt, func(c *Config) *int { return &c.NotsentLowat }, "an application may write while less than this waits to be sent; -1 is no limit", linuxDoc),
	knobInt("tcp_adv_win_scale", -31, 31, func(c *Config) *int { return &c.AdvWinScale }, "part of the receive buffer that is kept for overhead: 1/2^n, or all but 1/2^-n", linuxDoc),
	knobBool("rmem_truesize", func(c *Config) *bool { return &c.Truesize }, "charge the receive buffer with the memory of Linux's packets, not with payload alone", "Linux skb truesize, scaling_ratio"),
	knobBool("tcp_moderate_rcvbuf", func(c *Config) *bool { return &c.Autotune }, "receive buffer auto-tuning", linuxDoc),

	knobWord("rto_estimator", rtoWords, func(c *Config) wordField { return enumField(&c.RTO, rtoWords) }, "how the retransmission timeout follows from round-trip times", "RFC 6298; Linux tcp_rtt_estimator"),
	knobTime("tcp_rto_min_us", des.Microsecond, 1, 120_000_000, func(c *Config) *des.Time { return &c.RTOMin }, "smallest timeout (rfc6298) or smallest variance term (linux)", linuxDoc+"; RFC 6298 section 2.4"),
	knobTime("tcp_rto_max_ms", des.Millisecond, 1, 3_600_000, func(c *Config) *des.Time { return &c.RTOMax }, "largest timeout", linuxDoc+"; RFC 6298 section 2.5"),
	knobInt("tcp_retries2", 0, 255, func(c *Config) *int { return &c.Retries2 }, "how often data are sent again before the connection is given up", linuxDoc+"; RFC 9293 section 3.8.3 R2"),
	knobBool("retry_budget", func(c *Config) *bool { return &c.RetryBudget }, "retry limits are the time that they take by plain back-off, not counts", "Linux retransmits_timed_out"),
	knobInt("tcp_orphan_retries", 0, 255, func(c *Config) *int { return &c.OrphanRetries }, "as tcp_retries2 for a connection that the application has closed; 0 stands for 8", linuxDoc),
	knobWord("tcp_congestion_control", congestion.Names(), func(c *Config) wordField {
		return wordField{get: func() string { return c.Congestion }, set: func(s string) { c.Congestion = s }}
	}, "congestion control of new connections; dctcp, at both ends, asks for and grants ECN whatever tcp_ecn is", linuxDoc+"; RFC 9438, 8257, 5681"),
	knobWord("hystart", congestion.HyStartNames(), func(c *Config) wordField { return enumField(&c.HyStart, congestion.HyStartNames()) }, "how slow start ends before the first loss: classic is that of Linux's CUBIC, plusplus is HyStart++", "Linux tcp_cubic; RFC 9406"),
	knobBool("cubic_fast_convergence", func(c *Config) *bool { return &c.Cubic.FastConvergence }, "CUBIC gives up bandwidth when losses come at falling windows", "RFC 9438 section 4.7; Linux tcp_cubic fast_convergence"),
	knobBool("cubic_tcp_friendliness", func(c *Config) *bool { return &c.Cubic.TCPFriendliness }, "CUBIC is at least as fast as Reno would be", "RFC 9438 section 4.3; Linux tcp_cubic tcp_friendliness"),
	knobBool("cubic_reno_alpha", func(c *Config) *bool { return &c.Cubic.RenoAlpha }, "the Reno that CUBIC compares itself with gains a whole segment per round trip from the last maximum on; Linux keeps to 0.53", "RFC 9438 section 4.3"),
	knobBool("cubic_every_ack", func(c *Config) *bool { return &c.Cubic.EveryAck }, "CUBIC looks at its curve for every ACK; Linux for an unchanged window every 1/32 s", "RFC 9438 section 4.2"),
	knobBool("byte_counting", func(c *Config) *bool { return &c.ByteCounting }, "the window grows by what an ACK acknowledges, not by one segment for each ACK", "RFC 3465; Linux's former tcp_abc"),
	knobBool("pacing", func(c *Config) *bool { return &c.Pacing }, "segments, or bursts where gso_max_segs allows them, leave spaced at the rate of a window in a round trip, after the first ten", "Linux SO_MAX_PACING_RATE, tcp_update_pacing_rate"),
	knobInt("tcp_pacing_ss_ratio", 1, 1000, func(c *Config) *int { return &c.PacingSSRatio }, "pacing rate in percent of a window in a round trip while the window is below half of the slow-start threshold", linuxDoc),
	knobInt("tcp_pacing_ca_ratio", 1, 1000, func(c *Config) *int { return &c.PacingCARatio }, "the same above it", linuxDoc),
	knobInt("initcwnd", 0, 1000, func(c *Config) *int { return &c.InitialWindow }, "initial congestion window in segments; 0 is that of RFC 5681", "RFC 6928; RFC 5681 section 3.1"),
	knobInt("tcp_reordering", 1, 300, func(c *Config) *int { return &c.Reordering }, "duplicate ACKs that start fast retransmit", linuxDoc+"; RFC 5681 section 3.2"),
	knobBool("tcp_early_retrans", func(c *Config) *bool { return &c.TLP }, "tail loss probe", "RFC 8985 section 7; "+linuxDoc),
	knobBool("prr", func(c *Config) *bool { return &c.PRR }, "proportional rate reduction in recovery; without it the window falls to the threshold at once", "RFC 6937; RFC 6675"),
	knobBool("tcp_frto", func(c *Config) *bool { return &c.FRTO }, "detect spurious timeouts", "RFC 5682; "+linuxDoc),
	knobInt("tcp_ecn", 0, 2, func(c *Config) *int { return &c.ECN }, "explicit congestion notification: 0 off, 1 ask for it, 2 only grant it", "RFC 3168; "+linuxDoc),
	knobBool("tcp_slow_start_after_idle", func(c *Config) *bool { return &c.SlowStartAfterIdle }, "reduce the congestion window after an idle time", linuxDoc+"; RFC 5681 section 4.1"),

	knobWord("ack_policy", ackWords, func(c *Config) wordField { return enumField(&c.AckPolicy, ackWords) }, "when data are acknowledged", "Linux tcp_input; RFC 5681 section 4.2"),
	knobInt("tcp_comp_sack_nr", 0, 255, func(c *Config) *int { return &c.CompSackNr }, "how many ACKs of segments out of order one may stand for", linuxDoc),
	knobTime("tcp_comp_sack_delay_ns", 1, 0, 1_000_000_000, func(c *Config) *des.Time { return &c.CompSackDelay }, "how long such an ACK waits at most; also at most a 20th of the round-trip time", linuxDoc),
	knobTime("delayed_ack", des.Millisecond, 0, 500, func(c *Config) *des.Time { return &c.DelackTime }, "longest delay of an ACK (ack_policy rfc5681)", "RFC 9293 MUST-40"),

	knobTime("tcp_keepalive_time", des.Second, 1, maxInt, func(c *Config) *des.Time { return &c.KeepaliveTime }, "idle time before the first keepalive probe", linuxDoc+"; RFC 9293 MUST-28"),
	knobTime("tcp_keepalive_intvl", des.Second, 1, maxInt, func(c *Config) *des.Time { return &c.KeepaliveIntvl }, "time between keepalive probes", linuxDoc),
	knobInt("tcp_keepalive_probes", 1, 127, func(c *Config) *int { return &c.KeepaliveProbes }, "unanswered probes that end a connection", linuxDoc),

	knobTime("tcp_fin_timeout", des.Second, 0, 3600, func(c *Config) *des.Time { return &c.FinTimeout }, "stay in FIN-WAIT-2 after the application has closed", linuxDoc),
	knobTime("time_wait", des.Second, 0, 3600, func(c *Config) *des.Time { return &c.TimeWait }, "length of TIME-WAIT: 2 MSL", "RFC 9293 section 3.6.1; Linux TCP_TIMEWAIT_LEN"),
	knobInt("tcp_tw_reuse", 0, 2, func(c *Config) *int { return &c.TwReuse }, "a new outgoing connection may take a port in TIME-WAIT: 0 no, 1 yes, 2 on loopback only", linuxDoc+"; RFC 6191"),
	knobTime("tcp_tw_reuse_delay", des.Millisecond, 0, 3_600_000, func(c *Config) *des.Time { return &c.TwReuseDelay }, "age at which a TIME-WAIT entry may be reused", linuxDoc),
	knobInt("tcp_max_tw_buckets", 0, maxInt, func(c *Config) *int { return &c.MaxTwBuckets }, "most entries in TIME-WAIT", linuxDoc),
	knobBool("tcp_rfc1337", func(c *Config) *bool { return &c.RFC1337 }, "ignore RST in TIME-WAIT", linuxDoc+"; RFC 1337"),
	knobTime("tcp_invalid_ratelimit", des.Millisecond, 0, 3_600_000, func(c *Config) *des.Time { return &c.InvalidRateLimit }, "least time between two answers to unacceptable segments", linuxDoc+"; RFC 5961"),

	knobInt("tcp_challenge_ack_limit", 1, maxInt, func(c *Config) *int { return &c.ChallengeAckLimit }, "challenge ACKs of the host per second, give or take a half by chance; 2147483647 for no limit", linuxDoc+"; RFC 5961 section 7"),
	knobInt("tcp_max_orphans", 0, maxInt, func(c *Config) *int { return &c.MaxOrphans }, "connections that the application has closed and that still have to send; those beyond it are reset", linuxDoc),

	knobInt("port_low", 1, 65535, func(c *Config) *int { return &c.PortLow }, "first ephemeral port (ip_local_port_range)", linuxDoc+"; RFC 6335"),
	knobInt("port_high", 1, 65535, func(c *Config) *int { return &c.PortHigh }, "last ephemeral port (ip_local_port_range)", linuxDoc+"; RFC 6335"),
	knobBool("port_parity", func(c *Config) *bool { return &c.PortParity }, "connect takes ports of the parity of port_low first, and skips some at random", "Linux __inet_hash_connect; RFC 6056 algorithm 4"),
	knobInt("timer_wheel_hz", 0, 1000, func(c *Config) *int { return &c.TimerWheelHZ }, "round timers up as Linux's wheel does at that HZ; 0 keeps them exact", "Linux kernel/time/timer.c"),
}

// Knobs returns all knobs, in the order in which they are documented.
func Knobs() []Knob { return knobs }

// FindKnob returns the knob of that name.
func FindKnob(name string) (*Knob, bool) {
	for i := range knobs {
		if knobs[i].Name == name {
			return &knobs[i], true
		}
	}
	return nil, false
}

// SetInt sets a knob that is not a KnobWord: a truth value, a number, bytes,
// or a duration in nanoseconds.
func (k *Knob) SetInt(c *Config, v int64) error {
	bounded := v
	if k.Kind == KnobDuration {
		bounded = v / int64(k.Unit)
	}
	if k.Kind == KnobWord || bounded < k.Min || bounded > k.Max {
		return fmt.Errorf("%s takes %s", k.Name, k.Range())
	}
	switch k.Kind {
	case KnobBool:
		*k.boolean(c) = v != 0
	case KnobDuration:
		*k.duration(c) = des.Time(v)
	default:
		*k.integer(c) = int(v)
	}
	return nil
}

// SetWord sets a KnobWord.
func (k *Knob) SetWord(c *Config, v string) error {
	if k.Kind != KnobWord || !slices.Contains(k.Words, v) {
		return fmt.Errorf("%s takes %s", k.Name, k.Range())
	}
	k.word(c).set(v)
	return nil
}

// Value returns the setting in c as text that a scenario could have.
func (k *Knob) Value(c *Config) string {
	switch k.Kind {
	case KnobBool:
		if *k.boolean(c) {
			return "1"
		}
		return "0"
	case KnobDuration:
		return durationText(*k.duration(c))
	case KnobWord:
		return k.word(c).get()
	}
	return fmt.Sprint(*k.integer(c))
}

// durationText writes a duration as a number of the largest unit that divides it.
func durationText(t des.Time) string {
	for _, u := range []struct {
		size des.Time
		name string
	}{{3600 * des.Second, "h"}, {60 * des.Second, "min"}, {des.Second, "s"}, {des.Millisecond, "ms"}, {des.Microsecond, "us"}} {
		if t != 0 && t%u.size == 0 {
			return fmt.Sprintf("%d%s", t/u.size, u.name)
		}
	}
	return fmt.Sprintf("%dns", t)
}

// Range says which values the knob takes.
func (k *Knob) Range() string {
	switch k.Kind {
	case KnobBool:
		return "0 or 1"
	case KnobWord:
		return "one of " + strings.Join(k.Words, ", ")
	case KnobDuration:
		return fmt.Sprintf("a time of %v to %v", des.Time(k.Min)*k.Unit, des.Time(k.Max)*k.Unit)
	case KnobBytes:
		return fmt.Sprintf("%d to %d bytes", k.Min, k.Max)
	}
	return fmt.Sprintf("an integer of %d to %d", k.Min, k.Max)
}
