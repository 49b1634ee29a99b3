package main

import (
	"fmt"
	"os"
	"slices"
	"sync"
)

// machine is what redistest needs of a test.
type machine struct {
	mu    sync.Mutex
	clean []func()
}

// fatalError is a failure of Redis or of a proxy.
type fatalError string

func (e fatalError) Error() string { return string(e) }

// failure returns a failure of redistest that was recovered, else err.
func failure(recovered any, err error) error {
	switch failed := recovered.(type) {
	case nil:
		return err
	case fatalError:
		return failed
	default:
		panic(failed)
	}
}

// Helper does nothing.
func (*machine) Helper() {}

// Fatalf panics; failure returns it as an error.
func (*machine) Fatalf(format string, args ...any) { panic(fatalError(fmt.Sprintf(format, args...))) }

// Skip panics likewise.
func (*machine) Skip(args ...any) { panic(fatalError(fmt.Sprint(args...))) }

// Cleanup registers what close calls.
func (m *machine) Cleanup(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clean = append(m.clean, f)
}

// TempDir returns a directory, which close removes.
func (m *machine) TempDir() string {
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		m.Fatalf("%v", err)
	}
	m.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// close undoes everything, the last first.
func (m *machine) close() {
	for _, clean := range slices.Backward(m.clean) {
		clean()
	}
}
