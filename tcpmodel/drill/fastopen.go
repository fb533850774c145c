package drill

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"tcplab/tcpmodel"
)

// parseFastOpenKey reads tcp_fastopen_key: four words in hexadecimal.
func parseFastOpenKey(text string) (key [16]byte, err error) {
	words := strings.Split(strings.TrimSpace(text), "-")
	if len(words) != 4 {
		return key, fmt.Errorf("sysctl tcp_fastopen_key=%s: want one key of four words, such as a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4", text)
	}
	for i, w := range words {
		v, err := strconv.ParseUint(w, 16, 32)
		if err != nil {
			return key, fmt.Errorf("sysctl tcp_fastopen_key=%s: word %d is no number of 32 bits in hexadecimal", text, i+1)
		}
		binary.LittleEndian.PutUint32(key[4*i:], uint32(v))
	}
	return key, nil
}

// unescape returns the bytes of a string of the script: \xHH and backslashes.
func unescape(s string) []byte {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		if v, err := strconv.ParseUint(s[min(i+1, len(s)):min(i+3, len(s))], 16, 8); s[i] == 'x' && err == nil {
			b = append(b, byte(v))
			i += 2
		} else {
			b = append(b, s[i])
		}
	}
	return b
}

// setFastOpenKey is setsockopt TCP_FASTOPEN_KEY with the value "\x.." of n
// bytes.
func (s *socket) setFastOpenKey(c *Call) (attempt, error) {
	n, err := c.arg(4)
	if err != nil {
		return nil, err
	}
	v := unescape(c.Args[3].Text)
	if c.Args[3].Kind != ExprString || n != 16 || len(v) != 16 {
		return returns(failing("EINVAL")), nil
	}
	if s.fastOpenKey = new([16]byte); s.listener != nil {
		s.listener.SetFastOpenKey([16]byte(v))
	}
	copy(s.fastOpenKey[:], v)
	return returns(success(0)), nil
}

// fastOpenOption reports the error of setting an option of Fast Open, "" for
// none.
func (s *socket) fastOpenOption(opt tcpmodel.SockOpt, v int64) string {
	switch {
	case opt == tcpmodel.TCPFastOpen && s.active():
		return "EINVAL"
	case opt != tcpmodel.TCPFastOpenConnect && opt != tcpmodel.TCPFastOpenNoCookie:
		return ""
	case v < 0 || v > 1:
		return "EINVAL"
	case opt == tcpmodel.TCPFastOpenConnect && s.r.stack.Config().FastOpen&1 == 0:
		return "EOPNOTSUPP"
	case s.active() || s.listener != nil && opt == tcpmodel.TCPFastOpenConnect:
		return "EINVAL"
	}
	return ""
}

// sendFast is sendto(MSG_FASTOPEN), and the first write after connect() of a
// socket whose SYN waits for data, in the order of Linux's tcp_sendmsg_fastopen.
func (s *socket) sendFast(n int, flags int64) attempt {
	wait := !s.nonblock && flags&callConstants["MSG_DONTWAIT"] == 0
	switch {
	case s.r.stack.Config().FastOpen&1 == 0:
		return returns(failing("EOPNOTSUPP"))
	case s.connected || s.listener != nil:
		return returns(failing("EISCONN"))
	case s.waits():
	case s.handshaking():
		return returns(failing("EALREADY"))
	case s.connecting:
		// The connection is open, and this is a write like another.
		s.connecting, s.connected = false, true
		return s.write(n, flags)
	default:
		if e := s.open(true); e != "" {
			return returns(failing(e))
		}
		s.connecting = true
	}
	if room, waits := s.ep.FastOpenWaits(); !wait {
		k := 0
		if waits {
			k = s.ep.Write(min(n, room))
		}
		s.written += int64(k)
		if k == 0 {
			return returns(failing("EINPROGRESS"))
		}
		return returns(success(int64(k)))
	}
	done := s.ep.Write(n)
	s.written += int64(done)
	rest := s.write(n-done, flags)
	return func() (result, bool) {
		if s.handshaking() {
			return result{}, false
		}
		s.connecting = false
		if s.state() == tcpmodel.Closed {
			return failing(s.takeFailure()), true
		}
		s.connected = true
		if done == n {
			return success(int64(n)), true
		}
		res, ok := rest()
		if res.n >= 0 {
			res.n += int64(done)
		}
		return res, ok
	}
}

// waits reports whether the SYN of the socket waits for data.
func (s *socket) waits() bool {
	if s.ep == nil {
		return false
	}
	_, waits := s.ep.FastOpenWaits()
	return waits
}
