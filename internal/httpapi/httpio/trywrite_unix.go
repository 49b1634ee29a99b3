//go:build unix

package httpio

import (
	"errors"
	"sync"
	"syscall"
)

// tryWrite writes what a socket takes without waiting.
func tryWrite(conn syscall.RawConn, p []byte) (written int, err error) {
	a, _ := attempts.Get().(*attempt)
	defer attempts.Put(a)
	a.bytes = p
	if err := conn.Write(a.run); err != nil {
		return 0, err //nolint:wrapcheck // The caller wraps.
	}
	a.bytes = nil
	return a.written, a.err
}

// attempts are reused, so that a write allocates nothing.
var attempts = sync.Pool{New: func() any {
	a := &attempt{}
	a.run = a.write
	return a
}}

type attempt struct {
	bytes   []byte
	written int
	err     error
	run     func(fd uintptr) bool
}

// write always returns true: syscall.RawConn is not to wait and to call it again.
func (a *attempt) write(fd uintptr) bool {
	for {
		a.written, a.err = syscall.Write(int(fd), a.bytes)
		switch {
		case errors.Is(a.err, syscall.EINTR):
			continue
		case errors.Is(a.err, syscall.EAGAIN):
			a.written, a.err = 0, nil
		case a.err != nil:
			a.written = 0
		}
		return true
	}
}
