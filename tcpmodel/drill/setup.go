package drill

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// prepare makes the stack that the script asks for.
func (r *run) prepare() error {
	if r.opt.Recent == 0 {
		r.opt.Recent = 10
	}
	if err := r.scriptOptions(); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	profile := r.opt.Profile
	if profile == "" {
		profile = tcpmodel.ProfileNames()[0]
	}
	cfg, err := tcpmodel.Profile(profile)
	if err != nil {
		return err
	}
	if err := r.configure(&cfg); err != nil {
		return err
	}
	r.timer = r.sim.NewTimer(r.sim.NewComponent("script"), r, 0)
	addrs, err := r.addresses()
	if err != nil {
		return err
	}
	r.stack, err = tcpmodel.NewStack(tcpmodel.StackOptions{Sim: r.sim, Name: "stack", Node: localNode, Config: cfg, Out: r, Addresses: addrs})
	if err != nil {
		return err
	}
	if r.fastOpenKey != nil {
		r.stack.SetFastOpenKey(*r.fastOpenKey)
	}
	// The clock starts well above zero, as on a machine that has run for a
	// while.
	return r.runTo(startOfClock)
}

// addresses are those that the script gives to the stack and its peer.
func (r *run) addresses() (*segment.Addresses, error) {
	a := &segment.Addresses{}
	for _, h := range []struct {
		node segment.Node
		text string
	}{{localNode, r.localAddr}, {peerNode, r.remoteAddr}} {
		addr, err := netip.ParseAddr(h.text)
		if err == nil {
			err = a.Add(h.node, addr)
		}
		if err != nil {
			return nil, &unsupported{reason: fmt.Sprintf("address %s: %v", h.text, err)}
		}
	}
	return a, nil
}

// configure sets the sysctls of the opening command and of header lines.
func (r *run) configure(cfg *tcpmodel.Config) error {
	pos := Pos{}
	var all []setting
	if c := r.script.Init; c != nil {
		pos = c.Pos
		e, err := effectOf(filepath.Dir(r.script.File), c.Text)
		if err != nil {
			return &unsupported{pos, err.Error()}
		}
		if e.fill > 0 {
			return &unsupported{pos, "fill-accept-queue.sh before the first event"}
		}
		r.oneSegment = e.oneSegment
		r.opt.NoMerge = r.opt.NoMerge || e.segments
		if e.oneSegment {
			cfg.GSOMaxSegs = 1
		}
		all = e.sysctls
	}
	for _, s := range all {
		if err := r.setSysctl(cfg, s); err != nil {
			return &unsupported{pos, err.Error()}
		}
	}
	for _, s := range r.script.sysctls {
		if err := r.setSysctl(cfg, s); err != nil {
			return &unsupported{s.pos, err.Error()}
		}
	}
	return nil
}

// setSysctl sets a sysctl of the stack, which need not exist yet.
func (r *run) setSysctl(cfg *tcpmodel.Config, s setting) error {
	if strings.TrimPrefix(s.name, "net.ipv4.") != "tcp_fastopen_key" {
		return setSysctl(cfg, s.name, s.value)
	}
	key, err := parseFastOpenKey(s.value)
	if err != nil {
		return err
	}
	if r.fastOpenKey = &key; r.stack != nil {
		r.stack.SetFastOpenKey(key)
	}
	return nil
}

// scriptOptions takes the --name=value lines of the script. What the caller has
// set wins.
func (r *run) scriptOptions() error {
	var tolerance des.Time
	percent := 0.0
	for _, s := range r.script.Options {
		bad := &failure{pos: s.Pos, reason: fmt.Sprintf("option --%s: %q is no value for it", s.Name, s.Value)}
		switch s.Name {
		case "tolerance_usecs":
			v, err := strconv.ParseInt(s.Value, 10, 32)
			if err != nil || v <= 0 {
				return bad
			}
			tolerance = des.Time(v) * des.Microsecond
		case "tolerance_percent":
			v, err := strconv.ParseFloat(s.Value, 64)
			if err != nil || v < 0 || v > 100 {
				return bad
			}
			percent = v
		case "tcp_ts_tick_usecs":
			v, err := strconv.ParseInt(s.Value, 10, 32)
			if err != nil || v < 0 || v > 1e6 {
				return bad
			}
			r.tick = des.Time(v) * des.Microsecond
		case "tcp_ts_ecr_scaled":
			r.scaleEcr = true
		case "strict_segments":
			r.opt.NoMerge = true
		case "ip_version":
			if s.Value != "ipv4" {
				return &unsupported{s.Pos, "--ip_version=" + s.Value}
			}
		case "mtu":
			if s.Value != "1500" {
				return &unsupported{s.Pos, "--mtu=" + s.Value}
			}
		case "local_ip":
			r.localAddr = s.Value
		case "remote_ip":
			r.remoteAddr = s.Value
		case "define", "gateway_ip", "netmask_ip", "bind_port", "connect_port", "local_linux_ip", "mss",
			"verbose", "debug", "dry_run", "speed", "send_omit_free", "init_scripts":
		default:
			return &unsupported{s.Pos, "option --" + s.Name}
		}
	}
	if r.opt.Tolerance == 0 {
		r.opt.Tolerance = max(tolerance, 0)
	}
	if r.opt.Tolerance == 0 {
		r.opt.Tolerance = 4 * des.Millisecond
	}
	if r.opt.TolerancePercent == 0 {
		if r.opt.TolerancePercent = percent; percent == 0 {
			r.opt.TolerancePercent = 1
		}
	}
	return nil
}
