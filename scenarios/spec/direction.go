package spec

import (
	"fmt"
	"strings"

	"tcplab/scenarios/quantity"
)

// Direction is one direction of a link.
type Direction struct {
	Delay      quantity.Duration `key:"delay" default:"0s" doc:"The propagation delay."`
	Rate       quantity.Bitrate  `key:"rate" default:"unlimited" doc:"How fast it sends. Without it packets take no time to send, and there is no queue."`
	Queue      Queue             `key:"queue" doc:"What holds the packets that wait to be sent."`
	Loss       quantity.Ratio    `key:"loss" default:"0%" max:"100%" doc:"The share of packets that are lost at random, each independently of the others."`
	Overhead   quantity.Size     `key:"overhead" default:"0B" doc:"The bytes that the link adds to the IP length of each packet."`
	Shaper     *Bucket           `key:"shaper" example:"{rate: 10Mbit/s, burst: 15kB}" doc:"A token bucket behind the queue: packets wait in the queue until there are tokens for them."`
	Policer    *Bucket           `key:"policer" example:"{rate: 10Mbit/s, burst: 15kB}" doc:"A token bucket before the queue: packets for which there are no tokens are dropped."`
	Trace      quantity.File     `key:"trace" example:"lte.trace" doc:"A file that says when packets leave, instead of rate: a line for each opportunity to send 1500 bytes, with its time in milliseconds (the format of mahimahi). It is found from the folder of the scenario, and begins anew after its last line."`
	MTU        quantity.Size     `key:"mtu" default:"0B" doc:"The longest IP packet that it takes; 0B is no limit. The node at the entrance drops longer ones and reports them to their source (ICMP, fragmentation needed)."`
	BlackHole  bool              `key:"black_hole" default:"false" doc:"Whether packets above the mtu vanish without a report."`
	Gilbert    *Gilbert          `key:"gilbert" example:"{good_to_bad: 1%, bad_to_good: 25%}" doc:"Loss in bursts: a chain of a good and a bad state that takes a step with each packet (Gilbert, Elliott)."`
	LossPeriod int               `key:"loss_period" default:"0" min:"0" doc:"Every how many packets one is lost; 0 is never."`
	Duplicate  quantity.Ratio    `key:"duplicate" default:"0%" max:"100%" doc:"The share of packets that arrive twice, each independently of the others."`
	Corrupt    quantity.Ratio    `key:"corrupt" default:"0%" max:"100%" doc:"The share of packets whose bits are changed, so that the receiver drops them for their checksum."`
	Jitter     *Jitter           `key:"jitter" example:"{span: 5ms}" doc:"Random delay on top of delay."`
	Reorder    *Reorder          `key:"reorder" example:"{share: 1%, delay: 10ms}" doc:"Packets that are held back at random, so that those behind them overtake."`
}

// validate reports relations that do not hold, at keys that begin with prefix.
func (d *Direction) validate(prefix string, report func(field, message string)) {
	if d.BlackHole && d.MTU == 0 {
		report(prefix+"black_hole", "nothing is too long without an mtu (write mtu: 1400B too)")
	}
	if d.Trace == "" {
		return
	}
	if d.Rate != 0 {
		report(prefix+"trace", "takes the place of rate (remove one of them)")
	}
	if d.Shaper != nil {
		report(prefix+"trace", "takes the place of shaper (remove one of them)")
	}
}

// Queue is a queue with its discipline. A parameter that is nil is the
// discipline's default.
type Queue struct {
	Discipline string         `key:"discipline" enum:"@queues" doc:"Which packet is dropped or marked when."`
	Limit      quantity.Limit `key:"limit" default:"1000 packets" doc:"How much it holds, the packet in service included."`

	ECN         *bool              `key:"ecn" doc:"Whether packets of ECN-capable transports are marked rather than dropped (red, codel, pie: false; fq_codel: true)."`
	Target      *quantity.Duration `key:"target" doc:"The delay that the queue may have (codel, fq_codel: 5ms; pie: 15ms)."`
	Interval    *quantity.Duration `key:"interval" doc:"The time in which a good queue drains, about the longest round trip (codel, fq_codel: 100ms)."`
	CEThreshold *quantity.Duration `key:"ce_threshold" doc:"The wait above which every packet of an ECN-capable transport is marked; 0s is never (codel, fq_codel: 0s)."`
	Flows       *int               `key:"flows" doc:"How many queues flows are hashed into (fq_codel: 1024)."`
	Quantum     *quantity.Size     `key:"quantum" doc:"How many bytes a flow may send in its turn (fq_codel: 1514B)."`
	DropBatch   *int               `key:"drop_batch" doc:"How many packets are dropped at most when it is full (fq_codel: 64)."`
	MinTh       *float64           `key:"min_th" doc:"The average queue in packets below which nothing is dropped early (red: 5)."`
	MaxTh       *float64           `key:"max_th" doc:"The average queue in packets at which max_p is reached (red: 15)."`
	MaxP        *quantity.Ratio    `key:"max_p" doc:"The probability of a drop at max_th (red: 10%)."`
	Weight      *float64           `key:"weight" doc:"The weight of a packet in the average (red: 0.002)."`
	Gentle      *bool              `key:"gentle" doc:"Whether the probability grows from max_p to 1 between max_th and twice that, rather than at once (red: true)."`
	TUpdate     *quantity.Duration `key:"tupdate" doc:"How often the probability is adjusted (pie: 15ms)."`
	MaxBurst    *quantity.Duration `key:"max_burst" doc:"How long a burst after an idle time goes unpunished (pie: 150ms)."`
	Alpha       *float64           `key:"alpha" doc:"The weight of the distance from target, in 1/s (pie: 0.125)."`
	Beta        *float64           `key:"beta" doc:"The weight of the growth of the delay, in 1/s (pie: 1.25)."`
	MarkLimit   *quantity.Ratio    `key:"mark_limit" doc:"The probability up to which packets are marked rather than dropped (pie: 10%)."`
	MeanPacket  *quantity.Size     `key:"mean_packet" doc:"The usual size of a packet (red: 500B; pie: 1500B)."`
}

