package measure

// Distribution describes the samples that every workload of a kind takes.
type Distribution struct {
	// Of is the kind of workload, Name the part of the sample's name after
	// the dot.
	Of, Name, Unit, Label, Doc string
}

var distributions = []Distribution{
	{"clients", "connect_latency", "s", "time to connect", "Times to connect, of the attempts that were connected."},
	{"clients", "response_latency", "s", "time to the whole response", "Times from the start of the attempt to the last byte of the response."},
	{"users", "connect_latency", "s", "time to connect", "Times to connect, of the attempts that were connected."},
	{"users", "response_latency", "s", "time to the first response", "Times from the start of the attempt to the last byte of the first response."},
	{"users", "turnaround", "s", "time from request to response", "Times from a request to the last byte of its response."},
	{"request_response", "connect_latency", "s", "time to connect", "Times to connect, of the attempts that were connected."},
	{"request_response", "response_latency", "s", "time to the whole response", "Times from the start of the attempt to the last byte of the last response."},
	{"request_response", "turnaround", "s", "time from request to response", "Times from a request to the last byte of its response."},
}

// DistributionsOf returns the distributions of which workloads of a kind take
// samples.
func DistributionsOf(kind string) []Distribution {
	var out []Distribution
	for _, d := range distributions {
		if d.Of == kind {
			out = append(out, d)
		}
	}
	return out
}

// sample makes a sample of a distribution of the catalogue.
func sample(of, owner, name string, values []float64) Sample {
	for _, d := range distributions {
		if d.Of == of && d.Name == name {
			return Sample{Name: owner + "." + name, Unit: d.Unit, Label: d.Label, Values: values}
		}
	}
	panic("measure: no distribution " + name + " of a " + of)
}
