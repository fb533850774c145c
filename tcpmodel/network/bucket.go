package network

import (
	"errors"
	"fmt"
	"math/bits"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// TokenBucket describes a token bucket. The zero value is none.
type TokenBucket struct {
	// Rate is at which tokens come, in bit/s; 0 is no bucket.
	Rate int64
	// Burst is the depth in bytes. The bucket is full at first.
	Burst int64
	// Tick is how often tokens come: Rate*Tick of them at every multiple of
	// Tick, as in devices that refill by a timer. 0 is continuously.
	Tick des.Time
}

// maxBurst keeps the level of a bucket within 63 bits of nanobits.
const maxBurst = 1 << 30

// Validate returns what is wrong with b, all of it.
func (b TokenBucket) Validate() error {
	if b == (TokenBucket{}) {
		return nil
	}
	var problems []error
	if b.Rate < 1 || b.Rate > maxRate {
		problems = append(problems, fmt.Errorf("rate of %d bit/s: must be 1 to 10^18", b.Rate))
	}
	if b.Burst < 1 || b.Burst > maxBurst {
		problems = append(problems, fmt.Errorf("burst of %d bytes: must be 1 to %d", b.Burst, maxBurst))
	}
	if b.Tick < 0 || b.Tick > des.Minute {
		problems = append(problems, fmt.Errorf("tick of %v: must be 0 (continuous) to 1m0s", b.Tick))
	}
	if len(problems) == 0 && uint64(b.Burst)*nanobits/uint64(b.Rate) > maxDelay {
		problems = append(problems, fmt.Errorf("burst of %d bytes at %d bit/s: must fill within %v", b.Burst, b.Rate, des.Time(maxDelay)))
	}
	return errors.Join(problems...)
}

// Bucket is a token bucket. Its arithmetic is exact: tokens are counted in
// bit/s times nanoseconds.
type Bucket struct {
	rate, depth, level uint64
	tick               des.Time
	start, last        des.Time

	spent, overflow wide
}

// wide is a 128-bit number.
type wide struct{ hi, lo uint64 }

func (w wide) plus(hi, lo uint64) wide {
	sum, carry := bits.Add64(w.lo, lo, 0)
	return wide{w.hi + hi + carry, sum}
}

// NewBucket returns a full bucket. It panics if config is not valid or has no
// rate.
func NewBucket(config TokenBucket, now des.Time) *Bucket {
	if err := config.Validate(); err != nil || config.Rate == 0 {
		panic(fmt.Sprintf("network: token bucket %+v: %v", config, err))
	}
	depth := uint64(config.Burst) * nanobits
	b := &Bucket{rate: uint64(config.Rate), depth: depth, level: depth, tick: config.Tick}
	b.start = b.granted(now)
	b.last = b.start
	return b
}

// granted returns the last instant up to now at which tokens came.
func (b *Bucket) granted(now des.Time) des.Time {
	if b.tick > 0 {
		return now - now%b.tick
	}
	return now
}

// refill brings the level up to now, which may be before the last call.
func (b *Bucket) refill(now des.Time) {
	now = b.granted(now)
	if now <= b.last {
		return
	}
	hi, lo := bits.Mul64(b.rate, uint64(now-b.last))
	b.last = now
	if room := b.depth - b.level; hi > 0 || lo > room {
		over, borrow := bits.Sub64(lo, room, 0)
		b.overflow = b.overflow.plus(hi-borrow, over)
		b.level = b.depth
		return
	}
	b.level += lo
}

func (b *Bucket) spend(bytes uint32) {
	work := uint64(bytes) * nanobits
	b.level -= work
	b.spent = b.spent.plus(0, work)
}

// Take spends bytes of tokens if there are as many, and reports whether. Times
// must not decrease.
func (b *Bucket) Take(now des.Time, bytes uint32) bool {
	b.refill(now)
	if b.level < uint64(bytes)*nanobits {
		return false
	}
	b.spend(bytes)
	return true
}

// Wait spends bytes of tokens as soon as there are as many, and returns when
// that is: at from or later, rounded up to the nanosecond. Until then nothing
// else can be spent. It panics if bytes are more than the bucket holds.
func (b *Bucket) Wait(from des.Time, bytes uint32) des.Time {
	work := uint64(bytes) * nanobits
	if work > b.depth {
		panic(fmt.Sprintf("network: %d bytes of a token bucket of %d", bytes, b.depth/nanobits))
	}
	from = max(from, b.last)
	b.refill(from)
	if missing := work - b.level; b.level < work {
		per := b.rate
		if b.tick > 0 {
			hi, lo := bits.Mul64(b.rate, uint64(b.tick))
			if per = lo; hi > 0 {
				per = 1<<64 - 1
			}
		}
		times := des.Time((missing-1)/per + 1)
		from = b.last + times*max(b.tick, 1)
		b.refill(from)
	}
	b.spend(bytes)
	return from
}

// Level returns how many whole bytes of tokens there are.
func (b *Bucket) Level(now des.Time) int64 {
	b.refill(now)
	return int64(b.level / nanobits)
}

// Check returns an error unless all tokens are accounted for: those at first
// and those that came are the ones that were spent, that ran over and that are
// left.
func (b *Bucket) Check() error {
	hi, lo := bits.Mul64(b.rate, uint64(b.last-b.start))
	came := wide{hi, lo}.plus(0, b.depth)
	gone := b.spent.plus(b.overflow.hi, b.overflow.lo).plus(0, b.level)
	if came != gone {
		return fmt.Errorf("token bucket: %v tokens came, but %v were spent, ran over or are left", came, gone)
	}
	return nil
}

// Policer is an element that loses at once what finds too few tokens.
type Policer struct {
	Element
	bucket *Bucket
}

// NewPolicer returns a Policer that passes to next what conforms. Packets cost
// their IP length.
func NewPolicer(sim *des.Sim, name string, config TokenBucket, next Sink) (*Policer, error) {
	err := config.Validate()
	if err == nil && config.Rate == 0 {
		err = errors.New("needs a rate and a burst")
	}
	if err != nil {
		return nil, fmt.Errorf("policer %s: %w", name, err)
	}
	return &Policer{Element: Element{next: next}, bucket: NewBucket(config, sim.Now())}, nil
}

// Bucket returns the tokens of the policer.
func (p *Policer) Bucket() *Bucket { return p.bucket }

// Receive passes on a packet that conforms.
func (p *Policer) Receive(now des.Time, seg *segment.Segment) {
	size := seg.IPLen()
	p.flow.In.add(size)
	if !p.bucket.Take(now, size) {
		p.flow.Lost.add(size)
		return
	}
	p.pass(now, seg)
}

// shaper is the service of a link that sends a packet when there are tokens for
// it, at the rate of the link.
type shaper struct {
	link   *Link
	bucket Bucket
}

func (s *shaper) rate() int64 { return int64(s.bucket.rate) }

func (s *shaper) serve(start des.Time, size uint32, _ bool) (begin, end des.Time) {
	begin = s.bucket.Wait(start, size)
	if begin > start {
		s.link.remainder = 0
	}
	s.link.serve(begin, size)
	return begin, s.link.finish
}
