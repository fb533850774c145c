package workload

import (
	"errors"
	"fmt"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/congestion"
	"tcplab/tcpmodel/segment"
)

// Bulk is the configuration of a transfer as fast as TCP allows.
type Bulk struct {
	To          quantity.Address  `key:"to" doc:"Host and port to send to; if nothing listens there, a sink is made." required:"true"`
	Size        quantity.Size     `key:"size" doc:"Bytes to send on each connection; left out, without end."`
	Connections int               `key:"connections" doc:"Connections side by side." default:"1" min:"1"`
	Start       quantity.Duration `key:"start" doc:"When the connections are opened." default:"0s" instant:"true"`
	Stop        quantity.Duration `key:"stop" doc:"When the sender closes, after what it has written until then; left out, at the end of the run." instant:"true"`
	Congestion  string            `key:"congestion" doc:"TCP_CONGESTION of the sender; left out, the stack's." example:"reno"`
	SndBuf      quantity.Size     `key:"sndbuf" doc:"SO_SNDBUF of the sender; left out, the stack's."`
	NoDelay     bool              `key:"nodelay" doc:"TCP_NODELAY at the sender." default:"false"`
	Socket      Socket            `key:"socket" doc:"Options of the sender's sockets." example:"{tcp_notsent_lowat: 16KiB}"`
}

// Provides is the address at which a sink is made if nothing listens there.
func (c *Bulk) Provides() quantity.Address { return c.To }

// Flows is the number of its connections, which figures may name.
func (c *Bulk) Flows() (n int, shown bool) { return c.Connections, true }

// Build makes the workload.
func (c *Bulk) Build(name string, on quantity.Host) (Workload, error) {
	if c.Size < 0 || c.SndBuf < 0 {
		return nil, errors.New("size and sndbuf: must not be negative")
	}
	if c.Connections < 1 {
		return nil, fmt.Errorf("connections: %d is less than 1", c.Connections)
	}
	if c.Stop != 0 && c.Stop <= c.Start {
		return nil, fmt.Errorf("stop: %v is not after start (%v)", c.Stop, c.Start)
	}
	if c.Congestion != "" {
		if _, err := congestion.New(c.Congestion); err != nil {
			return nil, fmt.Errorf("congestion: %w", err)
		}
	}
	if err := c.Socket.check(false); err != nil {
		return nil, err
	}
	b := &bulk{base: base{name: name, on: on}, config: *c, reader: c.Socket.reader()}
	b.options = tcpmodel.SocketOptions{NoDelay: c.NoDelay, Congestion: c.Congestion, SndBuf: int(c.SndBuf)}
	c.Socket.apply(&b.options)
	return b, nil
}

// Which timer of a bulk transfer fired.
const (
	bulkStart = iota
	bulkStop
)

type bulk struct {
	base
	reader
	options tcpmodel.SocketOptions
	config  Bulk
	node    segment.Node
	sink    *sink
	timers  [2]des.Timer
	conns   []bulkConn
	flows   []flow
	all     *bulkTotal
	failed  *measure.Counter
}

// bulkTotal is what the transfers of one name have in common.
type bulkTotal struct {
	*measure.Transfer
	flows   int
	running int // flows that have not ended
	whole   int // flows that arrived in full
	members []*bulk
}

// windows returns the sum of the congestion windows and how many there are.
func (t *bulkTotal) windows() (sum, count int) {
	for _, b := range t.members {
		for i := range b.conns {
			if ep := b.conns[i].ep; ep != nil {
				sum += int(ep.Info().SndCwnd)
				count++
			}
		}
	}
	return sum, count
}

// bulkConn is the sending end of a connection.
type bulkConn struct {
	ep     *tcpmodel.Endpoint
	left   int64
	closed bool
}

func (b *bulk) prepare(*World) error { return nil }

