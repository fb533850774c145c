package drill

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Find returns the scripts that the arguments name: files as they are, folders
// with all *.pkt below them. The list is sorted by path and has no duplicates.
func Find(args ...string) ([]string, error) {
	var files []string
	for _, a := range args {
		info, err := os.Stat(a)
		if err != nil {
			return nil, fmt.Errorf("script: %w", err)
		}
		if !info.IsDir() {
			files = append(files, a)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == ".pkt" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("scripts: %w", err)
		}
		if len(files) == before {
			return nil, fmt.Errorf("scripts: no *.pkt below %s", a)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// RunFile reads and runs one script. A file that cannot be read or is no script
// has failed.
func RunFile(file string, o Options) *Result {
	src, err := os.ReadFile(file)
	if err != nil {
		return &Result{Script: file, Status: Failed, Reason: err.Error()}
	}
	s, err := Parse(file, src)
	if err != nil {
		return failed(file, err)
	}
	return Run(s, o)
}

// failed is the result of a script that could not be read.
func failed(file string, err error) *Result {
	r := &Result{Script: file, Status: Failed, Reason: err.Error()}
	var e *Error
	if errors.As(err, &e) {
		r.Pos, r.Line, r.Column, r.Reason = e.Pos, e.Pos.Line, e.Pos.Col, fmt.Sprintf("column %d: %s", e.Pos.Col, e.Msg)
		if e.Unsupported {
			r.Status, r.Reason = Unsupported, e.Msg
		}
	}
	return r
}

// RunFiles runs scripts on several workers at once and calls each with the
// results in the order of files. Results do not depend on the number of workers.
func RunFiles(files []string, o Options, workers int, each func(*Result)) {
	results := make([]*Result, len(files))
	done := make([]chan struct{}, len(files))
	for i := range done {
		done[i] = make(chan struct{})
	}
	next := make(chan int)
	var group sync.WaitGroup
	for range max(min(workers, len(files)), 1) {
		group.Go(func() {
			for i := range next {
				results[i] = RunFile(files[i], o)
				close(done[i])
			}
		})
	}
	go func() {
		for i := range files {
			next <- i
		}
		close(next)
	}()
	for i := range files {
		<-done[i]
		each(results[i])
	}
	group.Wait()
}
