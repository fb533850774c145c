package plots

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"tcplab/des"
	"tcplab/scenarios/measure"
)

// A ladderClock says how far down the page an instant is: to scale, except in
// pauses, which all have the same height.
type ladderClock struct {
	start    des.Time
	scale    float64 // points per nanosecond
	pauses   []ladderPause
	height   float64
	decimals int
	flight   des.Time // the usual time on the way
}

// A ladderPause is a stretch in which nothing happens and nothing is on its way.
type ladderPause struct {
	from, until des.Time
	height      float64
}

func newLadderClock(l *measure.Ladder, size float64) (ladderClock, error) {
	var at, flights []des.Time
	busyUntil := map[des.Time]des.Time{} // looked up only
	for i := range l.Passages {
		x := &l.Passages[i]
		begin, end := des.Never, des.Time(-1)
		for _, t := range []des.Time{x.Sent, x.Arrived, x.Gone} {
			if t != des.Never {
				at = append(at, t)
				begin, end = min(begin, t), max(end, t)
			}
		}
		busyUntil[begin] = max(busyUntil[begin], end)
		if x.Sent != des.Never && x.Arrived != des.Never {
			flights = append(flights, x.Arrived-x.Sent)
		}
	}
	for k := range l.States {
		for _, s := range l.States[k] {
			if s.From >= l.Start && s.From <= l.End {
				at = append(at, s.From)
			}
		}
	}
	if len(at) == 0 {
		return ladderClock{}, fmt.Errorf("%w: the connection has no event in this time", ErrNoData)
	}
	slices.Sort(at)
	slices.Sort(flights)
	c := ladderClock{start: at[0], flight: max(1, (at[len(at)-1]-at[0])/10)}
	if len(flights) > 0 {
		c.flight = max(1, flights[len(flights)/2])
	}
	c.findPauses(at, busyUntil, size)
	c.decimals = 6
	for limit := 1000 * des.Second; at[len(at)-1] >= limit && c.decimals > 0; limit *= 10 {
		c.decimals--
	}
	return c, nil
}

// findPauses finds the pauses and then the scale.
func (c *ladderClock) findPauses(at []des.Time, busyUntil map[des.Time]des.Time, size float64) {
	busy := at[0]
	active := at[len(at)-1] - at[0]
	for i, t := range at {
		if i > 0 && t > busy && t-max(busy, at[i-1]) > 3*c.flight {
			from := max(busy, at[i-1])
			c.pauses = append(c.pauses, ladderPause{from: from, until: t, height: ladderBreak * size})
			active -= t - from
		}
		busy = max(busy, busyUntil[t])
	}
	flight := usualHeight * size / math.Max(1, float64(active)) * float64(c.flight)
	flight = math.Min(mostFlight*size, math.Max(leastFlight*size, flight))
	c.scale = flight / float64(c.flight)
	c.height = float64(active)*c.scale + float64(len(c.pauses))*ladderBreak*size
}

// at is how far down an instant is, in points.
func (c *ladderClock) at(t des.Time) float64 {
	y, from := 0.0, c.start
	for i := range c.pauses {
		p := &c.pauses[i]
		if t <= p.from {
			break
		}
		y += float64(p.from-from) * c.scale
		if t < p.until {
			return y + p.height*float64(t-p.from)/float64(p.until-p.from)
		}
		y, from = y+p.height, p.until
	}
	return y + float64(t-from)*c.scale
}

func (c *ladderClock) label(t des.Time) string {
	return strconv.FormatFloat(t.Seconds(), 'f', c.decimals, 64)
}

// pauses marks pauses in both columns and says how long they are.
func (p *ladderPage) pauses() {
	for i := range p.clock.pauses {
		pause := &p.clock.pauses[i]
		top, bottom := p.y(pause.from), p.y(pause.until)
		middle := (top + bottom) / 2
		half := (top - bottom) * 0.22
		left, right := p.bars[0].Max.X, p.bars[1].Min.X
		p.d.rect(rgb(0xEFEFEF), vg.Rectangle{Min: vg.Point{X: left, Y: middle - half}, Max: vg.Point{X: right, Y: middle + half}})
		p.text(ladderText{text: p.o.Language.Phrase("pause", measure.Duration(pause.until-pause.from)), size: p.size, align: 0.5,
			at: vg.Point{X: (left + right) / 2, Y: middle - vg.Length(0.33*p.size)}, color: dark})
	}
}
