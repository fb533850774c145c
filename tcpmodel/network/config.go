package network

import (
	"errors"
	"fmt"

	"tcplab/des"
)

// LinkConfig describes one direction of a link. The zero value is a wire
// without length: infinitely fast, without delay, limit or loss.
//
// A packet that is offered meets, in this order: the Faults, which count it;
// the link being down (Changes); the MTU; the Policer; the queue with its limit
// and Discipline, and with the decision whether it will be lost (Loss, Gilbert,
// LossPeriod); serialisation (Rate, Shaper, Trace); the Delay. What is not lost
// there meets Duplicate, Corrupt, Jitter and Reorder and arrives.
type LinkConfig struct {
	// Rate is the speed of serialisation in bit/s; 0 is infinitely fast.
	Rate int64
	// Delay is added after serialisation.
	Delay des.Time
	// Queue limits what waits for serialisation or is in it.
	Queue QueueLimit
	// Discipline is how the queue is managed; nil is DropTail.
	Discipline Discipline
	// Overhead is added to the IP length of every packet, in bytes (26 for
	// Ethernet's header, FCS and preamble ...).
	Overhead int

	// Shaper lets a packet begin serialisation when there are tokens for its
	// size, overhead included; packets that are larger than the burst are
	// dropped. It sits behind the queue: queues build up in front of it.
	Shaper TokenBucket
	// Policer drops a packet that finds fewer tokens than its size, overhead
	// included. It sits before the queue.
	Policer TokenBucket
	// Trace gives the times at which packets leave the queue, instead of a
	// Rate. nil is none.
	Trace *Trace

	// MTU is the longest IP packet that the link takes, in bytes: 68 (RFC 791)
	// to 65535; 0 is no limit. Longer ones are dropped, and the node at the
	// entrance reports them to their source (ICMP fragmentation needed).
	MTU int
	// BlackHole drops them without a report.
	BlackHole bool

	// Loss is the probability that a packet vanishes on the wire, each for
	// itself (Bernoulli).
	Loss float64
	// Gilbert is loss in bursts on the wire.
	Gilbert GilbertElliott
	// LossPeriod n loses every n-th packet on the wire; 0 loses none.
	LossPeriod int
	// Duplicate is the probability that a packet arrives twice, each for
	// itself.
	Duplicate float64
	// Corrupt is the probability that bits of a packet are changed, so that
	// its receiver drops it for its checksum, each for itself.
	Corrupt float64
	// Jitter is random delay on top of Delay, which is the smallest.
	Jitter Jitter
	// Reorder lets packets be overtaken by those behind them.
	Reorder Reorder
	// Faults do something to chosen packets.
	Faults []Fault
	// Changes happen to the link at given times, in ascending order.
	Changes []Change
}

// QueueLimit is the limit of a queue. The packet in service counts. A dimension
// of 0 has no limit; with both set, both hold.
type QueueLimit struct {
	Packets int
	Bytes   int64
}

const (
	maxRate     = 1_000_000_000_000_000_000
	maxDelay    = 1 << 50
	maxOverhead = 65535
	minMTU      = 68
	maxMTU      = 65535
)

// Validate returns what is wrong with c, all of it.
func (c *LinkConfig) Validate() error {
	losses := LossConfig{c.Loss, c.Gilbert, c.LossPeriod}
	delays := DelayConfig{c.Jitter, c.Reorder}
	problems := []error{
		checkRate(c.Rate), checkDelay(c.Delay), losses.Validate(), delays.Validate(),
		checkProbability("duplication", c.Duplicate), checkProbability("corruption", c.Corrupt),
		within("shaper", c.Shaper.Validate()), within("policer", c.Policer.Validate()),
		validateChanges(c.Changes),
	}
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Queue.Packets < 0 || c.Queue.Bytes < 0 {
		bad("queue limit of %d packets, %d bytes: must not be negative (0 is no limit)", c.Queue.Packets, c.Queue.Bytes)
	}
	if c.Discipline != nil {
		problems = append(problems, within(c.Discipline.Name(), c.Discipline.Validate()))
	}
	if c.Overhead < 0 || c.Overhead > maxOverhead {
		bad("overhead of %d bytes: must be 0 to %d", c.Overhead, maxOverhead)
	}
	if c.MTU != 0 && (c.MTU < minMTU || c.MTU > maxMTU) {
		bad("mtu of %d bytes: must be %d to %d, or 0 for no limit", c.MTU, minMTU, maxMTU)
	}
	if c.BlackHole && c.MTU == 0 {
		bad("black hole: needs an mtu")
	}
	if c.Trace != nil && len(c.Trace.stamps) == 0 {
		bad("trace: is empty (want one from ParseTrace)")
	}
	if c.Trace != nil && (c.Rate != 0 || c.Shaper.Rate != 0) {
		bad("trace: takes the place of rate and shaper, which must be 0")
	}
	if len(c.Faults) > maxFaults {
		bad("%d faults: at most %d", len(c.Faults), maxFaults)
	}
	for _, f := range c.Faults {
		problems = append(problems, f.validate())
	}
	for _, change := range c.Changes {
		if c.Trace != nil && change.Kind == ChangeRate {
			bad("change of the rate at %v: the link follows a trace", change.At)
		}
	}
	return errors.Join(problems...)
}

func within(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func checkRate(rate int64) error {
	if rate < 0 || rate > maxRate {
		return fmt.Errorf("rate of %d bit/s: must be 0 (infinitely fast) to 10^18", rate)
	}
	return nil
}

func checkDelay(delay des.Time) error {
	if delay < 0 || delay > maxDelay {
		return fmt.Errorf("delay of %v: must be 0 to %v", delay, des.Time(maxDelay))
	}
	return nil
}
