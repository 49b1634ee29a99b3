//go:build !linux

package httpio

// notifyDisconnect returns false: a goroutine reads from each connection instead.
func notifyDisconnect(int, func()) (stop func(), ok bool) { return nil, false }
