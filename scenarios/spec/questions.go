package spec

// Question is a metric that an expectation asks for.
type Question struct {
	Metric string
	// During bounds the time in seconds, nil for the whole run.
	During *[2]float64
}

// Questions are what the expectation asks for, in its order: what Eval may look
// up.
func (e *Expectation) Questions() []Question {
	var list []Question
	e.root.walk(func(t *term) {
		if t.op == opMetric {
			list = append(list, Question{t.text, t.during})
		}
	})
	return list
}
