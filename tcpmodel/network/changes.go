package network

import (
	"errors"
	"fmt"
	"slices"

	"tcplab/des"
)

// ChangeKind is what changes about a link.
type ChangeKind uint8

// The kinds of Change.
const (
	// ChangeRate sets the rate, as SetRate does.
	ChangeRate ChangeKind = iota
	// ChangeDelay sets the delay, as SetDelay does.
	ChangeDelay
	// LinkDown takes the link down: what is in its queue is discarded, what is
	// on the wire is lost, and what comes is dropped. What jitter or
	// reordering holds is past the wire. Routes stay.
	LinkDown
	// LinkUp takes it up again.
	LinkUp

	changeKinds = iota
)

// String returns "rate", "delay", "down" or "up".
func (k ChangeKind) String() string {
	if k < changeKinds {
		return [...]string{"rate", "delay", "down", "up"}[k]
	}
	return fmt.Sprint("kind ", uint8(k))
}

// Change is something that happens to a link at a time.
type Change struct {
	At   des.Time
	Kind ChangeKind
	// Rate is the new rate in bit/s, for ChangeRate.
	Rate int64
	// Delay is the new delay, for ChangeDelay.
	Delay des.Time
}

func validateChanges(list []Change) error {
	var problems []error
	last := des.Time(0)
	for i, c := range list {
		var err error
		switch {
		case c.At < last:
			err = errors.New("times must not be negative and not decrease")
		case c.Kind >= changeKinds:
			err = errors.New("unknown kind of change")
		case c.Kind == ChangeRate:
			err = checkRate(c.Rate)
		case c.Kind == ChangeDelay:
			err = checkDelay(c.Delay)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("change %d (%v at %v): %w", i+1, c.Kind, c.At, err))
		}
		last = c.At
	}
	return errors.Join(problems...)
}

// changes makes the changes of a link at their times.
type changes struct {
	link  *Link
	timer des.Timer
	list  []Change // still to come
}

// armChanges arms the first change. Those that lie in the past are made at once.
func armChanges(l *Link, list []Change) {
	c := &changes{link: l, list: slices.Clone(list)}
	c.timer = l.sim.NewTimer(l.component, c, 0)
	l.sim.Arm(c.timer, max(list[0].At, l.sim.Now()))
}

// HandleTimer makes the next change.
func (c *changes) HandleTimer(now des.Time, _ uint64) {
	next := c.list[0]
	if c.list = c.list[1:]; len(c.list) > 0 {
		c.link.sim.Arm(c.timer, max(c.list[0].At, now))
	}
	var err error
	switch next.Kind {
	case ChangeRate:
		err = c.link.SetRate(next.Rate)
	case ChangeDelay:
		err = c.link.SetDelay(next.Delay)
	case LinkDown, LinkUp:
		c.link.setDown(now, next.Kind == LinkDown)
	}
	if err != nil {
		panic("network: a change that was valid: " + err.Error())
	}
}
