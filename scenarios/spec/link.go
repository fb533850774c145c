package spec

import (
	"tcplab/scenarios/quantity"
)

// Link joins two hosts or routers. Delay, rate, queue, loss and overhead apply
// to each direction; Forward (from the first end to the second) and Backward set
// one. Directions merges them.
type Link struct {
	Pos      Pos
	Ends     [2]string         `key:"ends" required:"true" item:"an end" example:"[client, server]" doc:"The two hosts or routers that the link joins. From the first to the second is forward."`
	Name     string            `key:"name" example:"bottleneck" doc:"The name under which its metrics appear, with _backward behind it for those from the second end to the first. Without it the two ends, joined by _."`
	Delay    quantity.Duration `key:"delay" default:"0s" doc:"The propagation delay."`
	Rate     quantity.Bitrate  `key:"rate" default:"unlimited" doc:"How fast it sends. Without it packets take no time to send, and there is no queue."`
	Queue    Queue             `key:"queue" doc:"What holds the packets that wait to be sent."`
	Loss     quantity.Ratio    `key:"loss" default:"0%" max:"100%" doc:"The share of packets that are lost at random, each independently of the others."`
	Overhead quantity.Size     `key:"overhead" default:"0B" doc:"The bytes that the link adds to the IP length of each packet."`
	Faults   []Fault           `key:"faults" item:"a fault" example:"[{direction: backward, kind: syn_ack, ordinal: 2}]" doc:"Packets that are dropped, duplicated or delayed on purpose."`
	Forward  *Override         `key:"forward" example:"{rate: 10Mbit/s}" doc:"What differs from the first end to the second."`
	Backward *Override         `key:"backward" example:"{rate: 1Mbit/s}" doc:"What differs from the second end to the first."`
}

// Backward is what follows the name of a link in the metrics of its direction
// from the second end to the first.
const Backward = "_backward"

// Queue is a queue with its discipline.
type Queue struct {
	Discipline string         `key:"discipline" enum:"@queues" doc:"Which packet is dropped or marked when."`
	Limit      quantity.Limit `key:"limit" default:"1000 packets" doc:"How much it holds, the packet in service included."`
}

// Override is what differs in one direction of a link.
type Override struct {
	Delay    *quantity.Duration `key:"delay" doc:"The propagation delay."`
	Rate     *quantity.Bitrate  `key:"rate" doc:"How fast it sends."`
	Queue    *Queue             `key:"queue" doc:"What holds the packets that wait to be sent."`
	Loss     *quantity.Ratio    `key:"loss" max:"100%" doc:"The share of packets that are lost at random."`
	Overhead *quantity.Size     `key:"overhead" doc:"The bytes that the link adds to the IP length of each packet."`
}

// Fault is something that happens to one packet on purpose: to the one with that
// ordinal, counted from 1, among those of its kind in its direction.
type Fault struct {
	Pos       Pos
	Direction string            `key:"direction" required:"true" enum:"forward,backward" doc:"From the first end of the link to the second, or back."`
	Kind      string            `key:"kind" default:"any" enum:"any,syn,syn_ack,ack,data,fin,rst" doc:"Which packets are counted. An ack is one without data, SYN, FIN and RST."`
	Ordinal   int               `key:"ordinal" required:"true" min:"1" example:"2" doc:"Which of them it happens to: 1 is the first."`
	Action    string            `key:"action" default:"drop" enum:"drop,duplicate,delay" doc:"What happens."`
	Delay     quantity.Duration `key:"delay" default:"0s" doc:"How much later a delayed packet, or the copy of a duplicated one, arrives."`
}

// Validate implements Validator.
func (f *Fault) Validate(report func(field, message string)) {
	if f.Action == "delay" && f.Delay == 0 {
		report("action", "how long the packet is delayed is not given (write delay: 10ms)")
	}
	if f.Action == "drop" && f.Delay != 0 {
		report("delay", "a dropped packet has no delay (write action: delay, or remove it)")
	}
}

// Direction is one direction of a link.
type Direction struct {
	Delay    quantity.Duration
	Rate     quantity.Bitrate
	Queue    Queue
	Loss     quantity.Ratio
	Overhead quantity.Size
}

// Directions returns what holds from the first end to the second and back.
func (l *Link) Directions() (forward, backward Direction) {
	both := Direction{l.Delay, l.Rate, l.Queue, l.Loss, l.Overhead}
	return l.Forward.over(both), l.Backward.over(both)
}

func (o *Override) over(d Direction) Direction {
	if o == nil {
		return d
	}
	replace(&d.Delay, o.Delay)
	replace(&d.Rate, o.Rate)
	replace(&d.Queue, o.Queue)
	replace(&d.Loss, o.Loss)
	replace(&d.Overhead, o.Overhead)
	return d
}

func replace[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}
