package drill

import (
	"fmt"
	"strings"

	"tcplab/tcpmodel"
)

// check looks through the script for what the runner or the stack does not have,
// before anything runs.
func (r *run) check() error {
	for _, e := range r.script.Events {
		var err error
		switch {
		case e.Packet != nil:
			err = e.Packet.supported()
		case e.Call != nil:
			err = e.Call.supported()
		case e.Code != nil:
			err = e.Code.supported()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *Packet) supported() error {
	for i := range k.Options {
		o := &k.Options[i]
		switch o.Kind {
		case OptionMD5:
			return &unsupported{o.Pos, "TCP MD5 signatures"}
		case OptionAccECN:
			return &unsupported{o.Pos, "AccECN"}
		}
	}
	if k.Outbound && (k.SrcPort != 0 || k.DstPort != 0) {
		return &unsupported{k.Pos, "ports of an outbound packet"}
	}
	if k.Outbound && k.ICMP != nil {
		return &unsupported{k.Pos, "outbound ICMP messages"}
	}
	if k.Urg != 0 {
		return &unsupported{k.Pos, "urgent pointers"}
	}
	return nil
}

func (c *Call) supported() error {
	if calls[c.Name] == nil {
		return &unsupported{c.Pos, c.Name + "()"}
	}
	for _, a := range c.Args {
		if name := a.mentions("MSG_ZEROCOPY", "MSG_ERRQUEUE", "MSG_OOB", "AF_INET6",
			"SOCK_DGRAM", "SOCK_RAW", "IPPROTO_MPTCP", "IPPROTO_UDP", "IPPROTO_ICMP", "msg_control"); name != "" {
			return &unsupported{a.Pos, name + " of " + c.Name + "()"}
		}
	}
	if (c.Name == "setsockopt" || c.Name == "getsockopt") && len(c.Args) > 2 && c.Args[2].Kind == ExprWord {
		name := c.Args[2].Text
		if _, ok := tcpmodel.SockOptNamed(name); !ok && name != "TCP_CONGESTION" && name != "TCP_FASTOPEN_KEY" && !inert[name] {
			return &unsupported{c.Args[2].Pos, "socket option " + name}
		}
	}
	return nil
}

// mentions returns the first of the words that the expression has, "" if it has
// none of them.
func (e *Expr) mentions(names ...string) string {
	if e.Kind == ExprWord || e.Kind == ExprAssign {
		for _, n := range names {
			if e.Text == n {
				return n
			}
		}
	}
	for _, x := range e.List {
		if n := x.mentions(names...); n != "" {
			return n
		}
	}
	return ""
}

func (c *Code) supported() error {
	var none tcpmodel.Info
	for _, name := range words(c.Text) {
		if _, ok := none.Field(name); strings.HasPrefix(name, "tcpi_") && !ok {
			return &unsupported{c.Pos, fmt.Sprintf("%s of TCP_INFO", name)}
		}
	}
	return nil
}
