package segment

// Seq is a TCP sequence number. It lives on a circle of 2^32, so it is compared
// with the methods here and never with < or > (RFC 9293 section 3.4).
type Seq uint32

// Add returns the sequence number n bytes after s.
func (s Seq) Add(n uint32) Seq { return s + Seq(n) }

// Sub returns the signed distance from t to s in bytes: positive when s is
// after t.
func (s Seq) Sub(t Seq) int32 { return int32(s - t) }

// Less reports whether s is before t.
func (s Seq) Less(t Seq) bool { return int32(s-t) < 0 }

// LessEq reports whether s is before t or equal to it.
func (s Seq) LessEq(t Seq) bool { return int32(s-t) <= 0 }

// InWindow reports whether s lies in [first, first+size).
func (s Seq) InWindow(first Seq, size uint32) bool { return uint32(s-first) < size }
