package tcpmodel_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// What is compared, the most telling first.
const (
	aspectSequence = "sequence" // flags but PSH, numbers, lengths, options, loss
	aspectPush     = "push"
	aspectWindow   = "window"
	aspectEvents   = "events" // of the applications, in order
	aspectTime     = "time"
	aspectEcho     = "echo" // which time stamps are echoed
)

// Tolerances in ms. The applications and the link of the recordings take some
// time for everything; an action that follows from an arrival may be late by a
// tick of the scheduler, that of an application by more: the machine was busy.
const (
	clockNoise  = 0.6
	reaction    = 5.5
	application = 40
	jiffy       = 4
	pollOfState = 105
	pollOfQueue = 13
)

// direction returns the packets that go one way, in the order of leaving.
func (r *kernelRun) direction(dir byte) (out []*kernelPacket) {
	for i := range r.packets {
		if r.packets[i].dir == dir {
			out = append(out, &r.packets[i])
		}
	}
	return out
}

// compareRuns returns what differs between the simulation and a recording, by
// aspect. Where the sequences differ nothing else is compared.
func compareRuns(sim, rec *kernelRun) map[string]string {
	diffs := map[string]string{}
	note := func(aspect, format string, args ...any) {
		if diffs[aspect] == "" {
			diffs[aspect] = fmt.Sprintf(format, args...)
		}
	}
	for _, dir := range []byte("><!") {
		s, g := sim.direction(dir), rec.direction(dir)
		for i := range max(len(s), len(g)) {
			switch {
			case i >= len(s):
				note(aspectSequence, "the kernel sends %v", g[i])
				continue
			case i >= len(g):
				note(aspectSequence, "the kernel does not send %v", s[i])
				continue
			case s[i].essence() != g[i].essence():
				note(aspectSequence, "%v, kernel %v", s[i], g[i])
			case s[i].flags != g[i].flags:
				note(aspectPush, "%v, kernel %v", s[i], g[i])
			}
			if s[i].window != g[i].window {
				note(aspectWindow, "%v, kernel %v", s[i], g[i])
			}
		}
	}
	if why := diffs[aspectSequence]; why != "" {
		return map[string]string{aspectSequence: why}
	}
	compareEvents(sim, rec, note)
	compareTimes(sim, rec, note)
	compareEchoes(sim, rec, note)
	return diffs
}

func (k *kernelPacket) essence() string {
	return fmt.Sprintf("%c %s %d %d %v %d %s %v %v", k.dir, strings.ReplaceAll(k.flags, "P", ""), k.seq, k.ack, k.hasAck, k.len, k.options, k.stamped, k.lost)
}

func (k *kernelPacket) String() string {
	ack, ts, lost := "", "", ""
	if k.hasAck {
		ack = fmt.Sprintf(" ack %d", k.ack)
	}
	if k.stamped {
		ts = fmt.Sprintf(" ts %d/%d", k.tsVal, k.tsEcr)
	}
	if k.lost {
		lost = " lost"
	}
	return strings.TrimRight(fmt.Sprintf("%9.2f %c %-2s %d(%d)%s win %d%s %s", k.sent, k.dir, k.flags, k.seq, k.len, ack, k.window, ts, k.options), " ") + lost
}

// compareEvents compares what the applications saw, host by host. States were
// polled, so that short ones may be missing in the recording.
func compareEvents(sim, rec *kernelRun, note func(string, string, ...any)) {
	by := func(r *kernelRun) map[string][]string {
		m := map[string][]string{}
		for i := range r.events {
			if e := &r.events[i]; !strings.Contains(e.who, "_") && e.what != "bind_same_port_ok" {
				m[e.who] = append(m[e.who], e.name())
			}
		}
		return m
	}
	s, g := by(sim), by(rec)
	for _, who := range []string{"client", "server", "attacker", "link"} {
		if !slices.Equal(s[who], g[who]) {
			note(aspectEvents, "%v, kernel %v", s[who], g[who])
		}
	}
	for i := range rec.events {
		e := &rec.events[i]
		if strings.Contains(e.who, "_") && findEvent(sim, e.name(), 0) == nil {
			note(aspectEvents, "no event %s", e.name())
		}
	}
}

func findEvent(r *kernelRun, name string, nth int) *kernelEvent {
	for i := range r.events {
		if r.events[i].name() == name {
			if nth == 0 {
				return &r.events[i]
			}
			nth--
		}
	}
	return nil
}

// moment is something that happened at one host.
type moment struct {
	order     int
	sim, real float64
	arrival   bool
	slack     float64
	what      fmt.Stringer
}

type said string

func (s said) String() string { return string(s) }

