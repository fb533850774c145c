package network

import (
	"errors"
	"fmt"
	"math"

	"tcplab/des"
)

// LinkConfig describes one direction of a link. The zero value is a wire
// without length: infinitely fast, without delay, limit or loss.
type LinkConfig struct {
	// Rate is the speed of serialisation in bit/s; 0 is infinitely fast.
	Rate int64
	// Delay is added after serialisation.
	Delay des.Time
	// Queue limits what waits for serialisation or is in it.
	Queue QueueLimit
	// Overhead is added to the IP length of every packet, in bytes (26 for
	// Ethernet's header, FCS and preamble ...).
	Overhead int
	// Loss is the probability that a packet vanishes on the wire, each for
	// itself (Bernoulli).
	Loss float64
	// Faults take chosen packets away.
	Faults []Fault
}

// QueueLimit is the limit of a drop-tail queue. The packet in service counts.
// A dimension of 0 has no limit; with both set, both hold.
type QueueLimit struct {
	Packets int
	Bytes   int64
}

const (
	maxRate     = 1_000_000_000_000_000_000
	maxDelay    = 1 << 50
	maxOverhead = 65535
)

// Validate returns what is wrong with c, all of it.
func (c *LinkConfig) Validate() error {
	problems := []error{checkRate(c.Rate), checkDelay(c.Delay)}
	if c.Queue.Packets < 0 || c.Queue.Bytes < 0 {
		problems = append(problems, fmt.Errorf("queue limit of %d packets, %d bytes: must not be negative (0 is no limit)", c.Queue.Packets, c.Queue.Bytes))
	}
	if c.Overhead < 0 || c.Overhead > maxOverhead {
		problems = append(problems, fmt.Errorf("overhead of %d bytes: must be 0 to %d", c.Overhead, maxOverhead))
	}
	if math.IsNaN(c.Loss) || c.Loss < 0 || c.Loss > 1 {
		problems = append(problems, fmt.Errorf("loss %v: must be 0 to 1", c.Loss))
	}
	for _, f := range c.Faults {
		problems = append(problems, f.validate())
	}
	return errors.Join(problems...)
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
