package quantity

// text implements UnmarshalText with a Parse function.
func text[T any](to *T, b []byte, parse func(string) (T, error)) error {
	v, err := parse(string(b))
	if err == nil {
		*to = v
	}
	return err
}

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(b []byte) error { return text(d, b, ParseDuration) }

// MarshalText is String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseBitrate.
func (r *Bitrate) UnmarshalText(b []byte) error { return text(r, b, ParseBitrate) }

// MarshalText is String.
func (r Bitrate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseFrequency.
func (f *Frequency) UnmarshalText(b []byte) error { return text(f, b, ParseFrequency) }

// MarshalText is String.
func (f Frequency) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(b []byte) error { return text(s, b, ParseSize) }

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseRatio.
func (r *Ratio) UnmarshalText(b []byte) error { return text(r, b, ParseRatio) }

// MarshalText is String.
func (r Ratio) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseHost.
func (h *Host) UnmarshalText(b []byte) error { return text(h, b, ParseHost) }

// MarshalText is String.
func (h Host) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseAddress.
func (a *Address) UnmarshalText(b []byte) error { return text(a, b, ParseAddress) }

// MarshalText is String.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParsePrefix.
func (p *Prefix) UnmarshalText(b []byte) error { return text(p, b, ParsePrefix) }

// MarshalText is String.
func (p Prefix) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParseLimit.
func (l *Limit) UnmarshalText(b []byte) error { return text(l, b, ParseLimit) }

// MarshalText is String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is ParseArrivals.
func (a *Arrivals) UnmarshalText(b []byte) error { return text(a, b, ParseArrivals) }

// MarshalText is String.
func (a Arrivals) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
