package middlebox

// ages keeps the entries of a table in lists, each in the order in which its
// entries were last touched. Entries of a list all live equally long after
// that, so that the first one of each is the next to expire: a list per timeout
// instead of a timer per entry. An entry is in at most one list.
type ages struct {
	links []ageLink
	lists []ageEnds
}

// ageLink is the neighbours of an entry, numbered from 1.
type ageLink struct{ older, newer uint32 }

type ageEnds struct{ oldest, newest uint32 }

// oldest returns the entry of a list that was touched longest ago.
func (a *ages) oldest(list int) (i uint32, ok bool) {
	o := a.lists[list].oldest
	return o - 1, o != 0
}

// push puts entry i, which is in no list, at the young end of one.
func (a *ages) push(list int, i uint32) {
	for int(i) >= len(a.links) {
		a.links = append(a.links, ageLink{})
	}
	l := &a.lists[list]
	a.links[i] = ageLink{older: l.newest}
	if l.newest == 0 {
		l.oldest = i + 1
	} else {
		a.links[l.newest-1].newer = i + 1
	}
	l.newest = i + 1
}

// remove takes entry i out of the list that it is in.
func (a *ages) remove(list int, i uint32) {
	l, k := &a.lists[list], a.links[i]
	if k.older == 0 {
		l.oldest = k.newer
	} else {
		a.links[k.older-1].newer = k.newer
	}
	if k.newer == 0 {
		l.newest = k.older
	} else {
		a.links[k.newer-1].older = k.older
	}
}
