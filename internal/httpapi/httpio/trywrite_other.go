//go:build !unix

package httpio

import "syscall"

// tryWrite writes nothing: all writes may wait.
func tryWrite(syscall.RawConn, []byte) (written int, err error) { return 0, nil }
