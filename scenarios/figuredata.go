package scenarios

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tcplab/des"
	"tcplab/scenarios/measure"
	"tcplab/tcpmodel"
)

// sequencesDir is where what happened to sequence numbers is.
const sequencesDir = "sequences"

// Life is the states of one end of a connection over time.
type Life struct {
	// Host is where the end is, Port its port; Passive says that the other end
	// opened the connection. Peer and PeerPort are that other end, if known.
	Host, Peer     string
	Port, PeerPort string
	Passive        bool
	// States are in the order in which they were entered, without those that
	// took no time. Until is +Inf for the last one if it was not left.
	States []LifeSpan
}

// LifeSpan is a time in a state, in seconds.
type LifeSpan struct {
	State       tcpmodel.State
	From, Until float64
}

// FigureData is what figures are drawn from: the same during a run and from a
// results directory.
type FigureData struct {
	Result *measure.Result
	// Replications have the series of each replication, if there are several.
	Replications []*measure.Result
	Sequences    []measure.Sequence
	Lives        []Life
	// ConnectionsLeftOut is the number of connections that are not in Lives,
	// since the connection table was full.
	ConnectionsLeftOut int
}

// FigureData returns what figures of the run are drawn from.
func (o *Outcome) FigureData() *FigureData {
	sequences := slices.SortedFunc(slices.Values(o.Sequences), func(a, b measure.Sequence) int { return strings.Compare(a.Name, b.Name) })
	return &FigureData{Result: o.Result, Replications: o.Runs, Sequences: sequences,
		Lives: livesOf(o.Connections), ConnectionsLeftOut: o.Connections.LeftOut}
}

func livesOf(table *measure.ConnTable) []Life {
	var list []Life
	for i := range table.Rows {
		row := &table.Rows[i]
		ends := [2]*measure.End{&row.Active, &row.Passive}
		for k, e := range ends {
			if e.Host == "" {
				continue
			}
			life := Life{Host: e.Host, Port: strconv.Itoa(int(e.Port)), Passive: k == 1}
			if other := ends[1-k]; other.Host != "" {
				life.Peer, life.PeerPort = other.Host, strconv.Itoa(int(other.Port))
			}
			life.spans(func(s tcpmodel.State) float64 {
				if e.Entered[s] == des.Never {
					return math.NaN()
				}
				return e.Entered[s].Seconds()
			})
			list = append(list, life)
		}
	}
	return list
}

// spans fills the states in from the times at which they were entered, NaN if
// never.
func (l *Life) spans(entered func(tcpmodel.State) float64) {
	for _, s := range tableStates {
		if t := entered(s); !math.IsNaN(t) {
			l.States = append(l.States, LifeSpan{s, t, math.Inf(1)})
		}
	}
	slices.SortStableFunc(l.States, func(a, b LifeSpan) int {
		switch {
		case a.From < b.From:
			return -1
		case a.From > b.From:
			return 1
		}
		return 0
	})
	for i := range len(l.States) - 1 {
		l.States[i].Until = l.States[i+1].From
	}
	l.States = slices.DeleteFunc(l.States, func(s LifeSpan) bool { return s.State == tcpmodel.Closed || s.From == s.Until })
}

// readLives reads the connection table.
func readLives(path string) ([]Life, error) {
	rows, columns, err := readTable(path)
	if err != nil {
		return nil, err
	}
	var list []Life
	for _, row := range rows {
		cell := func(name string) string {
			if i, ok := columns[name]; ok {
				return row[i]
			}
			return ""
		}
		for k, end := range []string{"active", "passive"} {
			life := Life{Host: cell(end + "_host"), Port: cell(end + "_port"), Passive: k == 1}
			if life.Host == "" {
				continue
			}
			other := []string{"passive", "active"}[k]
			life.Peer, life.PeerPort = cell(other+"_host"), cell(other+"_port")
			var wrong error
			life.spans(func(s tcpmodel.State) float64 {
				text := cell(end + "_" + stateColumn(s))
				if text == "" {
					return math.NaN()
				}
				t, err := strconv.ParseFloat(text, 64)
				wrong = errors.Join(wrong, err)
				return t
			})
			if wrong != nil {
				return nil, fmt.Errorf("%s: %w", path, wrong)
			}
			list = append(list, life)
		}
	}
	return list, nil
}

// readTable reads a CSV file and where its columns are.
func readTable(path string) (rows [][]string, columns map[string]int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	rows, err = csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	columns = map[string]int{}
	if len(rows) == 0 {
		return nil, columns, nil
	}
	for i, name := range rows[0] {
		columns[name] = i
	}
	return rows[1:], columns, nil
}

var sequenceHeader = []string{"time_s", "event", "from", "to"}

// sequenceCSV writes what happened to sequence numbers.
func sequenceCSV(s *measure.Sequence) []byte {
	b := []byte(strings.Join(sequenceHeader, ",") + "\n")
	for _, e := range s.Events {
		b = append(appendNumber(b, e.Time), ',')
		b = append(append(b, e.Kind.String()...), ',')
		if e.Kind != measure.SequenceAcked && e.Kind != measure.SequenceWindow {
			b = strconv.AppendInt(b, e.From, 10)
		}
		b = append(strconv.AppendInt(append(b, ','), e.To, 10), '\n')
	}
	return b
}

// readSequences reads all sequences of a results directory.
func readSequences(dir string) ([]measure.Sequence, error) {
	files, err := os.ReadDir(filepath.Join(dir, sequencesDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []measure.Sequence
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".csv")
		if !ok {
			continue
		}
		path := filepath.Join(dir, sequencesDir, file.Name())
		rows, columns, err := readTable(path)
		if err != nil {
			return nil, err
		}
		if len(columns) != len(sequenceHeader) {
			return nil, fmt.Errorf("%s: the columns are not %s", path, strings.Join(sequenceHeader, ", "))
		}
		s := measure.Sequence{Name: name}
		for i, row := range rows {
			e, err := parseSequenceEvent(row)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i+2, err)
			}
			s.Events = append(s.Events, e)
		}
		list = append(list, s)
	}
	return list, err
}

func parseSequenceEvent(row []string) (measure.SequenceEvent, error) {
	var e measure.SequenceEvent
	var errs [3]error
	var known bool
	e.Time, errs[0] = strconv.ParseFloat(row[0], 64)
	if e.Kind, known = measure.ParseSequenceKind(row[1]); !known {
		return e, fmt.Errorf("unknown event %q", row[1])
	}
	if row[2] != "" {
		e.From, errs[1] = strconv.ParseInt(row[2], 10, 64)
	}
	e.To, errs[2] = strconv.ParseInt(row[3], 10, 64)
	return e, errors.Join(errs[:]...)
}
