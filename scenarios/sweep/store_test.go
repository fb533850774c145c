package sweep

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var twoMetrics = newSchema([]string{"a.b", "a.c"}, []string{"s", ""})

func sampleRecord(i int) *record {
	r := &record{key: Key{byte(i), 7}, replication: uint32(i % 3), schema: twoMetrics, events: uint64(i * 1000), packets: uint64(i),
		values: []float64{float64(i) / 3, math.NaN()}}
	if i%2 == 1 {
		r.batches = [][]float64{{1, 2}, {math.Inf(1), 4}}
		r.schema = newSchema([]string{"other", "two"}, []string{"B", "1/s"})
	}
	return r
}

func openTest(t *testing.T, dir string, repair bool) *store {
	t.Helper()
	st, err := openStore(dir, repair)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.close)
	return st
}

var sameRecord = cmp.Options{cmp.AllowUnexported(record{}, schema{}), cmpopts.EquateNaNs()}

func TestStoreRoundTrip(t *testing.T) {
	dir := t.TempDir()
	st := openTest(t, dir, true)
	for w := range 3 {
		a := st.appender(w)
		for i := range 10 {
			if err := a.append(sampleRecord(10*w + i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.seal(); err != nil {
			t.Fatal(err)
		}
	}
	st = openTest(t, dir, false)
	if len(st.entries) != 30 || len(st.damaged) > 0 {
		t.Fatalf("%d entries, damaged %v", len(st.entries), st.damaged)
	}
	for i := range 30 {
		want := sampleRecord(i)
		found := st.find(want.key)
		if len(found) != 1 {
			t.Fatalf("record %d: %d entries", i, len(found))
		}
		got, err := st.read(found[0])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameRecord); diff != "" {
			t.Error(diff)
		}
	}
	if found := st.find(Key{99}); len(found) > 0 {
		t.Errorf("a point that is not there has %d entries", len(found))
	}
}

// writeChunk leaves an open chunk of n records and returns its name, content and
// the ends of its frames.
func writeChunk(t *testing.T, dir string, n int) (name string, content []byte, ends []int) {
	t.Helper()
	st := openTest(t, dir, true)
	a := st.appender(0)
	for i := range n {
		if err := a.append(sampleRecord(2 * i)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, int(a.size))
	}
	name = a.name + openSuffix
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return name, content, ends
}

// Wherever a killed process stops within its chunk, the records that are whole
// are found, the rest is cut off, and more can be added.
func TestTornTail(t *testing.T) {
	name, content, ends := writeChunk(t, t.TempDir(), 4)
	for cut := range len(content) + 1 {
		dir := t.TempDir()
		torn := filepath.Join(dir, pointsDir, filepath.Base(name))
		if err := os.MkdirAll(filepath.Dir(torn), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(torn, content[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, end := range ends {
			if end <= cut {
				want++
			}
		}
		for _, repair := range []bool{false, true, false} {
			if st := openTest(t, dir, repair); len(st.entries) != want || len(st.damaged) > 0 {
				t.Fatalf("cut at %d: %d records, want %d; damaged %v", cut, len(st.entries), want, st.damaged)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(dir, pointsDir, "*"+openSuffix)); len(left) > 0 {
			t.Fatalf("cut at %d: %v is left open", cut, left)
		}
	}
}

// No change of a byte in a chunk goes unnoticed: each record is as it was or not
// there.
func TestDamage(t *testing.T) {
	name, content, _ := writeChunk(t, t.TempDir(), 4)
	for at := range content {
		dir := t.TempDir()
		damaged := filepath.Join(dir, pointsDir, strings.TrimSuffix(filepath.Base(name), openSuffix)+sealSuffix)
		if err := os.MkdirAll(filepath.Dir(damaged), 0o755); err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(content)
		changed[at] ^= 0x10
		if err := os.WriteFile(damaged, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		st := openTest(t, dir, false)
		if len(st.entries) >= 4 {
			t.Fatalf("byte %d: %d records", at, len(st.entries))
		}
		for i := range len(st.entries) {
			want := sampleRecord(2 * i)
			got, err := st.read(st.find(want.key)[0])
			if diff := cmp.Diff(want, got, sameRecord); err != nil || diff != "" {
				t.Fatalf("byte %d: %v %s", at, err, diff)
			}
		}
	}
}

// quota is a file system with room for so many bytes.
type quota struct{ left int64 }

type quotaFile struct {
	*os.File
	quota *quota
}

func (q *quota) create(name string) (chunkFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	return &quotaFile{f, q}, err
}

func (f *quotaFile) Write(b []byte) (int, error) {
	if int64(len(b)) <= f.quota.left {
		f.quota.left -= int64(len(b))
		return f.File.Write(b)
	}
	n, _ := f.File.Write(b[:f.quota.left])
	f.quota.left = 0
	return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
}

func TestFullDiskLeavesWholeRecords(t *testing.T) {
	for room := int64(0); room < 700; room += 13 {
		dir := t.TempDir()
		st := openTest(t, dir, true)
		st.create = (&quota{room}).create
		a := st.appender(0)
		kept := 0
		var err error
		for ; err == nil && kept < 100; kept++ {
			err = a.append(sampleRecord(2 * kept))
		}
		kept--
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Fatalf("room for %d bytes: error %v", room, err)
		}
		if err := a.seal(); err != nil {
			t.Fatal(err)
		}
		if st := openTest(t, dir, false); len(st.entries) != kept || len(st.damaged) > 0 {
			t.Fatalf("room for %d bytes: %d records, want %d; damaged %v", room, len(st.entries), kept, st.damaged)
		}
	}
}

func FuzzScan(f *testing.F) {
	whole := []byte(chunkHeader)
	whole = appendSchema(whole, twoMetrics)
	whole = appendRecord(whole, sampleRecord(2), 0)
	f.Add(whole)
	f.Add([]byte(chunkHeader))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, pointsDir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, pointsDir, "x"+sealSuffix), content, 0o644); err != nil {
			t.Fatal(err)
		}
		st, err := openStore(dir, false)
		if err != nil {
			return
		}
		defer st.close()
		for _, e := range st.entries {
			if r, err := st.read(e); err == nil && len(r.values) != len(r.schema.names) {
				t.Fatal(fmt.Sprint(r))
			}
		}
	})
}

// A chunk that its writer seals between two looks at it is found under its new
// name, and counted once.
func TestSealedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	writer := openTest(t, dir, true)
	a := writer.appender(0)
	for i := range 5 {
		if err := a.append(sampleRecord(2 * i)); err != nil {
			t.Fatal(err)
		}
	}
	other := openTest(t, dir, false)
	counter := NewCounter(dir)
	count := func(want int) {
		t.Helper()
		if n, err := counter.Count(); n != want || err != nil {
			t.Errorf("%d records, %v, want %d", n, err, want)
		}
	}
	count(5)
	if err := a.append(sampleRecord(10)); err != nil {
		t.Fatal(err)
	}
	count(6)
	if err := a.seal(); err != nil {
		t.Fatal(err)
	}
	want := sampleRecord(4)
	got, err := other.read(other.find(want.key)[0])
	if diff := cmp.Diff(want, got, sameRecord); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if f, err := openChunk(a.name + openSuffix); err != nil {
		t.Error(err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		count(6)
	}
}
