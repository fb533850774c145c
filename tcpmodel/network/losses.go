package network

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// GilbertElliott is loss in bursts: a chain with a good and a bad state, which
// takes one step per packet (Gilbert 1960, Elliott 1963). A packet is lost with
// the probability of the state in which it finds the chain, which starts in the
// good one. In the long run the fraction of packets in the bad state is
// GoodToBad/(GoodToBad+BadToGood). The zero value loses nothing.
type GilbertElliott struct {
	// GoodToBad and BadToGood are the probabilities to change the state after
	// a packet.
	GoodToBad, BadToGood float64
	// LossGood and LossBad are the probabilities that a packet is lost in the
	// good and in the bad state. 0 and 1 are Gilbert's model: bursts have the
	// mean length 1/BadToGood.
	LossGood, LossBad float64
}

func (g GilbertElliott) validate() error {
	return errors.Join(
		checkProbability("Gilbert-Elliott: probability of good to bad", g.GoodToBad),
		checkProbability("Gilbert-Elliott: probability of bad to good", g.BadToGood),
		checkProbability("Gilbert-Elliott: loss in the good state", g.LossGood),
		checkProbability("Gilbert-Elliott: loss in the bad state", g.LossBad))
}

func checkProbability(what string, p float64) error {
	if math.IsNaN(p) || p < 0 || p > 1 {
		return fmt.Errorf("%s %v: must be 0 to 1", what, p)
	}
	return nil
}

// chance is a probability: a draw of 53 bits below it is a hit.
type chance uint64

func newChance(p float64) chance { return chance(p * (1 << 53)) }

func (c chance) hits(r *rand.Rand) bool { return r.Uint64()>>11 < uint64(c) }

// losses decides which packets vanish on the wire of a link.
type losses struct {
	bernoulli    chance
	bernoulliRNG *rand.Rand

	gilbert    bool
	change     [2]chance // by state
	lose       [2]chance
	bad        int
	gilbertRNG *rand.Rand

	period, phase int
}

// newLosses returns the losses of the parts that are not zero, nil if all are.
func newLosses(sim *des.Sim, name string, loss float64, g GilbertElliott, period int) *losses {
	if newChance(loss) == 0 && g == (GilbertElliott{}) && period == 0 {
		return nil
	}
	l := &losses{period: period}
	if l.bernoulli = newChance(loss); l.bernoulli > 0 {
		l.bernoulliRNG = sim.Stream("loss of link " + name)
	}
	if g != (GilbertElliott{}) {
		l.gilbert = true
		l.change = [2]chance{newChance(g.GoodToBad), newChance(g.BadToGood)}
		l.lose = [2]chance{newChance(g.LossGood), newChance(g.LossBad)}
		l.gilbertRNG = sim.Stream("Gilbert-Elliott loss of link " + name)
	}
	return l
}

// next reports whether the next packet is lost. Every part counts every packet.
func (l *losses) next() bool {
	lost := l.bernoulli > 0 && l.bernoulli.hits(l.bernoulliRNG)
	if l.gilbert {
		lost = l.lose[l.bad].hits(l.gilbertRNG) || lost
		if l.change[l.bad].hits(l.gilbertRNG) {
			l.bad ^= 1
		}
	}
	if l.period > 0 {
		if l.phase++; l.phase == l.period {
			l.phase = 0
			lost = true
		}
	}
	return lost
}

// LossConfig is what a Lossy element loses. Each field is as in LinkConfig.
type LossConfig struct {
	Loss       float64
	Gilbert    GilbertElliott
	LossPeriod int
}

// Validate returns what is wrong with c, all of it.
func (c *LossConfig) Validate() error {
	problems := []error{checkProbability("loss", c.Loss), c.Gilbert.validate()}
	if c.LossPeriod < 0 {
		problems = append(problems, fmt.Errorf("loss period of %d packets: must not be negative (0 is none)", c.LossPeriod))
	}
	return errors.Join(problems...)
}

// Lossy is an element that loses packets at once.
type Lossy struct {
	Element
	losses *losses
}

// NewLossy returns a Lossy that passes to next what it does not lose. The name
// must be unique among the links and elements of the simulation.
func NewLossy(sim *des.Sim, name string, config LossConfig, next Sink) (*Lossy, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("lossy %s: %w", name, err)
	}
	e := &Lossy{Element: Element{next: next}, losses: newLosses(sim, name, config.Loss, config.Gilbert, config.LossPeriod)}
	return e, nil
}

// Receive loses a packet or passes it on.
func (e *Lossy) Receive(now des.Time, seg *segment.Segment) {
	e.flow.In.add(seg.IPLen())
	if e.losses != nil && e.losses.next() {
		e.flow.Lost.add(seg.IPLen())
		return
	}
	e.pass(now, seg)
}
