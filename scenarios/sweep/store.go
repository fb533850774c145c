package sweep

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// store is the finished replications of a directory, in the chunks of its
// folder points. Each worker appends to a chunk of its own, whose name no other
// worker of any run has, and seals it by a new name when it is full. Nothing is
// changed afterwards, and no two processes write to one file, so that any file
// system serves that has rename, NFS included. What a killed process has left
// open ends with the last frame that is whole.
type store struct {
	dir     string
	run     string // part of the names of this run's chunks
	files   []string
	schemas []*schema
	entries []entry
	damaged []string

	mu     sync.Mutex
	open   map[uint16]*os.File
	create func(name string) (chunkFile, error)
}

// entry says where the record of a replication is.
type entry struct {
	key         Key
	replication uint32
	at          uint32 // of the frame in the file
	file        uint16
	schema      uint16
}

// chunkFile is what an appender needs of a file.
type chunkFile interface {
	Write(b []byte) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

const (
	pointsDir  = "points"
	openSuffix = ".open"
	sealSuffix = ".chunk"
	// fullChunk is the size at which a chunk is sealed.
	fullChunk = 4 << 20
	// mostOpen is how many chunks are kept open for reading.
	mostOpen = 64
)

// taskPrefix begins the names of the chunks of tasks of a cluster. They may be
// running while another process has the directory, which leaves their open chunks
// alone.
const taskPrefix = "task-"

// openStore reads the store below dir. With repair, for whoever holds the lock
// of dir, chunks that a killed process left open are cut after their last whole
// frame and sealed.
func openStore(dir string, repair bool) (*store, error) {
	var id [6]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	s := &store{dir: filepath.Join(dir, pointsDir), run: hex.EncodeToString(id[:]), open: map[uint16]*os.File{}}
	s.create = func(name string) (chunkFile, error) {
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	}
	if repair {
		if err := os.MkdirAll(s.dir, 0o755); err != nil {
			return nil, explain(err)
		}
	}
	return s, s.load(repair)
}

// load reads all chunks and makes the index.
func (s *store) load(repair bool) error {
	names, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain(err)
	}
	s.closeFiles()
	s.files, s.entries, s.damaged = nil, nil, nil
	for _, e := range names {
		name := filepath.Join(s.dir, e.Name())
		sealed := strings.HasSuffix(name, sealSuffix)
		if !sealed && !strings.HasSuffix(name, openSuffix) {
			continue
		}
		if len(s.files) > math.MaxUint16 {
			return fmt.Errorf("%s has more than %d chunks (merge them: tcplab merge %s --out OTHER)", s.dir, math.MaxUint16, filepath.Dir(s.dir))
		}
		whole, err := s.scan(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it held nothing, and was removed
		}
		if err != nil {
			return err
		}
		if sealed || !repair || strings.HasPrefix(e.Name(), taskPrefix) {
			continue
		}
		if s.files[len(s.files)-1], err = sealLeft(name, whole); err != nil {
			return explain(err)
		}
	}
	slices.SortFunc(s.entries, func(a, b entry) int {
		return cmp.Or(slices.Compare(a.key[:], b.key[:]), cmp.Compare(a.replication, b.replication), cmp.Compare(a.file, b.file), cmp.Compare(a.at, b.at))
	})
	s.entries = slices.CompactFunc(s.entries, func(a, b entry) bool { return a.key == b.key && a.replication == b.replication })
	return nil
}

// sealLeft cuts an open chunk to what is whole and gives it its final name. One
// that holds nothing is removed.
func sealLeft(name string, whole int64) (string, error) {
	if whole <= int64(len(chunkHeader)) {
		return name, os.Remove(name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return name, err
	}
	if err := errors.Join(f.Truncate(whole), f.Sync(), f.Close()); err != nil {
		return name, err
	}
	sealed := strings.TrimSuffix(name, openSuffix) + sealSuffix
	return sealed, os.Rename(name, sealed)
}

// find returns the entries of a point, in the order of the replications.
func (s *store) find(key Key) []entry {
	from, _ := slices.BinarySearchFunc(s.entries, key, func(e entry, k Key) int { return slices.Compare(e.key[:], k[:]) })
	until := from
	for until < len(s.entries) && s.entries[until].key == key {
		until++
	}
	return s.entries[from:until]
}

// schemaNumber returns the number of a schema, which it adds if it is new.
func (s *store) schemaNumber(x *schema) (uint16, error) {
	i := slices.IndexFunc(s.schemas, func(y *schema) bool { return y.text == x.text })
	if i < 0 {
		if i = len(s.schemas); i > math.MaxUint16 {
			return 0, fmt.Errorf("%s has more than %d sets of metrics", s.dir, math.MaxUint16)
		}
		s.schemas = append(s.schemas, x)
	}
	return uint16(i), nil
}

func (s *store) closeFiles() {
	for _, f := range s.open {
		f.Close()
	}
	clear(s.open)
}

// close lets go of all files.
func (s *store) close() { s.closeFiles() }

// appender writes the records of one worker.
type appender struct {
	store   *store
	worker  int
	chunks  int
	name    string
	file    chunkFile
	size    int64
	schemas []*schema // of the chunk
	buffer  []byte
}

func (s *store) appender(worker int) *appender { return &appender{store: s, worker: worker} }

// append adds a record. When it returns without an error, the record outlives
// the process; with one, the chunk is as it was before.
func (a *appender) append(r *record) error {
	if a.file == nil {
		if err := a.begin(); err != nil {
			return explain(err)
		}
	}
	a.buffer = a.buffer[:0]
	known := len(a.schemas)
	number := slices.IndexFunc(a.schemas, func(x *schema) bool { return x == r.schema || x.text == r.schema.text })
	if number < 0 {
		number = known
		a.buffer = appendSchema(a.buffer, r.schema)
	}
	a.buffer = appendRecord(a.buffer, r, uint64(number))
	if err := a.write(a.buffer); err != nil {
		return explain(err)
	}
	if number == known {
		a.schemas = append(a.schemas, r.schema)
	}
	if a.size >= fullChunk {
		return a.seal()
	}
	return nil
}

func (a *appender) begin() error {
	a.chunks++
	a.name = filepath.Join(a.store.dir, fmt.Sprintf("%s-w%02d-%04d", a.store.run, a.worker, a.chunks))
	file, err := a.store.create(a.name + openSuffix)
	if err != nil {
		return err
	}
	a.file, a.size, a.schemas = file, 0, nil
	if err := a.write([]byte(chunkHeader)); err != nil {
		a.file = nil
		return errors.Join(err, file.Close(), os.Remove(a.name+openSuffix))
	}
	return nil
}

// write adds bytes to the chunk, all or none.
func (a *appender) write(b []byte) error {
	n, err := a.file.Write(b)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, a.file.Truncate(a.size))
		}
		return err
	}
	a.size += int64(n)
	return nil
}

// seal flushes the chunk to the disk and gives it its final name.
func (a *appender) seal() error {
	if a.file == nil {
		return nil
	}
	file := a.file
	a.file = nil
	if a.size <= int64(len(chunkHeader)) {
		return explain(errors.Join(file.Close(), os.Remove(a.name+openSuffix)))
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return explain(err)
	}
	return explain(os.Rename(a.name+openSuffix, a.name+sealSuffix))
}

// explain says what can be done about an error of the file system.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("sweep: the disk is full: %w (what is finished is kept: make room, then give the same command again)", err)
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("sweep: not allowed to write: %w (choose another --out)", err)
	default:
		return fmt.Errorf("sweep: %w", err)
	}
}
