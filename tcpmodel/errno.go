package tcpmodel

import "fmt"

// Errno is the error of a socket call or of a connection that ended, named as
// in POSIX. The zero value is no error.
type Errno uint8

// The errors of sockets.
const (
	OK Errno = iota
	EAGAIN
	ECONNREFUSED
	ECONNRESET
	ETIMEDOUT
	EADDRINUSE
	EADDRNOTAVAIL
	EHOSTUNREACH
	ENETUNREACH
	EPIPE
	ENOTCONN
	EISCONN
	EINVAL
	EMSGSIZE
	ECONNABORTED
	EINPROGRESS
	numErrno
)

var errnoNames = [numErrno]string{
	"", "EAGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EADDRINUSE",
	"EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "ENOTCONN",
	"EISCONN", "EINVAL", "EMSGSIZE", "ECONNABORTED", "EINPROGRESS",
}

// Error returns the POSIX name.
func (e Errno) Error() string {
	if e < numErrno {
		return errnoNames[e]
	}
	return fmt.Sprintf("Errno(%d)", uint8(e))
}
