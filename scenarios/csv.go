package scenarios

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
	"tcplab/tcpmodel/segment"
)

// unitSuffix is how the name of a column shows its unit, as in time_s.
var unitSuffix = strings.NewReplacer("bit/s", "bit_per_s", "1/s", "per_s", "B/s", "bytes_per_s", "B", "bytes")

// column names a column: the quantity and its unit.
func column(name, unit string) string {
	_, quantity, _ := strings.Cut(name, ".")
	return quantity + "_" + unitSuffix.Replace(unit)
}

// appendNumber writes a number, nothing where there is none, and inf for what
// did not come.
func appendNumber(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return b
	case math.IsInf(v, 1):
		return append(b, "inf"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// seriesCSV writes a series: the mean over the replications, then each of them,
// if there are several.
func seriesCSV(s measure.Series, runs []*measure.Result) []byte {
	name := column(s.Name, s.Unit)
	b := []byte("time_s," + name)
	var each [][]float64
	for i, r := range runs {
		if one := r.FindSeries(s.Name); one != nil {
			b = append(b, ","+name+"_r"+strconv.Itoa(i+1)...)
			each = append(each, one.Value)
		}
	}
	b = append(b, '\n')
	for i, t := range s.Time {
		b = append(appendNumber(b, t), ',')
		b = appendNumber(b, s.Value[i])
		for _, values := range each {
			b = appendNumber(append(b, ','), values[i])
		}
		b = append(b, '\n')
	}
	return b
}

func sampleCSV(s measure.Sample) []byte {
	b := []byte(column(s.Name, s.Unit) + "\n")
	for _, v := range s.Values {
		b = append(appendNumber(b, v), '\n')
	}
	return b
}

// tableStates are the states whose first times the connection table has.
var tableStates = []tcpmodel.State{tcpmodel.SynSent, tcpmodel.SynReceived, tcpmodel.Established, tcpmodel.FinWait1,
	tcpmodel.FinWait2, tcpmodel.CloseWait, tcpmodel.Closing, tcpmodel.LastAck, tcpmodel.TimeWait, tcpmodel.Closed}

// stateColumn names the column of when a state was entered.
func stateColumn(s tcpmodel.State) string {
	return strings.ReplaceAll(strings.ToLower(s.String()), "-", "_") + "_s"
}

// connectionsCSV writes the connection table: for each end where it is, when it
// came into each state, what it did and how it ended.
func connectionsCSV(table *measure.ConnTable, addresses *segment.Addresses) []byte {
	var out bytes.Buffer
	out.WriteString("connection")
	for _, end := range []string{"active", "passive"} {
		for _, c := range []string{"host", "address", "port"} {
			out.WriteString("," + end + "_" + c)
		}
		for _, s := range tableStates {
			out.WriteString("," + end + "_" + stateColumn(s))
		}
		for _, c := range []string{"sent_bytes", "acked_bytes", "received_bytes", "segments_out", "segments_in",
			"retransmissions", "srtt_s", "error", "ended_by"} {
			out.WriteString("," + end + "_" + c)
		}
	}
	out.WriteString(",closed_first\n")
	for i := range table.Rows {
		row := &table.Rows[i]
		out.WriteString(strconv.Itoa(row.Number))
		writeEnd(&out, &row.Active, addresses)
		writeEnd(&out, &row.Passive, addresses)
		out.WriteString("," + closedFirst(row) + "\n")
	}
	return out.Bytes()
}

func writeEnd(out *bytes.Buffer, e *measure.End, addresses *segment.Addresses) {
	cell := func(text string) { out.WriteString("," + text) }
	if e.Host == "" {
		out.WriteString(strings.Repeat(",", 3+len(tableStates)+9))
		return
	}
	cell(e.Host)
	cell(addresses.Addr(e.Node).String())
	cell(strconv.Itoa(int(e.Port)))
	for _, s := range tableStates {
		cell(seconds(e.Entered[s]))
	}
	s := &e.Stats
	if !e.Known {
		out.WriteString(strings.Repeat(",", 9))
		return
	}
	for _, n := range []uint64{s.BytesSent, s.BytesAcked, s.BytesReceived, uint64(s.SegsOut), uint64(s.SegsIn), uint64(s.Retransmits)} {
		cell(strconv.FormatUint(n, 10))
	}
	if s.SRTT > 0 {
		cell(seconds(s.SRTT))
	} else {
		cell("")
	}
	if s.Err != tcpmodel.OK {
		cell(s.Err.Error())
	} else {
		cell("")
	}
	cell(s.Why.String())
}

// seconds writes an instant, nothing for des.Never.
func seconds(t des.Time) string {
	if t == des.Never {
		return ""
	}
	return strconv.FormatFloat(t.Seconds(), 'g', -1, 64)
}

// closedFirst says which end closed first: active, passive, or both where
// neither had heard of the other's.
func closedFirst(row *measure.Row) string {
	active := row.Active.Known && row.Active.Stats.ClosedFirst
	passive := row.Passive.Known && row.Passive.Stats.ClosedFirst
	switch {
	case active && passive:
		return "both"
	case active:
		return "active"
	case passive:
		return "passive"
	default:
		return ""
	}
}
