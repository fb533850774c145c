package capture

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strconv"

	"tcplab/des"
	"tcplab/tcpmodel/segment"
)

// DefaultHold is how many packets a Writer keeps before it writes them.
const DefaultHold = 4096

// Direction is the way of a packet at its vantage point.
type Direction uint8

// The directions, numbered as in the flags of a pcapng packet.
const (
	Unknown Direction = iota
	In
	Out
)

// Interface is one vantage point of a capture.
type Interface struct {
	// Name is shown as the name of the interface: the host's name.
	Name string
	// Description says more, "" for nothing.
	Description string
}

// HostName is the name of the host behind an IPv4 address.
type HostName struct {
	Addr netip.Addr
	Name string
}

// WriterOptions are what a Writer can be told.
type WriterOptions struct {
	// Tool is the name and version of the program, such as "tcplab 0.3".
	Tool string
	// Comment is about the whole capture, such as the scenario and its seed.
	Comment string
	// Snaplen is the number of bytes kept of each packet, 0 for all.
	Snaplen uint32
	// Hold is the number of packets that are kept back, so that what is
	// learned later (Note) can be said of them; 0 means DefaultHold.
	Hold int
	// Names are shown in place of addresses.
	Names []HostName
}

// Flow names one connection from the point of view of a host.
type Flow struct {
	Local, Remote         segment.Node
	LocalPort, RemotePort uint16
}

// Place says to which packet of the same flow and instant a change of state
// belongs.
type Place uint8

const (
	// OfLast is the packet before: the segment that arrived caused the change.
	OfLast Place = iota
	// OfNext is the packet after: a call of the user or a timer caused the
	// change, and the segment that tells the peer follows.
	OfNext
)

// Writer writes a pcapng file: raw IPv4 packets with right checksums, stamped
// in nanoseconds of simulated time since 1970-01-01, one interface for each
// vantage point. The same calls write the same bytes.
//
// The last packets (WriterOptions.Hold) are kept back until Close, which bounds
// memory and lets Note speak of packets that are still under way. A Writer
// allocates nothing once these places are filled.
//
// After a first error all calls do nothing; Err and Close return the error.
type Writer struct {
	out        *bufio.Writer
	addrs      *segment.Addresses
	interfaces []pendingState
	snaplen    int
	slots      []held
	hold       int
	first      int // oldest in slots, once they are full
	last       des.Time
	count      int // packets given
	written    int
	unattached int
	err        error
	closed     bool
	packet     []byte
	block      []byte
}

// held is a packet that is not written yet.
type held struct {
	seg     segment.Segment
	at      des.Time
	iface   uint32
	dir     Direction
	real    bool // payload holds the bytes
	comment []byte
	payload []byte
}

// pendingState is a change of state at an interface that waits for its packet.
type pendingState struct {
	name string
	flow Flow
	at   des.Time
	last bool // may go to the packet before
	text []byte
}

// NewWriter starts a capture. addrs gives the addresses of the nodes and is
// read until Close. interfaces are numbered from 0 in the order given.
func NewWriter(w io.Writer, addrs *segment.Addresses, interfaces []Interface, o WriterOptions) (*Writer, error) {
	if len(interfaces) == 0 {
		return nil, fmt.Errorf("capture: no vantage point: name at least one host")
	}
	if o.Hold <= 0 {
		o.Hold = DefaultHold
	}
	writer := &Writer{out: bufio.NewWriterSize(w, 1<<16), addrs: addrs, snaplen: int(o.Snaplen), hold: o.Hold}
	head := appendSection(nil, o.Tool, o.Comment)
	for _, i := range interfaces {
		head = appendInterface(head, i.Name, i.Description, o.Snaplen)
		writer.interfaces = append(writer.interfaces, pendingState{name: i.Name})
	}
	if len(o.Names) > 0 {
		for _, n := range o.Names {
			if !n.Addr.Is4() {
				return nil, fmt.Errorf("capture: %s has the address %v, which is not IPv4", n.Name, n.Addr)
			}
		}
		head = appendNames(head, o.Names)
	}
	if _, err := writer.out.Write(head); err != nil {
		return nil, fmt.Errorf("capture: header: %w", err)
	}
	return writer, nil
}

