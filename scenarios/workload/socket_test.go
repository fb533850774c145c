package workload

import (
	"reflect"
	"strings"
	"testing"

	"tcplab/scenarios/quantity"
	"tcplab/tcpmodel"
)

// TestSocketOptions: every key reaches the stack, each on its own.
func TestSocketOptions(t *testing.T) {
	typ := reflect.TypeFor[Socket]()
	for i := range typ.NumField() {
		var s Socket
		v := reflect.New(typ.Field(i).Type.Elem())
		switch x := v.Interface().(type) {
		case *bool:
			*x = true
		case *string:
			*x = "reno"
		case *int:
			*x = 7
		case *quantity.Size:
			*x = 7000
		case *quantity.Duration:
			*x = 7 * sec
		}
		if typ.Field(i).Name == "QuickAck" {
			v = reflect.ValueOf(new(bool)) // that which is set once
		}
		reflect.ValueOf(&s).Elem().Field(i).Set(v)
		var o tcpmodel.SocketOptions
		if s.apply(&o); o == (tcpmodel.SocketOptions{}) {
			t.Errorf("%s changes nothing", typ.Field(i).Tag.Get("key"))
		}
	}
}

// TestSocketSides: what cannot be is said before the run.
func TestSocketSides(t *testing.T) {
	yes, two, five, cc := true, 2, 5*sec, "bbr9"
	for want, c := range map[string]Config{
		"options of a listener":     &Clients{To: serverAddress, Arrivals: fixed(1), Socket: Socket{DeferAccept: &five}},
		"options of who connects":   &Server{Port: 80, Socket: Socket{FastConnect: &yes}},
		"tcp_syncnt are options":    &Sink{Port: 80, Socket: Socket{SynCnt: &two}},
		"only 0s is modelled":       &RequestResponse{To: serverAddress, Connections: 1, Request: ofSize(1), Socket: Socket{Linger: &five}},
		"tcp_congestion: ":          &Bulk{To: serverAddress, Connections: 1, Socket: Socket{Congestion: &cc}},
		"tcp_defer_accept and tcp_": &IdleConnections{To: serverAddress, Arrivals: fixed(1), Socket: Socket{DeferAccept: &five}},
	} {
		if _, err := c.Build("x", "host"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: got %v, want something with %q", c, err, want)
		}
	}
}
