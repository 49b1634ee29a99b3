//go:build unix

package httpio

import (
	"errors"
	"syscall"
)

// tryWrite writes what a socket takes without waiting.
func tryWrite(socket int, p []byte) (written int, err error) {
	for {
		written, err = syscall.Write(socket, p)
		switch {
		case err == nil:
			return written, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		case !errors.Is(err, syscall.EINTR):
			return 0, err //nolint:wrapcheck // The caller wraps.
		}
	}
}
