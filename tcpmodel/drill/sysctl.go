package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/tcpmodel"
)

// withoutKnob are sysctls that need no knob: those with the values listed leave
// a stack as it is (Linux's default, and what the stack does), and those with no
// value listed have no effect on the segments of one connection over a plain
// device whatever they are set to.
var withoutKnob = map[string][]string{
	"tcp_fack": nil, "tcp_fastopen_cookies": nil, "tcp_tso_win_divisor": nil,
	"tcp_pacing_ss_ratio": nil, "tcp_pacing_ca_ratio": nil, "tcp_mem": nil, "tcp_ecn_option": nil, "tcp_autocorking": nil,
	"tcp_limit_output_bytes": nil, "tcp_retries1": nil, "tcp_early_demux": nil, "tcp_ecn_option_beacon": nil,
	"tcp_fastopen_blackhole_timeout_sec": {"0"},
	"tcp_dsack":                          {"1"}, "tcp_frto": {"2"}, "tcp_early_retrans": {"3", "4"}, "tcp_recovery": {"1"},
	"tcp_ecn": {"0", "2"}, "tcp_ecn_fallback": {"1"}, "tcp_app_win": {"31"}, "tcp_shrink_window": {"0"},
	"tcp_notsent_lowat": {"4294967295", "-1", "0xffffffff"}, "tcp_challenge_ack_limit": {"2147483647"},
	"tcp_thin_linear_timeouts": {"0"}, "tcp_mtu_probing": {"0"}, "tcp_workaround_signed_windows": {"0"},
	"tcp_plb_enabled": {"0"}, "tcp_max_reordering": {"300"}, "tcp_no_ssthresh_metrics_save": {"1"}, "ip_no_pmtu_disc": {"0"},
	"tcp_comp_sack_nr": {"44"}, "tcp_comp_sack_delay_ns": {"1000000"}, "tcp_comp_sack_slack_ns": {"100000"},
	"tcp_min_snd_mss": {"48"}, "tcp_reflect_tos": {"0"}, "tcp_backlog_ack_defer": {"1"},
}

// triples are sysctls of three numbers and the knobs that the second and the
// third of them set.
var triples = map[string][2]string{
	"tcp_rmem": {"tcp_rmem_default", "tcp_rmem_max"},
	"tcp_wmem": {"tcp_wmem_default", "tcp_wmem_max"},
}

// setSysctl sets name in c. The error says that the stack has no such setting.
func setSysctl(c *tcpmodel.Config, name, value string) error {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "net.ipv4."), "net.core.")
	value = strings.TrimSpace(value)
	if knobs, ok := triples[name]; ok {
		f := strings.Fields(value)
		if len(f) != 3 {
			return fmt.Errorf("sysctl %s=%s: want three numbers", name, value)
		}
		for i, k := range knobs {
			if _, ok := tcpmodel.FindKnob(k); ok {
				if err := setKnob(c, k, f[i+1]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if name == "ip_local_port_range" {
		f := strings.Fields(value)
		if len(f) != 2 {
			return fmt.Errorf("sysctl %s=%s: want two ports", name, value)
		}
		if err := setKnob(c, "port_low", f[0]); err != nil {
			return err
		}
		return setKnob(c, "port_high", f[1])
	}
	values, plain := withoutKnob[name]
	if _, ok := tcpmodel.FindKnob(name); ok {
		err := setKnob(c, name, value)
		if err != nil && plain && slices.Contains(values, value) {
			return nil
		}
		return err
	}
	switch {
	case !plain:
		return fmt.Errorf("sysctl %s is unknown to the stack", name)
	case values != nil && !slices.Contains(values, value):
		return fmt.Errorf("sysctl %s=%s (the stack behaves as with %s)", name, value, strings.Join(values, " or "))
	}
	return nil
}

func setKnob(c *tcpmodel.Config, name, value string) error {
	k, ok := tcpmodel.FindKnob(name)
	if !ok {
		return fmt.Errorf("sysctl %s is unknown to the stack", name)
	}
	if k.Kind == tcpmodel.KnobWord {
		if err := k.SetWord(c, value); err != nil {
			return fmt.Errorf("sysctl %s=%s: %w", name, value, err)
		}
		return nil
	}
	v, err := strconv.ParseInt(value, 0, 64)
	if err != nil {
		return fmt.Errorf("sysctl %s=%s: want a number", name, value)
	}
	if k.Kind == tcpmodel.KnobDuration {
		v *= int64(k.Unit / des.Nanosecond)
	}
	if err := k.SetInt(c, v); err != nil {
		return fmt.Errorf("sysctl %s=%s: %w", name, value, err)
	}
	return nil
}