// Packet adds a packet that passed interface iface at now. Times do not
// decrease from call to call. comment is kept with the packet, "" for none.
// What s holds is copied.
func (w *Writer) Packet(iface int, now des.Time, dir Direction, s *segment.Segment, comment string) {
	if slot := w.slot(iface, now, s); slot != nil {
		slot.dir = dir
		slot.comment = appendComment(slot.comment, comment)
		w.settle(iface, now, slot)
	}
}

// PacketPayload is Packet for a segment whose payload lies in an arena; its
// bytes are copied.
func (w *Writer) PacketPayload(iface int, now des.Time, dir Direction, s *segment.Segment, payload []byte, comment string) {
	w.Packet(iface, now, dir, s, comment)
	if w.err == nil && !w.closed {
		slot := w.newest(0)
		slot.real = true
		slot.payload = append(slot.payload[:0], payload...)
	}
}

// State adds a change of state of a connection at interface iface to the
// comment of a packet of that connection at the same instant. If there is none,
// it waits for the next packet of the connection, until another connection of
// the interface has one that waits; then it is counted in Unattached: a capture
// shows packets only.
func (w *Writer) State(iface int, now des.Time, flow Flow, from, to, why string, place Place) {
	if w.err != nil || w.closed {
		return
	}
	p := &w.interfaces[iface]
	if p.at != now || p.flow != flow {
		w.expire(iface)
	}
	if place == OfLast && len(p.text) == 0 {
		if slot := w.match(iface, now, flow); slot != nil {
			slot.comment = appendState(separate(slot.comment), p.name, from, to, why)
			return
		}
	}
	p.flow, p.at, p.last = flow, now, place == OfNext
	p.text = appendState(separate(p.text), p.name, from, to, why)
}

// Note adds text to the comment of the newest packet at interface iface that
// equals s but for its ECN field: what became of it on the way, a drop or a
// loss. It reports whether there was such a packet among those that are kept
// back; if not, the note is counted in Unattached.
func (w *Writer) Note(iface int, s *segment.Segment, text string) bool {
	if w.err != nil || w.closed {
		return false
	}
	for i := range w.slots {
		slot := w.newest(i)
		if slot.iface == uint32(iface) && same(&slot.seg, s) {
			slot.comment = appendComment(slot.comment, text)
			return true
		}
	}
	w.unattached++
	return false
}

// Packets returns how many packets have been added.
func (w *Writer) Packets() int { return w.count }

// Unattached returns how many changes of state and notes found no packet.
func (w *Writer) Unattached() int { return w.unattached }

// Err returns the first error, nil if there was none.
func (w *Writer) Err() error { return w.err }

// Close writes what is kept back and returns the first error of all. It does
// not close the underlying writer. A second Close does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	for i := range w.interfaces {
		w.expire(i)
	}
	for n := len(w.slots); n > 0 && w.err == nil; n-- {
		w.write(w.newest(n - 1))
	}
	w.closed = true
	if err := w.out.Flush(); err != nil && w.err == nil {
		w.err = fmt.Errorf("capture: end of file after %d packets: %w", w.written, err)
	}
	return w.err
}

// slot returns the place of a new packet; it writes the packet that was there.
func (w *Writer) slot(iface int, now des.Time, s *segment.Segment) *held {
	if w.err != nil || w.closed {
		return nil
	}
	if now < w.last {
		w.err = fmt.Errorf("capture: packet %d is of %v, before the one at %v", w.count+1, now, w.last)
		return nil
	}
	w.last = now
	w.count++
	if len(w.slots) < w.hold {
		w.slots = append(w.slots, held{})
	} else {
		w.write(&w.slots[w.first])
		w.first++
		if w.first == len(w.slots) {
			w.first = 0
		}
	}
	slot := w.newest(0)
	slot.seg, slot.at, slot.iface, slot.real = *s, now, uint32(iface), false
	slot.comment = slot.comment[:0]
	return slot
}

