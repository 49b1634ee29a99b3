//go:build !linux

package httpio

import "syscall"

// notifyDisconnect returns false: a goroutine reads from each connection instead.
func notifyDisconnect(syscall.RawConn, func()) (stop func(), ok bool) { return nil, false }
