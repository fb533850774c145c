package drill

import (
	"os"
	"testing"

	"tcplab/des"
)

// Whatever a script does, the stack goes on: it is fed arbitrary segments, calls
// and times, and nothing panics.
func FuzzRun(f *testing.F) {
	for _, file := range conformanceScripts(f) {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("testdata/conformance/data/x.pkt", src)
		if err != nil {
			return
		}
		for _, e := range s.Events {
			if e.At > 200*des.Second || e.Until > 200*des.Second || len(s.Events) > 100 {
				return
			}
		}
		Run(s, Options{Tolerance: des.Hour})
	})
}