// newest returns the i-th packet that is kept back, 0 for the newest.
func (w *Writer) newest(i int) *held {
	at := w.first - 1 - i
	if at < 0 {
		at += len(w.slots)
	}
	return &w.slots[at]
}

// match returns the newest packet of a flow at interface iface at the instant at.
func (w *Writer) match(iface int, at des.Time, flow Flow) *held {
	for i := range w.slots {
		slot := w.newest(i)
		if slot.at < at {
			return nil
		}
		if slot.at == at && slot.iface == uint32(iface) && flow.has(&slot.seg) {
			return slot
		}
	}
	return nil
}

// settle gives the new packet in slot the change of state that waits for it; if
// that happened earlier, with the time.
func (w *Writer) settle(iface int, now des.Time, slot *held) {
	p := &w.interfaces[iface]
	if len(p.text) == 0 || !p.flow.has(&slot.seg) {
		return
	}
	slot.comment = append(separate(slot.comment), p.text...)
	if p.at != now {
		slot.comment = append(slot.comment, " at "...)
		slot.comment = strconv.AppendFloat(slot.comment, p.at.Seconds(), 'f', 9, 64)
		slot.comment = append(slot.comment, " s"...)
	}
	p.text = p.text[:0]
}

// expire gives up waiting for a packet.
func (w *Writer) expire(iface int) {
	p := &w.interfaces[iface]
	if len(p.text) == 0 {
		return
	}
	var slot *held
	if p.last {
		slot = w.match(iface, p.at, p.flow)
	}
	if slot == nil {
		w.unattached++
	} else {
		slot.comment = append(separate(slot.comment), p.text...)
	}
	p.text = p.text[:0]
}

func (w *Writer) write(slot *held) {
	if w.err != nil {
		return
	}
	var err error
	if slot.real {
		w.packet, err = segment.EncodePayload(w.packet[:0], &slot.seg, w.addrs, slot.payload)
	} else {
		w.packet, err = segment.Encode(w.packet[:0], &slot.seg, w.addrs)
	}
	if err == nil {
		length, captured := len(w.packet), len(w.packet)
		if w.snaplen > 0 {
			captured = min(captured, w.snaplen)
		}
		b := appendPacketHeader(w.block[:0], slot.iface, uint64(slot.at), captured, length)
		b = pad(append(b, w.packet[:captured]...), 0)
		b = appendOption(b, optComment, slot.comment)
		if slot.dir != Unknown {
			b = le32(append(b, optFlags, 0, 4, 0), uint32(slot.dir))
		}
		w.block = endBlock(endOptions(b), 0)
		_, err = w.out.Write(w.block)
	}
	if err != nil {
		w.err = fmt.Errorf("capture: packet %d of interface %q at %v: %w",
			w.written+1, w.interfaces[slot.iface].name, slot.at, err)
		return
	}
	w.written++
}

func (f Flow) has(s *segment.Segment) bool {
	out := s.Src == f.Local && s.SrcPort == f.LocalPort && s.Dst == f.Remote && s.DstPort == f.RemotePort
	in := s.Dst == f.Local && s.DstPort == f.LocalPort && s.Src == f.Remote && s.SrcPort == f.RemotePort
	return out || in
}

// same reports whether a and b are one packet, which a router may have marked.
func same(a, b *segment.Segment) bool {
	return a.Seq == b.Seq && a.Ack == b.Ack && a.Len == b.Len && a.Src == b.Src && a.Dst == b.Dst &&
		a.SrcPort == b.SrcPort && a.DstPort == b.DstPort && a.Kind == b.Kind && a.Flags == b.Flags &&
		a.Wnd == b.Wnd && a.TSVal == b.TSVal && a.TSEcr == b.TSEcr && a.NumSACK == b.NumSACK && a.SACK == b.SACK
}

func appendComment(b []byte, text string) []byte {
	if text == "" {
		return b
	}
	return append(separate(b), text...)
}

func separate(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	return append(b, "; "...)
}

func appendState(b []byte, host, from, to, why string) []byte {
	b = append(append(b, host...), ": "...)
	b = append(append(append(b, from...), " > "...), to...)
	if why != "" {
		b = append(append(append(b, " ("...), why...), ')')
	}
	return b
}