// Validate implements Validator: each discipline has parameters of its own.
func (q *Queue) Validate(report func(field, message string)) {
	for _, p := range []struct {
		key   string
		given bool
		of    string
	}{
		{"ecn", q.ECN != nil, "red codel fq_codel pie"},
		{"target", q.Target != nil, "codel fq_codel pie"},
		{"interval", q.Interval != nil, "codel fq_codel"},
		{"ce_threshold", q.CEThreshold != nil, "codel fq_codel"},
		{"flows", q.Flows != nil, "fq_codel"},
		{"quantum", q.Quantum != nil, "fq_codel"},
		{"drop_batch", q.DropBatch != nil, "fq_codel"},
		{"min_th", q.MinTh != nil, "red"},
		{"max_th", q.MaxTh != nil, "red"},
		{"max_p", q.MaxP != nil, "red"},
		{"weight", q.Weight != nil, "red"},
		{"gentle", q.Gentle != nil, "red"},
		{"tupdate", q.TUpdate != nil, "pie"},
		{"max_burst", q.MaxBurst != nil, "pie"},
		{"alpha", q.Alpha != nil, "pie"},
		{"beta", q.Beta != nil, "pie"},
		{"mark_limit", q.MarkLimit != nil, "pie"},
		{"mean_packet", q.MeanPacket != nil, "red pie"},
	} {
		if of := strings.Fields(p.of); p.given && q.Discipline != "" && !has(of, q.Discipline) {
			report(p.key, fmt.Sprintf("the discipline %s has no such parameter (those of %s: remove it, or write discipline: %s)", q.Discipline, join(of), of[0]))
		}
	}
}

// Bucket is a token bucket.
type Bucket struct {
	Rate  quantity.Bitrate  `key:"rate" required:"true" doc:"How fast tokens come."`
	Burst quantity.Size     `key:"burst" required:"true" above:"0B" example:"15kB" doc:"How many bytes pass at once after a pause; the bucket is full at first."`
	Tick  quantity.Duration `key:"tick" default:"0s" doc:"How often tokens come, as in devices with a timer; 0s is all the time."`
}

// Validate implements Validator.
func (b *Bucket) Validate(report func(field, message string)) {
	if b.Rate == 0 && b.Burst != 0 {
		report("rate", "a bucket needs a rate (write rate: 10Mbit/s, or leave the bucket out)")
	}
}

// Gilbert is loss in bursts.
type Gilbert struct {
	GoodToBad quantity.Ratio `key:"good_to_bad" required:"true" max:"100%" example:"1%" doc:"The probability to go from the good state to the bad one after a packet."`
	BadToGood quantity.Ratio `key:"bad_to_good" required:"true" max:"100%" example:"25%" doc:"The probability to go back. The mean length of a burst is 1 divided by it, in packets."`
	LossGood  quantity.Ratio `key:"loss_good" default:"0%" max:"100%" doc:"The probability that a packet is lost in the good state."`
	LossBad   quantity.Ratio `key:"loss_bad" default:"100%" max:"100%" doc:"The probability that a packet is lost in the bad state."`
}

// Jitter is random delay.
type Jitter struct {
	Span       quantity.Duration `key:"span" required:"true" above:"0s" example:"5ms" doc:"The longest delay that is added; the shortest is 0s."`
	Shape      string            `key:"shape" default:"uniform" enum:"uniform,normal" doc:"How it is distributed: all alike, or bell-shaped around the middle with a standard deviation of a sixth of span."`
	Reordering bool              `key:"reordering" default:"false" doc:"Whether packets overtake each other. Otherwise one that would come before the one ahead of it comes with it."`
}

// Reorder holds packets back.
type Reorder struct {
	Share quantity.Ratio    `key:"share" required:"true" max:"100%" example:"1%" doc:"The share of packets that are held back, each independently of the others."`
	Delay quantity.Duration `key:"delay" required:"true" above:"0s" example:"10ms" doc:"How much later they arrive."`
}
