package drill

import (
	"reflect"
	"strings"

	"tcplab/tcpmodel"
)

// counter returns a counter by its name in nstat, such as
// TcpExtOutOfWindowIcmps, 0 if the stack has none of that name.
func counter(c *tcpmodel.Counters, name string) uint64 {
	v := reflect.ValueOf(c).Elem()
	for _, prefix := range []string{"TcpExt", "Tcp"} {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			if f := v.FieldByName(short); f.IsValid() {
				return f.Uint()
			}
		}
	}
	return 0
}

func hasCounter(name string) bool {
	t := reflect.TypeFor[tcpmodel.Counters]()
	_, ext := t.FieldByName(strings.TrimPrefix(name, "TcpExt"))
	_, plain := t.FieldByName(strings.TrimPrefix(name, "Tcp"))
	return ext || plain
}