// momentsAt pairs what happened at a host in the simulation and in the
// recording.
func momentsAt(side int, sim, rec *kernelRun) (out []moment) {
	own, name := "><"[side], []string{"client", "server"}[side]
	for _, dir := range []byte("><!") {
		s, g := sim.direction(dir), rec.direction(dir)
		for i := range s {
			if dir == own {
				out = append(out, moment{s[i].order, s[i].sent, g[i].sent, false, 0, s[i]})
			} else if !s[i].lost && (dir != '!' || side == 1) {
				out = append(out, moment{s[i].handled, s[i].delivered, g[i].delivered, true, 0, s[i]})
			}
		}
	}
	count := map[string]int{}
	for i := range rec.events {
		e := &rec.events[i]
		n := count[e.name()]
		count[e.name()]++
		match := findEvent(sim, e.name(), n)
		if match == nil || !strings.HasPrefix(e.who, name) {
			continue
		}
		m := moment{match.order, match.at, e.at, false, 0, said(e.name())}
		switch {
		case e.what == "states":
			m.slack = pollOfState
		case e.what == "all_acked":
			m.slack = pollOfQueue
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b moment) int { return cmp.Compare(a.order, b.order) })
	return out
}

// wheel is by how much the kernel's timer wheel at 250 Hz may delay a timer of
// that length, in ms: a granule and two ticks, and as much as back-off makes of
// the rounding of the timeout to a tick.
func wheel(length float64) float64 {
	granule := 4.0
	for span := 63 * 4.0; span < length+granule; span *= 8 {
		granule *= 8
	}
	return granule + 2*jiffy + length*jiffy/200
}

// compareTimes holds the times of the simulation, where timers are exact and
// applications take no time, against the recording. What answers an arrival
// comes as late as that did, and somewhat more. What a timer does comes not
// earlier, and later by no more than the wheel's granule.
func compareTimes(sim, rec *kernelRun, note func(string, string, ...any)) {
	for side := range 2 {
		lo, hi := 0.0, 0.0 // how late the host may be
		trigger := math.Inf(-1)
		base, last, previous := 0.0, 0.0, 0.0
		answer := reaction // how long an answer to the last arrival may take
		for i, m := range momentsAt(side, sim, rec) {
			late := m.real - m.sim
			if m.sim != last {
				previous, last = last, m.sim
			}
			switch {
			case m.arrival:
				trigger, base, answer = m.sim, late, reaction
			case i == 0:
			case m.sim == trigger:
				if _, app := m.what.(said); app {
					answer = application
				}
				if late < base-clockNoise || late > base+answer+m.slack {
					note(aspectTime, "%v: %.2f ms after an arrival in the kernel", m.what, late-base)
				}
			case late < lo-clockNoise:
				note(aspectTime, "%v: at %.2f in the kernel, too early by %.2f ms", m.what, m.real, lo-late)
			case late > hi+wheel(m.sim-previous)+m.slack:
				note(aspectTime, "%v: at %.2f in the kernel, late by %.2f ms beyond a wheel of %.0f ms", m.what, m.real, late-hi, wheel(m.sim-previous))
			}
			if m.slack == pollOfState {
				continue
			}
			if i == 0 {
				lo, hi = late, late
			}
			lo, hi = min(lo, late), max(hi, late)
		}
	}
}

// compareEchoes looks whether the same segment's time stamp is echoed, and
// whether the clock of time stamps is that of the packets.
func compareEchoes(sim, rec *kernelRun, note func(string, string, ...any)) {
	for side := range 2 {
		s, g := sim.direction("><"[side]), rec.direction("><"[side])
		peerSim, peerRec := sim.direction("><"[1-side]), rec.direction("><"[1-side])
		for i := range s {
			if !s[i].stamped {
				continue
			}
			if want := float64(s[i].tsVal) + (g[i].sent - s[i].sent) - (g[0].sent - s[0].sent); math.Abs(float64(g[i].tsVal)-want) > 2 {
				note(aspectEcho, "%v: time stamp %d in the kernel", s[i], g[i].tsVal)
			}
			if s[i].tsEcr == g[i].tsEcr {
				continue
			}
			found := false
			for j := range peerSim {
				if peerSim[j].stamped && peerSim[j].tsVal == s[i].tsEcr {
					found = found || math.Abs(float64(peerRec[j].tsVal)-float64(g[i].tsEcr)) <= 1
				}
			}
			if !found {
				note(aspectEcho, "%v: echo of %d in the kernel", s[i], g[i].tsEcr)
			}
		}
	}
}

// sideBySide prints both ladders, packet for packet of each direction.
func sideBySide(sim, rec *kernelRun) string {
	type row struct {
		at   float64
		s, g *kernelPacket
	}
	var rows []row
	for _, dir := range []byte("><!") {
		s, g := sim.direction(dir), rec.direction(dir)
		for i := range max(len(s), len(g)) {
			var r row
			if i < len(s) {
				r.s, r.at = s[i], s[i].sent
			}
			if i < len(g) {
				r.g, r.at = g[i], g[i].sent
			}
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.at, b.at) })
	var b strings.Builder
	fmt.Fprintf(&b, "  %-86s %s\n", "kernel", "simulation")
	for _, r := range rows {
		g, s, mark := "", "", " "
		if r.g != nil {
			g = r.g.String()
		}
		if r.s != nil {
			s = r.s.String()
		}
		switch {
		case r.g == nil || r.s == nil || r.g.essence() != r.s.essence():
			mark = "*"
		case r.g.flags != r.s.flags:
			mark = "p"
		case r.g.window != r.s.window:
			mark = "w"
		}
		fmt.Fprintf(&b, "%s %-86s %s\n", mark, g, s)
	}
	return b.String()
}