func (b *bulk) start(w *World) (err error) {
	if err = b.begin(w); err != nil {
		return err
	}
	if b.node, err = w.peer(b.config.To); err != nil {
		return err
	}
	if b.sink, err = w.sinkAt(b.config.To); err != nil {
		return err
	}
	b.band(w, b.config.Start, b.end(b.config.Stop))
	b.all = share(w, b.name, "goodput", func() *bulkTotal {
		total := &bulkTotal{Transfer: w.Recorder.Transfer("bulk", b.name)}
		w.Recorder.Readings("bulk", b.name, "cwnd_mean", total.windows)
		return total
	})
	b.all.members = append(b.all.members, b)
	b.all.flows += b.config.Connections
	b.all.running += b.config.Connections
	b.failed = w.count("bulk", b.name, "failed")
	b.conns = make([]bulkConn, b.config.Connections)
	b.flows = make([]flow, b.config.Connections)
	for which := range b.timers {
		b.timers[which] = b.sim.NewTimer(b.component, b, uint64(which))
	}
	if des.Time(b.config.Start) < b.until {
		b.sim.Arm(b.timers[bulkStart], des.Time(b.config.Start))
	}
	if b.config.Stop != 0 && des.Time(b.config.Stop) < b.until {
		b.sim.Arm(b.timers[bulkStop], des.Time(b.config.Stop))
	}
	w.Recorder.OnFinish(b.snapshot)
	return nil
}

// HandleTimer opens the connections and closes them.
func (b *bulk) HandleTimer(now des.Time, which uint64) {
	if which == bulkStart {
		b.all.Begin(now)
		if b.down() {
			return
		}
		for i := range b.conns {
			b.open(now, i)
		}
		return
	}
	for i := range b.conns {
		b.close(i)
	}
}

func (b *bulk) open(now des.Time, i int) {
	b.options.Tag = uint64(i)
	ep, err := b.stack.Connect(b.node, b.config.To.Port, b, b.options)
	b.flows[i] = flow{bulk: b}
	if err != nil {
		b.failed.Add(1)
		b.flows[i].end(now)
		b.conns[i].closed = true
		return
	}
	b.conns[i] = bulkConn{ep: ep, left: int64(b.config.Size)}
	b.record.Opened(now, b.name, b.member*b.config.Connections+i, ep)
	b.sink.expect(b.stack.Node(), ep.Conn().LocalPort, &b.flows[i])
	if _, waits := ep.FastOpenWaits(); waits {
		b.fill(i)
	}
}

// HandleEvents keeps the send buffer full.
func (b *bulk) HandleEvents(now des.Time, ep *tcpmodel.Endpoint, ev tcpmodel.Events) {
	i := int(ep.Tag())
	c := &b.conns[i]
	c.closed = c.closed || ev&tcpmodel.EvReleased != 0
	if ev&(tcpmodel.EvConnected|tcpmodel.EvWritable) != 0 && !c.closed {
		b.fill(i)
	}
	if ev&tcpmodel.EvReadable != 0 {
		b.drain(ep)
	}
	if ev&tcpmodel.EvFailed != 0 {
		b.failed.Add(1)
		b.flows[i].end(now)
	}
	if ev&(tcpmodel.EvFailed|tcpmodel.EvPeerClosed) != 0 {
		b.close(i)
	}
	if ev&tcpmodel.EvReleased != 0 {
		b.record.Released(ep.Conn(), ep.Stats())
		c.ep = nil
	}
}

// fill writes what the stack takes, and closes after the last byte.
func (b *bulk) fill(i int) {
	c := &b.conns[i]
	if b.config.Size == 0 {
		for c.ep.Write(1<<20) == 1<<20 {
		}
		return
	}
	c.left -= put(c.ep, c.left)
	if c.left == 0 {
		b.close(i)
	}
}

func (b *bulk) close(i int) {
	c := &b.conns[i]
	if c.ep == nil || c.closed {
		return
	}
	c.closed = true
	c.ep.Close()
}

func (b *bulk) snapshot(des.Time) {
	for i := range b.conns {
		if ep := b.conns[i].ep; ep != nil {
			b.record.Snapshot(ep.Conn(), ep.Stats())
		}
	}
}

// deliver counts n bytes that the receiver has read.
func (f *flow) deliver(now des.Time, n int) {
	f.received += uint64(n)
	f.bulk.all.Deliver(n)
	if size := uint64(f.bulk.config.Size); size > 0 && f.received == size {
		f.bulk.all.whole++
		f.end(now)
	}
}

// end is called when the last byte of the flow has been read or the flow has
// failed, possibly more than once.
func (f *flow) end(now des.Time) {
	if f.ended {
		return
	}
	f.ended = true
	all := f.bulk.all
	if all.running--; all.running == 0 {
		all.End(now, all.whole == all.flows)
	}
}
