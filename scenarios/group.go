package scenarios

import (
	"reflect"

	"tcplab/scenarios/quantity"
	"tcplab/scenarios/spec"
	"tcplab/scenarios/workload"
	"tcplab/tcpmodel/network"
)

// linkMember is one link of those that a link of the scenario stands for.
type linkMember struct{ ends [2]string }

// linkMembers returns the links that l stands for: one, or one for each host of
// the group at one of its ends.
func linkMembers(sc *spec.Scenario, l *spec.Link) []linkMember {
	from, to := sc.MembersOf(l.Ends[0]), sc.MembersOf(l.Ends[1])
	list := make([]linkMember, max(len(from), len(to)))
	for i := range list {
		list[i].ends = [2]string{from[i%len(from)], to[i%len(to)]}
	}
	return list
}

// directions returns the links in one direction, 0 or 1, of link i of the
// scenario.
func (b *builder) directions(i, direction int) []*network.Link {
	var list []*network.Link
	for k := b.firstLink[i] + direction; k < b.firstLink[i+1]; k += 2 {
		list = append(list, b.links[k])
	}
	return list
}

// buildWorkload makes a workload of the scenario: one, or one for each host of
// the largest group that it names. Host k of one group works with host k of
// another, counted round.
func (b *builder) buildWorkload(w *spec.Workload) ([]workload.Workload, error) {
	on := b.sc.MembersOf(string(w.On))
	count := len(on)
	members := map[quantity.Host][]string{}
	eachHost(w.Config, func(h *quantity.Host) {
		members[*h] = b.sc.MembersOf(string(*h))
		count = max(count, len(members[*h]))
	})
	var list []workload.Workload
	for i := range count {
		config := reflect.New(reflect.TypeOf(w.Config).Elem())
		config.Elem().Set(reflect.ValueOf(w.Config).Elem())
		eachHost(config.Interface(), func(h *quantity.Host) {
			of := members[*h]
			*h = quantity.Host(of[i%len(of)])
		})
		made, err := config.Interface().(workload.Config).Build(w.Name, quantity.Host(on[i%len(on)]))
		if err != nil {
			return nil, err
		}
		list = append(list, made)
	}
	return list, nil
}

// eachHost calls f for the hosts that the config of a workload names.
func eachHost(config any, f func(*quantity.Host)) {
	v := reflect.ValueOf(config).Elem()
	for i := range v.NumField() {
		switch x := v.Field(i).Addr().Interface().(type) {
		case *quantity.Host:
			f(x)
		case *quantity.Address:
			f(&x.Host)
		}
	}
}
