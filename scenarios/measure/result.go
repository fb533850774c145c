package measure

// Result is what a run measured: plain values in a fixed order, ready to be
// written, drawn or compared.
type Result struct {
	Metrics []Metric
	Series  []Series
	Samples []Sample
	// Bands are the named stretches of time that figures shade, such as the
	// time in which an attack was on.
	Bands []Band
}

// Metric is one number of a run. Null is true where there is no value, as for
// a ratio over no attempts; Value is then 0.
type Metric struct {
	// Name has the form owner.quantity, each [a-z][a-z0-9_]*.
	Name  string
	Value float64
	Null  bool
	// Unit is "ratio", "s", "1/s", "bit/s", "B", "packets", "connections",
	// "entries" or "count".
	Unit string
	// CI95 is the 95 % confidence interval [low, high], nil where there is
	// none.
	CI95 *[2]float64
	// Doc says in one sentence what is counted and when.
	Doc string
	// Key marks what a short summary shows.
	Key bool
}

// Series is one quantity against time. At Time[i], in seconds, the quantity
// was Value[i]; NaN marks an interval without a value. A series of a quantity
// that is counted over intervals (Step true) has the value of the interval
// that starts at Time[i].
type Series struct {
	// Name has the form owner.quantity, as that of a Metric.
	Name  string
	Unit  string
	Step  bool
	Time  []float64
	Value []float64
	// Label names the series in a figure, such as "half-open connections".
	Label string
}

// Sample is a distribution: the single values, in the order in which they were
// taken.
type Sample struct {
	Name   string
	Unit   string
	Label  string
	Values []float64
}

// Band is the time from From until Until, in seconds.
type Band struct {
	Name        string
	From, Until float64
}

// FindSeries returns the series with that name, nil if there is none.
func (r *Result) FindSeries(name string) *Series {
	for i := range r.Series {
		if r.Series[i].Name == name {
			return &r.Series[i]
		}
	}
	return nil
}

// FindMetric returns the metric with that name, nil if there is none.
func (r *Result) FindMetric(name string) *Metric {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return &r.Metrics[i]
		}
	}
	return nil
}
